#include "core/analysis/unit_sums.h"

#include <fmt/format.h>

namespace moescope::analysis {

UnitSums::UnitSums(int units, int columns)
    : m_units(units),
      m_columns(columns),
      m_values(static_cast<std::size_t>(units) * static_cast<std::size_t>(columns)) {}

std::span<double> UnitSums::row(int unit) {
  const auto width = static_cast<std::size_t>(m_columns);
  return std::span(m_values).subspan(static_cast<std::size_t>(unit) * width, width);
}

std::span<const double> UnitSums::row(int unit) const {
  const auto width = static_cast<std::size_t>(m_columns);
  return std::span(m_values).subspan(static_cast<std::size_t>(unit) * width, width);
}

void UnitSums::add(const UnitSums& other) {
  for (std::size_t i = 0; i < m_values.size(); ++i) m_values[i] += other.m_values[i];
}

std::vector<double> UnitSums::total() const {
  return drawn(std::vector<std::uint16_t>(static_cast<std::size_t>(m_units), 1));
}

std::vector<double> UnitSums::drawn(std::span<const std::uint16_t> times) const {
  std::vector<double> out(static_cast<std::size_t>(m_columns));
  for (int unit = 0; unit < m_units; ++unit) {
    const double count = static_cast<double>(times[static_cast<std::size_t>(unit)]);
    if (count == 0.0) continue;
    const auto values = row(unit);
    for (std::size_t c = 0; c < out.size(); ++c) out[c] += count * values[c];
  }
  return out;
}

Result<std::vector<BootstrapInterval>> bootstrapSums(const UnitSums& sums, const TextDraws& draws,
                                                     const SumStatistic& statistic, std::stop_token stop) {
  const std::vector<double> estimates = statistic(sums.total());
  std::vector<std::vector<double>> replicates(estimates.size());
  for (int draw = 0; draw < draws.draws(); ++draw) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const std::vector<double> values = statistic(sums.drawn(draws.draw(draw)));
    for (std::size_t v = 0; v < values.size(); ++v) replicates[v].push_back(values[v]);
  }
  std::vector<BootstrapInterval> out;
  for (std::size_t v = 0; v < estimates.size(); ++v)
    out.push_back(bootstrapInterval(estimates[v], replicates[v]));
  return out;
}

std::string intervalText(const ResamplingUnits& units, int draws, std::string_view kind) {
  if (draws == 0) return "none: no draws were asked for";
  if (units.units < 2) return fmt::format("none: {} cannot be resampled", units.description());
  return fmt::format("95 % ({}), bootstrap of {} over {}", kind, draws, units.description());
}

}  // namespace moescope::analysis
