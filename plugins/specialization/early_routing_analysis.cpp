#include "plugins/specialization/early_routing_analysis.h"

#include <limits>

#include <fmt/format.h>

#include "core/analysis/context_independence.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/routed_tokens.h"
#include "core/analysis/routing_stability.h"
#include "core/analysis/series_columns.h"
#include "plugins/specialization/key_layer.h"

namespace moescope::specialization {

using namespace analysis;

const AnalysisInfo& EarlyRoutingAnalysis::info() const {
  static const AnalysisInfo info{
      "early-routing",
      "Early routing learning",
      "How far the experts of each token id are from those of the last checkpoint",
      AnalysisScope::Series,
      trace::CaptureLevel::Ids,
      {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"},
       {"k", "all", "all: every expert of a token, 1: its first choice only"},
       {"draws", "200", "bootstrap draws of the intervals, 0 to 10000"},
       {"seed", "1", "of draws and of the shuffled control"}}};
  return info;
}

namespace {

Result<std::vector<double>> replicates(const KeyedChoices& rows, const KeyedChoices& last,
                                       const TextDraws& draws, const std::stop_token& stop) {
  std::vector<double> out;
  for (int draw = 0; draws.texts() > 1 && draw < draws.draws(); ++draw) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    out.push_back(routingDivergence(keyCounts(rows, draws.draw(draw)), keyCounts(last, draws.draw(draw))));
  }
  return out;
}

}  // namespace

Result<AnalysisResult> EarlyRoutingAnalysis::run(const AnalysisInput& input) const {
  const auto choices = choicesParameter(input.parameters, "k");
  if (!choices) return fail(choices.error());
  const auto drawCount = wholeParameter(input.parameters, "draws", 0, 10000);
  if (!drawCount) return fail(drawCount.error());
  const auto seed = wholeParameter(input.parameters, "seed", 0, std::numeric_limits<std::int64_t>::max());
  if (!seed) return fail(seed.error());
  const auto runs = comparableRuns(input.store, input.runs, input.stop);
  if (!runs) return fail(runs.error());
  const AnalysedRun& last = runs->back();
  const auto routers = layersParameter(input.parameters, "layer", last.routers);
  if (!routers) return fail(routers.error());
  const auto units = unitsOfTokens(input.store, last, input.stop);
  if (!units) return fail(units.error());
  const TextDraws draws(units->units, static_cast<int>(*drawCount), static_cast<std::uint64_t>(*seed));
  const auto keys =
      runKeys(input.store, last, TokenKey::Input, static_cast<std::uint64_t>(*seed), input.stop);
  if (!keys) return fail(keys.error());

  AnalysisResult out;
  out.analysis = "early-routing";
  out.parameters = input.parameters;
  out.sample = fmt::format("{} checkpoints, each {}", runs->size(), sampleText(last.record));
  out.baseline = "0: as at the last checkpoint; ids of the checkpoint shuffled over all tokens";
  out.interval = intervalText(*units, static_cast<int>(*drawCount));
  ResultTable table{"divergence", "Divergence from the last checkpoint by token id", seriesColumns(), {}};
  for (const char* name : {"divergence", "divergence_low", "divergence_high", "divergence_shuffled"})
    table.columns.push_back({name, "nat"});
  std::int64_t done = 0;
  for (const int router : *routers) {
    const auto lastLayer = keyLayer(input.store, last, router, *keys, *units, *choices, input.stop);
    if (!lastLayer) return fail(lastLayer.error());
    for (const AnalysedRun& run : *runs) {
      const auto layer = keyLayer(input.store, run, router, *keys, *units, *choices, input.stop);
      if (!layer) return fail(layer.error());
      const auto drawn = replicates(layer->rows, lastLayer->rows, draws, input.stop);
      if (!drawn) return fail(drawn.error());
      const double estimate = routingDivergence(layer->counts, lastLayer->counts);
      std::vector<ResultCell> row =
          seriesCells(run.record, last.routers[static_cast<std::size_t>(router)].layer.value);
      row.push_back(cell(estimate));
      addInterval(row, bootstrapInterval(estimate, *drawn).percentile);
      row.push_back(cell(routingDivergence(layer->shuffled, lastLayer->counts)));
      table.rows.push_back(std::move(row));
      if (input.progress) {
        input.progress({"Comparing checkpoints by token", ++done,
                        static_cast<std::int64_t>(routers->size() * runs->size()), "layers"});
      }
    }
  }
  out.tables.push_back(std::move(table));
  out.notes.emplace_back("weighted by the occurrences of the ids; ids are the input tokens");
  return out;
}

}  // namespace moescope::specialization
