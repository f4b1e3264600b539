#include "plugins/stability/stability_analysis.h"

#include <array>
#include <limits>

#include <fmt/format.h>

#include "core/analysis/divergence.h"
#include "core/analysis/key_counts.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/routed_tokens.h"
#include "core/analysis/routing_stability.h"
#include "core/analysis/series_columns.h"

namespace moescope::stability {

using namespace analysis;

namespace {

constexpr std::array kAgreementNames{"overlap",   "churn",     "jaccard", "exact_set",
                                     "top1_same", "top1_flip", "kappa",   "top1_kappa"};
constexpr std::array kAfter{0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};

std::vector<double> valuesOf(const AgreementSums& sums, const RouterStability& layer) {
  const RoutingAgreement a = agreementOf(sums, layer.topK, layer.experts);
  return {a.overlap, a.churn, a.jaccard, a.exactSet, a.topSame, a.topFlip, a.kappa, a.topKappa};
}

/// Percentile intervals of the values of `statistics(multiplicity)`.
template <class Statistics>
std::vector<Interval> intervalsOf(const TextDraws& draws, std::size_t values, const Statistics& statistics) {
  std::vector<std::vector<double>> replicates(values);
  for (int draw = 0; draws.texts() > 1 && draw < draws.draws(); ++draw) {
    const std::vector<double> drawn = statistics(draws.draw(draw));
    for (std::size_t v = 0; v < values; ++v) replicates[v].push_back(drawn[v]);
  }
  std::vector<Interval> out;
  out.reserve(replicates.size());
  for (const auto& each : replicates)
    out.push_back(bootstrapInterval(std::numeric_limits<double>::quiet_NaN(), each).percentile);
  return out;
}

void addValues(const std::vector<double>& values, const std::vector<Interval>& intervals,
               std::vector<ResultCell>& row) {
  for (std::size_t v = 0; v < values.size(); ++v) {
    row.push_back(cell(values[v]));
    addInterval(row, intervals[v]);
  }
}

void addColumns(ResultTable& table, std::string_view name, std::string_view unit) {
  for (const char* suffix : {"", "_low", "_high"})
    table.columns.push_back({fmt::format("{}{}", name, suffix), std::string(unit)});
}

struct Tables {
  ResultTable agreement{"agreement", "Agreement of choices", seriesColumns(), {}};
  ResultTable fluctuation{"fluctuation", "Tokens whose first choice still changes", {}, {}};
  ResultTable drift{"drift", "Drift of the load", seriesColumns(), {}};

