#include "core/analysis/specialization.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "core/analysis/divergence.h"
#include "core/analysis/drawn_totals.h"

namespace moescope::analysis {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

}  // namespace

std::vector<double> labelRates(const LabelTotals& totals) {
  std::vector<double> out(totals.counts.size(), kUndefined);
  for (std::size_t cell = 0; cell < out.size(); ++cell) {
    const double tokens = totals.tokens[cell / static_cast<std::size_t>(totals.experts)];
    if (tokens > 0.0) out[cell] = totals.counts[cell] / tokens;
  }
  return out;
}

std::vector<double> labelShares(const LabelTotals& totals) {
  const auto experts = static_cast<std::size_t>(totals.experts);
  std::vector<double> sums(experts, 0.0);
  for (std::size_t cell = 0; cell < totals.counts.size(); ++cell) sums[cell % experts] += totals.counts[cell];
  std::vector<double> out(totals.counts.size(), kUndefined);
  for (std::size_t cell = 0; cell < out.size(); ++cell)
    if (sums[cell % experts] > 0.0) out[cell] = totals.counts[cell] / sums[cell % experts];
  return out;
}

std::vector<double> labelDivergences(const LabelTotals& totals) {
  const auto experts = static_cast<std::size_t>(totals.experts);
  const auto labels = static_cast<std::size_t>(totals.labels);
  const auto row = [&](std::size_t label) {
    return std::span(totals.counts).subspan(label * experts, experts);
  };
  std::vector<double> out(labels * labels, 0.0);
  for (std::size_t a = 0; a < labels; ++a) {
    for (std::size_t b = a; b < labels; ++b)
      out[a * labels + b] = out[b * labels + a] = jensenShannon(row(a), row(b));
  }
  return out;
}

Result<SpecializationIntervals> specializationIntervals(const LabelCounts& counts,
                                                        const StratifiedDraws& draws, std::stop_token stop) {
  const std::size_t cells =
      static_cast<std::size_t>(counts.labels) * static_cast<std::size_t>(counts.experts);
  SpecializationIntervals out;
  out.rates.assign(cells, {kUndefined, kUndefined});
  const double estimate = labelInformation(labelTotals(counts)).plugIn;
  out.information = bootstrapInterval(estimate, {});
  // A label with one unit would give an interval without width.
  if (draws.draws() == 0 || std::ranges::any_of(counts.strata, [](int units) { return units < 2; }))
    return out;

  const DrawnTotals drawn(counts);
  std::vector<double> information;
  const auto width = static_cast<std::size_t>(draws.draws());
  std::vector<double> rates(cells * width);  // [cells, draws]
  for (std::size_t draw = 0; draw < width; ++draw) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const LabelTotals replicate = drawn.of(draws.draw(static_cast<int>(draw)));
    information.push_back(labelInformation(replicate).plugIn);
    const std::vector<double> values = labelRates(replicate);
    for (std::size_t cell = 0; cell < cells; ++cell) rates[cell * width + draw] = values[cell];
  }
  out.information = bootstrapInterval(estimate, information);
  for (std::size_t cell = 0; cell < cells; ++cell)
    out.rates[cell] = bootstrapInterval(kUndefined, std::span(rates).subspan(cell * width, width)).percentile;
  return out;
}

}  // namespace moescope::analysis
