#include "core/analysis/drawn_totals.h"

namespace moescope::analysis {

DrawnTotals::DrawnTotals(const LabelCounts& counts) : m_experts(counts.experts) {
  const auto experts = static_cast<std::size_t>(counts.experts);
  for (int label = 0; label < counts.labels; ++label) {
    std::vector<std::size_t> entries;
    std::vector<int> unitOf;
    for (std::size_t entry = 0; entry < counts.labelOf.size(); ++entry) {
      if (counts.labelOf[entry] != label) continue;
      entries.push_back(entry);
      unitOf.push_back(counts.unitOf[entry]);
    }
    m_labels.emplace_back(unitOf, counts.units(), experts + 1, [&](std::size_t row, std::size_t column) {
      const std::size_t entry = entries[row];
      return column < experts ? counts.counts[entry * experts + column] : counts.tokens[entry];
    });
  }
}

LabelTotals DrawnTotals::of(std::span<const std::uint16_t> times) const {
  LabelTotals out{static_cast<int>(m_labels.size()), m_experts, {}, {}};
  for (const DrawnSums& label : m_labels) {
    const std::vector<std::int64_t> sums = label.of(times);
    out.counts.insert(out.counts.end(), sums.begin(), sums.end() - 1);
    out.tokens.push_back(static_cast<double>(sums.back()));
  }
  return out;
}

}  // namespace moescope::analysis
