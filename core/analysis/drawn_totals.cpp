#include "core/analysis/drawn_totals.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace moescope::analysis {

namespace {

constexpr std::size_t kTile = 16;  // experts whose sums stay in registers

/// Sums of `kTile` neighbouring columns over rows, each row times its weight.
std::array<double, kTile> tileSums(const double* column, std::size_t stride,
                                   std::span<const double> weights) {
  std::array<double, kTile> sums{};
  for (const double weight : weights) {
    for (std::size_t e = 0; e < kTile; ++e) sums[e] += weight * column[e];
    column += stride;
  }
  return sums;
}

}  // namespace

DrawnTotals::DrawnTotals(const LabelCounts& counts)
    : m_labels(counts.labels),
      m_experts(counts.experts),
      m_stride((static_cast<std::size_t>(counts.experts) + kTile - 1) / kTile * kTile) {
  const auto experts = static_cast<std::size_t>(counts.experts);
  std::vector<std::size_t> order(counts.labelOf.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t entry) { return counts.labelOf[entry]; });
  m_ends.assign(static_cast<std::size_t>(counts.labels), 0);
  m_counts.assign(order.size() * m_stride, 0.0);
  for (std::size_t row = 0; row < order.size(); ++row) {
    const std::size_t entry = order[row];
    ++m_ends[static_cast<std::size_t>(counts.labelOf[entry])];
    m_units.push_back(static_cast<std::size_t>(counts.unitOf[entry]));
    m_tokens.push_back(static_cast<double>(counts.tokens[entry]));
    for (std::size_t e = 0; e < experts; ++e)
      m_counts[row * m_stride + e] = static_cast<double>(counts.counts[entry * experts + e]);
  }
  std::partial_sum(m_ends.begin(), m_ends.end(), m_ends.begin());
}

void DrawnTotals::addLabel(std::size_t label, const std::vector<std::vector<std::uint16_t>>& times,
                           std::vector<LabelTotals>& out) const {
  const std::size_t begin = label == 0 ? 0 : m_ends[label - 1];
  const auto experts = static_cast<std::size_t>(m_experts);
  std::vector<double> weights(m_ends[label] - begin);
  for (std::size_t draw = 0; draw < times.size(); ++draw) {
    for (std::size_t row = 0; row < weights.size(); ++row) weights[row] = times[draw][m_units[begin + row]];
    out[draw].tokens[label] = std::inner_product(weights.begin(), weights.end(),
                                                 m_tokens.begin() + static_cast<std::ptrdiff_t>(begin), 0.0);
    for (std::size_t e = 0; e < experts; e += kTile) {
      const auto sums = tileSums(m_counts.data() + begin * m_stride + e, m_stride, weights);
      std::copy_n(sums.begin(), std::min(kTile, experts - e),
                  out[draw].counts.begin() + static_cast<std::ptrdiff_t>(label * experts + e));
    }
  }
}

std::vector<LabelTotals> DrawnTotals::of(const StratifiedDraws& draws, int first, int count) const {
  const auto labels = static_cast<std::size_t>(m_labels);
  LabelTotals empty{m_labels, m_experts, {}, {}};
  empty.tokens.assign(labels, 0.0);
  empty.counts.assign(labels * static_cast<std::size_t>(m_experts), 0.0);
  std::vector<LabelTotals> out(static_cast<std::size_t>(count), empty);
  std::vector<std::vector<std::uint16_t>> times;
  for (int draw = first; draw < first + count; ++draw) times.push_back(draws.draw(draw));
  // Label by label, so that the rows of one stay in the processor's cache for all of these draws.
  for (std::size_t label = 0; label < labels; ++label) addLabel(label, times, out);
  return out;
}

}  // namespace moescope::analysis
