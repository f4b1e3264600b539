#include "plugins/stability/margin_analysis.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "core/analysis/key_counts.h"
#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/routed_tokens.h"
#include "core/analysis/routing_margin.h"

namespace moescope::stability {

using namespace analysis;

namespace {

constexpr std::array kQuantiles{0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

/// Mean and share of small margins by unit, so that texts can be resampled.
struct UnitSums {
  double tokens = 0.0, margin = 0.0, small = 0.0;
};

std::vector<UnitSums> unitSums(const RoutingMargins& margins, const TokenUnits& units, double small) {
  std::vector<UnitSums> out(static_cast<std::size_t>(units.units));
  for (std::size_t t = 0; t < margins.margins.size(); ++t) {
    UnitSums& unit =
        out[static_cast<std::size_t>(units.unitOfToken[static_cast<std::size_t>(margins.rows[t])])];
    unit.tokens += 1.0;
    unit.margin += margins.margins[t];
    unit.small += margins.margins[t] < small ? 1.0 : 0.0;
  }
  return out;
}

struct MeanAndShare {
  double mean = 0.0, share = 0.0;
};

MeanAndShare meanAndShare(const std::vector<UnitSums>& units, std::span<const std::uint16_t> multiplicity) {
  UnitSums sum;
  for (std::size_t u = 0; u < units.size(); ++u) {
    const double times = multiplicity.empty() ? 1.0 : multiplicity[u];
    sum.tokens += times * units[u].tokens;
    sum.margin += times * units[u].margin;
    sum.small += times * units[u].small;
  }
  const double tokens = sum.tokens > 0.0 ? sum.tokens : std::numeric_limits<double>::quiet_NaN();
  return {sum.margin / tokens, sum.small / tokens};
}

void addLayer(int layer, RoutingMargins margins, const TokenUnits& units, const TextDraws& draws,
              double small, ResultTable& table) {
  const std::vector<UnitSums> sums = unitSums(margins, units, small);
  const MeanAndShare estimate = meanAndShare(sums, {});
  std::vector<double> means, shares;
  for (int draw = 0; draws.texts() > 1 && draw < draws.draws(); ++draw) {
    const MeanAndShare drawn = meanAndShare(sums, draws.draw(draw));
    means.push_back(drawn.mean);
    shares.push_back(drawn.share);
  }
  std::vector<ResultCell> row{cell(layer), static_cast<std::int64_t>(margins.margins.size()),
                              cell(estimate.mean)};
  addInterval(row, bootstrapInterval(estimate.mean, means).percentile);
  std::ranges::sort(margins.margins);
  for (const double probability : kQuantiles) row.push_back(cell(quantile(margins.margins, probability)));
  row.push_back(cell(estimate.share));
  addInterval(row, bootstrapInterval(estimate.share, shares).percentile);
  row.push_back(cell(margins.evenGap));
  table.rows.push_back(std::move(row));
}

ResultTable emptyTable() {
  ResultTable table{"margins",
                    "Margin between the last chosen expert and the first one that was not",
                    {{"layer", ""}, {"tokens", "tokens"}, {"mean", ""}, {"mean_low", ""}, {"mean_high", ""}},
                    {}};
  for (const double probability : kQuantiles)
    table.columns.push_back({fmt::format("q{:02.0f}", 100 * probability), ""});
  for (const char* name : {"small_share", "small_share_low", "small_share_high", "even_gap"})
    table.columns.push_back({name, ""});
  return table;
}

}  // namespace

const AnalysisInfo& MarginAnalysis::info() const {
  static const AnalysisInfo info{
      "margins",
      "Selection margins",
      "How close the choice of experts was: the score of the last chosen one less that of the first left out",
      AnalysisScope::Run,
      trace::CaptureLevel::Full,
      {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"},
       {"of", "scores", "scores (what the router selects by), or logits"},
       {"small", "0.02", "margins below this are counted as small, 0 to 1000"},
       {"draws", "1000", "bootstrap draws of the intervals, 0 to 100000"},
       {"seed", "1", "of the draws"}}};
  return info;
}

Result<AnalysisResult> MarginAnalysis::run(const AnalysisInput& input) const {
  constexpr std::array<std::string_view, 2> kOf{"scores", "logits"};
  const auto of = wordParameter(input.parameters, "of", kOf);
  if (!of) return fail(of.error());
  const auto small = realParameter(input.parameters, "small", 0.0, 1000.0);
  if (!small) return fail(small.error());
  const auto run = analysedRun(input.store, input.runs, trace::CaptureLevel::Full);
  if (!run) return fail(run.error());
  const auto settings = layerSettings(input.parameters, run->routers);
  if (!settings) return fail(settings.error());
  const auto units = unitsOfTokens(input.store, *run, input.stop);
  if (!units) return fail(units.error());
  const TextDraws draws(units->units, settings->draws, settings->seed);

  AnalysisResult out;
  out.analysis = "margins";
  out.parameters = input.parameters;
  out.sample = sampleText(run->record);
  out.baseline = "even_gap: the margin if the experts' scores stood at even distances";
  out.interval = intervalText(*units, settings->draws);
  ResultTable table = emptyTable();
  std::int64_t done = 0;
  for (const int router : settings->routers) {
    auto margins = routingMargins(input.store, *run, router, *of == "logits", input.stop);
    if (!margins) return fail(margins.error());
    const int layer = run->routers[static_cast<std::size_t>(router)].layer.value;
    addLayer(layer, std::move(*margins), *units, draws, *small, table);
    if (input.progress)
      input.progress(
          {"Measuring margins", ++done, static_cast<std::int64_t>(settings->routers.size()), "layers"});
  }
  out.tables.push_back(std::move(table));
  out.notes.emplace_back("of the native choice, before any rule; recorded logits are rounded to 16 bits");
  return out;
}

}  // namespace moescope::stability
