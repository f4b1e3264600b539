// DrawnTotals: sums over labels of bootstrap draws. Not for the sums of the sample itself (label_counts.h).
#pragma once

#include "core/analysis/drawn_sums.h"
#include "core/analysis/label_counts.h"

namespace moescope::analysis {

class DrawnTotals {
 public:
  explicit DrawnTotals(const LabelCounts& counts);

  /// Of one draw, `times` [units]. Exact as long as sums stay below 2^53.
  [[nodiscard]] LabelTotals of(std::span<const std::uint16_t> times) const;

 private:
  int m_experts;
  std::vector<DrawnSums> m_labels;  // columns: experts, then tokens
};

}  // namespace moescope::analysis
