#include "plugins/co_activation/co_activation_analysis.h"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "core/analysis/co_activation.h"
#include "core/analysis/expert_order.h"
#include "core/analysis/key_counts.h"
#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/routed_tokens.h"
#include "core/base/router_label.h"

namespace moescope::co_activation {

using namespace analysis;

namespace {

struct Layer {
  int router = 0;
  CoActivationCounts counts;
  std::vector<ExpertPair> pairs;
};

struct Settings {
  PairKind kind = PairKind::AllPairs;
  int pairs = 0, draws = 0;
  std::uint64_t seed = 0;
};

Result<Settings> settingsOf(const AnalysisParameters& parameters) {
  constexpr std::array<std::string_view, 2> kKinds{"all-pairs", "adjacent-rank"};
  const auto kind = wordParameter(parameters, "kind", kKinds);
  if (!kind) return fail(kind.error());
  const auto pairs = wholeParameter(parameters, "pairs", 0, 10000);
  if (!pairs) return fail(pairs.error());
  const auto draws = wholeParameter(parameters, "draws", 0, 10000);
  if (!draws) return fail(draws.error());
  const auto seed = wholeParameter(parameters, "seed", 0, std::numeric_limits<std::int64_t>::max());
  if (!seed) return fail(seed.error());
  return Settings{*kind == "all-pairs" ? PairKind::AllPairs : PairKind::AdjacentRank,
                  static_cast<int>(*pairs), static_cast<int>(*draws), static_cast<std::uint64_t>(*seed)};
}

ResultMatrix matrixOf(const Layer& layer, const RouterSpec& router, PairKind kind) {
  ResultMatrix out;
  out.id = matrixId("co_activation", router);
  out.title = "Co-activation, layer " + routerLabel(router);
  out.rowLabel = "Expert i";
  out.columnLabel = "Expert j";
  out.valueLabel = "share of the tokens of i that j serves too";
  for (int e = 0; e < router.experts; ++e) out.rowNames.push_back(std::to_string(e));
  out.columnNames = out.rowNames;
  out.values = coActivation(layer.counts, kind);
  out.baseline = coActivationChance(kind, router.experts, router.topK);
  return out;
}

void addLayer(const Layer& layer, const RouterSpec& router, PairKind kind, AnalysisResult& out,
              ResultTable& order, ResultTable& pairs) {
  const std::int64_t number = router.layer.value;
  ResultMatrix matrix = matrixOf(layer, router, kind);
  std::int64_t place = 0;
  for (const int expert : clusteringOrder(matrix.values, router.experts))
    order.rows.push_back(
        {number, router.kind, place++, cell(expert), layer.counts.chosen[static_cast<std::size_t>(expert)]});
  std::int64_t rank = 0;
  for (const ExpertPair& pair : layer.pairs) {
    const auto to = static_cast<std::size_t>(pair.to);
    std::vector<ResultCell> row{number,          router.kind,   ++rank,
                                cell(pair.from), cell(pair.to), cell(pair.value)};
    addInterval(row, pair.interval);
    row.push_back(cell(static_cast<double>(pair.both) / static_cast<double>(layer.counts.chosen[to])));
    row.insert(row.end(), {pair.both, pair.chosen, layer.counts.chosen[to], cell(*matrix.baseline)});
    pairs.rows.push_back(std::move(row));
  }
  const auto dead = std::ranges::count(layer.counts.chosen, 0);
  if (dead > 0)
    out.notes.push_back(fmt::format("layer {}: {} experts were never chosen; their rows are undefined",
                                    routerLabel(router), dead));
  out.matrices.push_back(std::move(matrix));
}

AnalysisResult resultOf(const AnalysedRun& run, const std::vector<Layer>& layers, const TokenUnits& units,
                        const Settings& settings, const AnalysisInput& input) {
  AnalysisResult out;
  out.analysis = "co-activation";
  out.parameters = input.parameters;
  out.sample = sampleText(run.record);
  out.baseline = settings.kind == PairKind::AllPairs ? "even random choices: (k - 1) / (M - 1)"
                                                     : "even random choices: 2 (k - 1) / k / (M - 1)";
  out.interval = settings.draws == 0 ? "none: no draws were asked for"
                 : units.units < 2   ? "none: there is only one text or window to resample"
                                     : fmt::format("95 %, bootstrap of {} over {}, of the strongest pairs",
                                                   settings.draws, units.description);
  ResultTable order{"order",
                    "Experts in clustering order",
                    {{"layer", ""}, {"kind", ""}, {"place", ""}, {"expert", ""}, {"chosen", "tokens"}},
                    {}};
  ResultTable pairs{"pairs",
                    "Strongest pairs",
                    {{"layer", ""},
                     {"kind", ""},
                     {"rank", ""},
                     {"from", ""},
                     {"to", ""},
                     {"value", ""},
                     {"value_low", ""},
                     {"value_high", ""},
                     {"value_back", ""},
                     {"both", "tokens"},
                     {"chosen_from", "tokens"},
                     {"chosen_to", "tokens"},
                     {"chance", ""}},
                    {}};
  for (const Layer& layer : layers)
    addLayer(layer, run.routers[static_cast<std::size_t>(layer.router)], settings.kind, out, order, pairs);
  out.tables = {std::move(pairs), std::move(order)};
  out.notes.emplace_back(
      "the strongest of many pairs are strong partly by chance: their intervals do not correct for that");
  return out;
}

}  // namespace

const AnalysisInfo& CoActivationAnalysis::info() const {
  static const AnalysisInfo info{
      "co-activation",
      "Co-activation",
      "Which experts of a layer serve the same tokens, with clustering order and strongest pairs",
      AnalysisScope::Run,
      trace::CaptureLevel::Ids,
      {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"},
       {"kind", "all-pairs", "all-pairs (the definition), or adjacent-rank (as in OLMoE's published figure)"},
       {"pairs", "20", "strongest pairs of each layer, 0 to 10000"},
       {"draws", "1000", "bootstrap draws of the pairs' intervals, 0 to 10000"},
       {"seed", "1", "of the draws"}}};
  return info;
}

Result<AnalysisResult> CoActivationAnalysis::run(const AnalysisInput& input) const {
  const auto settings = settingsOf(input.parameters);
  if (!settings) return fail(settings.error());
  const auto run = analysedRun(input.store, input.runs, trace::CaptureLevel::Ids);
  if (!run) return fail(run.error());
  const auto routers = layersParameter(input.parameters, "layer", run->routers);
  if (!routers) return fail(routers.error());
  std::vector<Layer> layers(routers->size());
  const auto counted =
      forEachLayer(input, "Counting pairs", layers.size(), [&](std::size_t index) -> Result<void> {
        Layer& layer = layers[index];
        layer.router = (*routers)[index];
        auto counts = coActivationCounts(input.store, *run, layer.router, input.stop);
        if (!counts) return fail(counts.error());
        layer.counts = std::move(*counts);
        layer.pairs = strongestPairs(layer.counts, settings->kind, settings->pairs);
        return {};
      });
  if (!counted) return fail(counted.error());
  const auto units = unitsOfTokens(input.store, *run, input.stop);
  if (!units) return fail(units.error());
  if (settings->draws == 0 || settings->pairs == 0 || units->units < 2)
    return resultOf(*run, layers, *units, *settings, input);
  if (input.partial) input.partial(resultOf(*run, layers, *units, *settings, input));
  const TextDraws draws(units->units, settings->draws, settings->seed);
  const auto resampled =
      forEachLayer(input, "Resampling pairs", layers.size(), [&](std::size_t index) -> Result<void> {
        Layer& layer = layers[index];
        return pairIntervals(input.store, *run, layer.router, settings->kind, units->unitOfToken, draws,
                             layer.pairs, input.stop);
      });
  if (!resampled) return fail(resampled.error());
  return resultOf(*run, layers, *units, *settings, input);
}

}  // namespace moescope::co_activation
