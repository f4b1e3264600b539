// CheckReport: what checkTrace found, bounded, and which runs a repair has to count again.
// Not the checks (run_check.h).
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/trace/trace_store.h"

namespace moescope::trace {

class CheckReport {
 public:
  /// A file can hold millions of damaged blocks; nobody reads more lines than this.
  static constexpr std::size_t kMostIssues = 500;

  void add(std::string place, std::string message) { append(std::move(place), std::move(message), false); }
  /// Of a run's counts, which `--repair` sets right.
  void addCount(RunId run, std::string place, std::string message) {
    m_countedRuns.insert(run);
    append(std::move(place), std::move(message), true);
  }

  [[nodiscard]] const std::set<RunId>& runsToCount() const { return m_countedRuns; }
  void markRepaired() {
    for (std::size_t i = 0; i < m_issues.size(); ++i)
      m_issues[i].repaired = m_issues[i].repaired || m_ofCounts[i];
  }
  /// The issues, with a last line for those that did not fit.
  [[nodiscard]] std::vector<CheckIssue> take() {
    if (m_left > 0) m_issues.push_back({"the trace", "and " + std::to_string(m_left) + " problems more"});
    return std::move(m_issues);
  }

 private:
  void append(std::string place, std::string message, bool ofCounts) {
    if (m_issues.size() >= kMostIssues) {
      ++m_left;
      return;
    }
    m_issues.push_back({std::move(place), std::move(message)});
    m_ofCounts.push_back(ofCounts);
  }

  std::vector<CheckIssue> m_issues;
  std::vector<bool> m_ofCounts;
  std::size_t m_left = 0;
  std::set<RunId> m_countedRuns;
};

}  // namespace moescope::trace
