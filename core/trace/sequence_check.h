// SequenceCheck: the sequences of one run and their sums against the rows, block by block.
// Not for summaries (summary_check.h).
#pragma once

#include <map>
#include <set>
#include <vector>

#include "core/trace/block_reader.h"
#include "core/trace/check_report.h"

namespace moescope::trace {

class SequenceCheck {
 public:
  /// Borrows all of them.
  SequenceCheck(CheckReport& report, BlockReader& reader, const RunRecord& run,
                const std::vector<RouterSpec>& routers, const std::vector<SequenceRecord>& sequences);

  /// Blocks in order; `routes` [routers], null where missing or damaged. A null `tokens` leaves the
  /// sequences around it unchecked.
  void add(std::int64_t block, const TokenBlock* tokens,
           const std::vector<std::shared_ptr<const RouteBlock>>& routes);
  void finish();

 private:
  struct Seen {
    std::int64_t rows = 0, firstToken = 0;
    bool counted = true;                            ///< false if a block of it could not be read
    std::vector<std::vector<std::int64_t>> counts;  ///< [routers][experts]
  };

  Seen& seen(std::int32_t ordinal, std::int64_t token);
  void addRow(Seen& seen, const std::vector<std::shared_ptr<const RouteBlock>>& routes, int row) const;
  void leave(const SequenceRecord& record, const Seen& seen);
  void compareSums(const SequenceRecord& record, const Seen& seen);
  [[nodiscard]] std::string place(std::int64_t ordinal) const;

  CheckReport& m_report;
  BlockReader& m_reader;
  const RunRecord& m_run;
  const std::vector<RouterSpec>& m_routers;
  std::map<std::int32_t, const SequenceRecord*> m_records;
  std::map<std::int32_t, Seen> m_open;
  std::set<std::int32_t> m_unknown;
  bool m_gap = false;
  bool m_crowded = false;
};

}  // namespace moescope::trace
