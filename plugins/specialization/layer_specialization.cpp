#include "plugins/specialization/layer_specialization.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/base/router_label.h"

namespace moescope::specialization {

using namespace analysis;

namespace {

constexpr double kFewTokens = 1000;  // ui.md: rows of labels with fewer are hatched

bool hasIntervals(const LabelUnits& units, const LabelSettings& settings) {
  return settings.draws > 0 && std::ranges::all_of(units.strata, [](int count) { return count >= 2; });
}

double meanOf(const std::vector<double>& values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::int64_t deadExperts(const LabelTotals& totals) {
  const auto experts = static_cast<std::size_t>(totals.experts);
  std::int64_t dead = 0;
  for (std::size_t e = 0; e < experts; ++e) {
    double chosen = 0.0;
    for (std::size_t cell = e; cell < totals.counts.size(); cell += experts) chosen += totals.counts[cell];
    dead += chosen == 0.0 ? 1 : 0;
  }
  return dead;
}

}  // namespace

std::vector<ParameterInfo> labelParameters() {
  return {
      {"labels", "corpus",
       "corpus, corpus:KEY, regex:NAME=EXPRESSION;..., tokens:NAME=FIRST-LAST,...;... or positions:WIDTH"},
      {"k", "all", "all: every expert of a token, 1: its first choice only"},
      {"draws", "1000", "bootstrap draws of the intervals, 0 to 10000"},
      {"shuffles", "20", "how often labels are shuffled for the chance level, 0 to 1000"},
      {"seed", "1", "of draws and shuffles"}};
}

Result<LabelSettings> labelSettings(const AnalysisParameters& parameters) {
  const auto labels = parameters.find("labels");
  auto source = labelSourceFrom(labels == parameters.end() ? std::string_view() : labels->second);
  if (!source) return fail(source.error());
  const auto choices = choicesParameter(parameters, "k");
  if (!choices) return fail(choices.error());
  const auto draws = wholeParameter(parameters, "draws", 0, 10000);
  if (!draws) return fail(draws.error());
  const auto shuffles = wholeParameter(parameters, "shuffles", 0, 1000);
  if (!shuffles) return fail(shuffles.error());
  const auto seed = wholeParameter(parameters, "seed", 0, std::numeric_limits<std::int64_t>::max());
  if (!seed) return fail(seed.error());
  return LabelSettings{std::move(*source), *choices, static_cast<int>(*draws), static_cast<int>(*shuffles),
                       static_cast<std::uint64_t>(*seed)};
}

Result<std::vector<LayerSpecialization>> layerSpecializations(const AnalysisInput& input,
                                                              const AnalysedRun& run,
                                                              const std::vector<int>& routers,
                                                              const LabelUnits& units,
                                                              const LabelSettings& settings) {
  std::vector<LayerSpecialization> out(routers.size());
  const auto counted =
      forEachLayer(input, "Counting choices", out.size(), [&](std::size_t index) -> Result<void> {
        LayerSpecialization& layer = out[index];
        layer.router = routers[index];
        auto counts = labelCounts(input.store, run, layer.router, units, settings.choices, input.stop);
        if (!counts) return fail(counts.error());
        const RouterSpec& router = run.routers[static_cast<std::size_t>(layer.router)];
        layer.layer = router.layer.value;
        layer.label = routerLabel(router);
        layer.counts = std::move(*counts);
        layer.totals = labelTotals(layer.counts);
        layer.information = labelInformation(layer.totals);
        return {};
      });
  if (!counted) return fail(counted.error());
  return out;
}

Result<void> addIntervals(const AnalysisInput& input, const AnalysedRun& run, const LabelUnits& units,
                          const LabelSettings& settings, std::vector<LayerSpecialization>& layers) {
  const StratifiedDraws draws(units.strata, settings.draws, settings.seed);
  return forEachLayer(input, "Resampling texts", layers.size(), [&](std::size_t index) -> Result<void> {
    LayerSpecialization& layer = layers[index];
    auto intervals = specializationIntervals(layer.counts, draws, input.stop);
    if (!intervals) return fail(intervals.error());
    layer.intervals = std::move(*intervals);
    if (units.perText) {
      layer.shuffled = shuffledInformation(layer.counts, settings.shuffles, settings.seed);
      return {};
    }
    auto shuffled = shuffledTokenInformation(input.store, run, layer.router, units, settings.choices,
                                             settings.shuffles, settings.seed, input.stop);
    if (!shuffled) return fail(shuffled.error());
    layer.shuffled = std::move(*shuffled);
    return {};
  });
}

std::vector<ResultColumn> informationColumns() {
  return {{"mi_bits", "bits"},       {"mi_low", "bits"},
          {"mi_high", "bits"},       {"mi_basic_low", "bits"},
          {"mi_basic_high", "bits"}, {"miller_madow_bits", "bits"},
          {"shuffled_bits", "bits"}, {"shuffled_max_bits", "bits"},
          {"most_bits", "bits"}};
}

void addInformation(const LayerSpecialization& layer, std::vector<ResultCell>& row) {
  constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
  const bool isDone = !layer.intervals.rates.empty();
  const Interval none{kUndefined, kUndefined};
  row.push_back(cell(layer.information.plugIn));
  addInterval(row, isDone ? layer.intervals.information.percentile : none);
  addInterval(row, isDone ? layer.intervals.information.basic : none);
  row.push_back(cell(layer.information.millerMadow));
  row.push_back(cell(meanOf(layer.shuffled)));
  row.push_back(cell(layer.shuffled.empty() ? kUndefined : std::ranges::max(layer.shuffled)));
  row.push_back(cell(layer.information.most));
}

std::string intervalText(const LabelUnits& units, const LabelSettings& settings) {
  if (settings.draws == 0) return "none: no draws were asked for";
  if (!hasIntervals(units, settings)) return "none: a label has only one text or window to resample";
  if (!units.perText)
    return fmt::format("95 %, bootstrap of {} over {}", settings.draws, units.resampled.front());
  return fmt::format("95 %, bootstrap of {} over the texts of each label ({})", settings.draws,
                     fmt::join(units.resampled, ", "));
}

std::string shuffleText(const LabelUnits& units, const LabelSettings& settings) {
  return fmt::format("chance level k/M; mutual information with labels shuffled over {}, {} times",
                     units.perText ? "windows" : "blocks of 256 tokens", settings.shuffles);
}

void addNotes(const LabelUnits& units, const std::vector<LayerSpecialization>& layers,
              std::vector<std::string>& notes) {
  notes.insert(notes.end(), units.notes.begin(), units.notes.end());
  if (layers.empty()) return;
  const LabelTotals& totals = layers.front().totals;
  for (std::size_t l = 0; l < units.labels.size(); ++l) {
    if (totals.tokens[l] < kFewTokens)
      notes.push_back(
          fmt::format("“{}” has only {} tokens: its rates say little", units.labels[l], totals.tokens[l]));
  }
  for (const LayerSpecialization& layer : layers) {
    if (const std::int64_t dead = deadExperts(layer.totals); dead > 0)
      notes.push_back(fmt::format("layer {}: {} experts were never chosen", layer.label, dead));
    if (layer.counts.missingEntries > 0) {
      notes.push_back(fmt::format("layer {}: the sums of {} texts are missing in the trace", layer.label,
                                  layer.counts.missingEntries));
    }
  }
  notes.emplace_back(
      "replicates of mutual information lie above the estimate, as resampling repeats texts; the basic "
      "interval "
      "corrects for it");
}

}  // namespace moescope::specialization
