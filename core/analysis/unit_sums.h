// UnitSums: sums per resampling unit (text), and intervals of what is computed from their total.
// Not for statistics that are no function of sums over texts.
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/bootstrap.h"
#include "core/base/result.h"

namespace moescope::analysis {

class UnitSums {
 public:
  UnitSums(int units, int columns);

  [[nodiscard]] int units() const { return m_units; }
  [[nodiscard]] int columns() const { return m_columns; }
  /// Sums of one unit, [columns].
  [[nodiscard]] std::span<double> row(int unit);
  [[nodiscard]] std::span<const double> row(int unit) const;
  void add(const UnitSums& other);  ///< of the same shape
  [[nodiscard]] std::vector<double> total() const;
  /// Total of a draw that takes unit u `times[u]` times.
  [[nodiscard]] std::vector<double> drawn(std::span<const std::uint16_t> times) const;

 private:
  int m_units, m_columns;
  std::vector<double> m_values;  // [units, columns]
};

/// Values computed from sums, always the same number of them.
using SumStatistic = std::function<std::vector<double>(std::span<const double>)>;

/// 95 % intervals of each value of the statistic. Without draws all are NaN. Errors: `cancelled`.
Result<std::vector<BootstrapInterval>> bootstrapSums(const UnitSums& sums, const TextDraws& draws,
                                                     const SumStatistic& statistic, std::stop_token stop);

/// "95 %, bootstrap of 1000 over 176 texts", or why there is none.
std::string intervalText(const ResamplingUnits& units, int draws, std::string_view kind = "percentile");

}  // namespace moescope::analysis
