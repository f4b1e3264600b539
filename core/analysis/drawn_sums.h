// DrawnSums: sums over rows of counts when the rows' units are drawn again and again (bootstrap).
// Not for what is computed from the sums.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace moescope::analysis {

class DrawnSums {
 public:
  using CountAt = std::function<std::int64_t(std::size_t row, std::size_t column)>;

  /// `unitOf` [rows], each below `units`; `countAt` gives the counts [rows, columns], not negative.
  DrawnSums(std::span<const int> unitOf, int units, std::size_t columns, const CountAt& countAt);

  /// [columns] sums over rows of count x `times` [units] of the row's unit; `times` adds up to `units` at
  /// most, as a draw does. Exact.
  [[nodiscard]] std::vector<std::int64_t> of(std::span<const std::uint16_t> times) const;

 private:
  [[nodiscard]] bool fitsNarrow(int units, const CountAt& countAt) const;

  std::size_t m_columns;
  std::vector<int> m_unitOf;  // [rows]
  // [columns, rows]; one of the two is empty. 16 bits are many times faster.
  std::vector<std::int16_t> m_narrow;
  std::vector<std::int64_t> m_wide;
};

}  // namespace moescope::analysis
