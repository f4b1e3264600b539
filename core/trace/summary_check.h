// SummaryCheck: one router's level-of-detail pyramid against its blocks, in order.
// Not for sums over sequences (sequence_check.h).
#pragma once

#include <string>

#include "core/trace/block_reader.h"
#include "core/trace/check_report.h"

namespace moescope::trace {

class SummaryCheck {
 public:
  /// Borrows all but the numbers.
  SummaryCheck(CheckReport& report, BlockReader& reader, const RunRecord& run, int index,
               const RouterSpec& router)
      : m_report(report),
        m_reader(reader),
        m_run(run),
        m_index(index),
        m_router(router),
        m_pyramid(router.experts) {}

  /// `route` is null where the block is missing or damaged: the levels above cannot be checked from there on.
  void add(std::int64_t block, const RouteBlock* route);
  /// Rows with a decision so far.
  [[nodiscard]] std::int64_t decided() const { return m_decided; }

 private:
  void compareLeaf(std::int64_t block, const BlockSummary& node, const RouteBlock& route);
  void compareNode(int level, std::int64_t block, const BlockSummary& expected);
  [[nodiscard]] std::string place(int level, std::int64_t block) const;

  CheckReport& m_report;
  BlockReader& m_reader;
  const RunRecord& m_run;
  const int m_index;
  const RouterSpec& m_router;
  PyramidBuilder m_pyramid;
  bool m_broken = false;
  std::int64_t m_decided = 0;
};

}  // namespace moescope::trace