  Tables() {
    agreement.columns.push_back({"against", ""});
    for (const char* name : kAgreementNames) addColumns(agreement, name, "");
    for (const char* name : {"overlap_chance", "top1_chance"}) agreement.columns.push_back({name, ""});
    fluctuation.columns = {{"layer", ""}, {"after", ""}};
    addColumns(fluctuation, "share", "");
    drift.columns.push_back({"against", ""});
    addColumns(drift, "jsd", "nat");
    addColumns(drift, "l1", "");
    addColumns(drift, "kl", "nat");
  }
};

/// The load of `run` against that of `other`: JSD, L1 and KL(other || run).
std::vector<double> driftOf(const RouterStability& layer, std::size_t run, std::size_t other,
                            std::span<const std::uint16_t> multiplicity) {
  const std::vector<double> load = weightedLoad(layer, run, multiplicity);
  const std::vector<double> base = weightedLoad(layer, other, multiplicity);
  return {jensenShannon(base, load), l1Distance(base, load), flooredKl(base, load)};
}

void addRun(const std::vector<AnalysedRun>& runs, std::size_t run, int layerNumber,
            const RouterStability& layer, const TextDraws& draws, Tables& tables) {
  const bool hasPrevious = run > 0;
  for (const char* against : {"last", "previous"}) {
    const bool isLast = std::string_view(against) == "last";
    if (!isLast && !hasPrevious) continue;
    const auto& units = isLast ? layer.toLast[run] : layer.toPrevious[run];
    std::vector<ResultCell> row = seriesCells(runs[run].record, layerNumber);
    row.emplace_back(std::string(against));
    addValues(valuesOf(weightedSums(units, {}), layer),
              intervalsOf(draws, kAgreementNames.size(),
                          [&](auto draw) { return valuesOf(weightedSums(units, draw), layer); }),
              row);
    row.push_back(cell(static_cast<double>(layer.topK) / layer.experts));
    row.push_back(cell(1.0 / layer.experts));
    tables.agreement.rows.push_back(std::move(row));

    const std::size_t other = isLast ? runs.size() - 1 : run - 1;
    std::vector<ResultCell> drift = seriesCells(runs[run].record, layerNumber);
    drift.emplace_back(std::string(against));
    addValues(driftOf(layer, run, other, {}),
              intervalsOf(draws, 3, [&](auto draw) { return driftOf(layer, run, other, draw); }), drift);
    tables.drift.rows.push_back(std::move(drift));
  }
}

void addFluctuation(int layerNumber, const RouterStability& layer, const std::vector<double>& progress,
                    const TextDraws& draws, ResultTable& table) {
  const std::vector<double> late = lateChanges(layer, progress, kAfter, {});
  const auto intervals =
      intervalsOf(draws, late.size(), [&](auto draw) { return lateChanges(layer, progress, kAfter, draw); });
  for (std::size_t place = 0; place < late.size(); ++place) {
    std::vector<ResultCell> row{cell(layerNumber), cell(kAfter[place]), cell(late[place])};
    addInterval(row, intervals[place]);
    table.rows.push_back(std::move(row));
  }
}

}  // namespace

const AnalysisInfo& StabilityAnalysis::info() const {
  static const AnalysisInfo info{
      "stability",
      "Routing stability",
      "Saturation, churn, flips and load drift over the checkpoints of a series",
      AnalysisScope::Series,
      trace::CaptureLevel::Ids,
      {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"},
       {"draws", "1000", "bootstrap draws of the intervals, 0 to 10000"},
       {"seed", "1", "of the draws"}}};
  return info;
}

Result<AnalysisResult> StabilityAnalysis::run(const AnalysisInput& input) const {
  const auto drawCount = wholeParameter(input.parameters, "draws", 0, 10000);
  if (!drawCount) return fail(drawCount.error());
  const auto seed = wholeParameter(input.parameters, "seed", 0, std::numeric_limits<std::int64_t>::max());
  if (!seed) return fail(seed.error());
  const auto runs = comparableRuns(input.store, input.runs, input.stop);
  if (!runs) return fail(runs.error());
  const auto routers = layersParameter(input.parameters, "layer", runs->front().routers);
  if (!routers) return fail(routers.error());
  const auto units = unitsOfTokens(input.store, runs->front(), input.stop);
  if (!units) return fail(units.error());
  const TextDraws draws(units->units, static_cast<int>(*drawCount), static_cast<std::uint64_t>(*seed));
  std::vector<trace::RunRecord> records;
  for (const AnalysedRun& run : *runs) records.push_back(run.record);
  const TrainingProgress progress = trainingProgress(records);

  Tables tables;
  std::int64_t done = 0;
  for (const int router : *routers) {
    const auto layer =
        routerStability(input.store, *runs, router, units->unitOfToken, units->units, input.stop);
    if (!layer) return fail(layer.error());
    const int number = runs->front().routers[static_cast<std::size_t>(router)].layer.value;
    for (std::size_t run = 0; run < runs->size(); ++run) {
      if (input.stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
      addRun(*runs, run, number, *layer, draws, tables);
    }
    addFluctuation(number, *layer, progress.places, draws, tables.fluctuation);
    if (input.progress)
      input.progress({"Comparing checkpoints", ++done, static_cast<std::int64_t>(routers->size()), "layers"});
  }
  AnalysisResult out;
  out.analysis = "stability";
  out.parameters = input.parameters;
  out.sample = fmt::format("{} checkpoints, each {}", runs->size(), sampleText(runs->front().record));
  out.baseline = "random choices: overlap k/M, same first choice 1/M (kappa: 0)";
  out.interval = *drawCount == 0 ? "none: no draws were asked for"
                 : units->units < 2
                     ? "none: there is only one text or window to resample"
                     : fmt::format("95 %, bootstrap of {} over {}", *drawCount, units->description);
  out.tables = {std::move(tables.agreement), std::move(tables.fluctuation), std::move(tables.drift)};
  out.notes.emplace_back(
      "overlap against the last checkpoint is router saturation, top1_same its k = 1 form");
  out.notes.emplace_back(
      progress.bySteps ? "fluctuation: `after` is a part of the last step; a change counts at the first "
                         "checkpoint that shows it"
                       : "fluctuation: steps are not known or do not rise, so `after` is a part of the "
                         "checkpoints' order");
  return out;
}

}  // namespace moescope::stability
