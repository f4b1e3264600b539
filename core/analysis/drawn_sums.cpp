#include "core/analysis/drawn_sums.h"

#include <algorithm>
#include <limits>

namespace moescope::analysis {

namespace {

constexpr std::int64_t kMostNarrow = std::numeric_limits<std::int16_t>::max();

template <class Number>
void fill(std::vector<Number>& to, std::size_t rows, std::size_t columns, const DrawnSums::CountAt& countAt) {
  to.resize(rows * columns);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t c = 0; c < columns; ++c) to[c * rows + row] = static_cast<Number>(countAt(row, c));
  }
}

/// The processor multiplies and adds eight pairs of 16 bits at a time. A weight is below the count of units.
template <class Sum, class Number>
std::vector<std::int64_t> products(const std::vector<Number>& weights, const std::vector<Number>& counts,
                                   std::size_t columns) {
  std::vector<std::int64_t> out(columns);
  const Number* column = counts.data();
  for (std::size_t c = 0; c < columns; ++c, column += weights.size()) {
    Sum sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i)
      sum += static_cast<Sum>(weights[i]) * static_cast<Sum>(column[i]);
    out[c] = sum;
  }
  return out;
}

template <class Number>
std::vector<Number> weightsOf(const std::vector<int>& unitOf, std::span<const std::uint16_t> times) {
  std::vector<Number> out(unitOf.size());
  for (std::size_t row = 0; row < out.size(); ++row)
    out[row] = static_cast<Number>(times[static_cast<std::size_t>(unitOf[row])]);
  return out;
}

}  // namespace

DrawnSums::DrawnSums(std::span<const int> unitOf, int units, std::size_t columns, const CountAt& countAt)
    : m_columns(columns), m_unitOf(unitOf.begin(), unitOf.end()) {
  if (fitsNarrow(units, countAt)) {
    fill(m_narrow, m_unitOf.size(), columns, countAt);
  } else {
    fill(m_wide, m_unitOf.size(), columns, countAt);
  }
}

/// Whether 16 bits hold every factor and 32 every sum: the largest sum takes one unit again and again.
bool DrawnSums::fitsNarrow(int units, const CountAt& countAt) const {
  std::vector<std::int64_t> sums(static_cast<std::size_t>(units), 0);
  for (std::size_t row = 0; row < m_unitOf.size(); ++row) {
    std::int64_t largest = 0;
    for (std::size_t c = 0; c < m_columns; ++c) largest = std::max(largest, countAt(row, c));
    if (largest > kMostNarrow) return false;
    sums[static_cast<std::size_t>(m_unitOf[row])] += largest;
  }
  const std::int64_t most = sums.empty() ? 0 : std::ranges::max(sums);
  return units <= kMostNarrow && most * units <= std::numeric_limits<std::int32_t>::max();
}

std::vector<std::int64_t> DrawnSums::of(std::span<const std::uint16_t> times) const {
  if (m_wide.empty())
    return products<std::int32_t>(weightsOf<std::int16_t>(m_unitOf, times), m_narrow, m_columns);
  return products<std::int64_t>(weightsOf<std::int64_t>(m_unitOf, times), m_wide, m_columns);
}

}  // namespace moescope::analysis
