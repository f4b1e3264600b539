// DrawnTotals: sums over labels of many bootstrap draws, as a product of two matrices taken block by block.
// Not for the sums of the sample itself (label_counts.h).
#pragma once

#include "core/analysis/label_counts.h"

namespace moescope::analysis {

class DrawnTotals {
 public:
  explicit DrawnTotals(const LabelCounts& counts);

  /// LabelTotals of the draws [first, first + count): multiplicities [draws, units] times counts [units,
  /// experts], for each label. Exact as long as counts stay below 2^53.
  [[nodiscard]] std::vector<LabelTotals> of(const StratifiedDraws& draws, int first, int count) const;

 private:
  void addLabel(std::size_t label, const std::vector<std::vector<std::uint16_t>>& times,
                std::vector<LabelTotals>& out) const;

  int m_labels, m_experts;
  std::size_t m_stride;             // experts rounded up to whole tiles
  std::vector<std::size_t> m_ends;  // [labels] end of the label's rows
  std::vector<std::size_t> m_units;
  std::vector<double> m_tokens;  // [rows]
  std::vector<double> m_counts;  // [rows, stride]
};

}  // namespace moescope::analysis
