#include "plugins/specialization/label_information_analysis.h"

#include <fmt/format.h>

#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/routed_tokens.h"
#include "core/analysis/series_columns.h"
#include "plugins/specialization/layer_specialization.h"

namespace moescope::specialization {

using namespace analysis;

const AnalysisInfo& LabelInformationAnalysis::info() const {
  static const AnalysisInfo info = [] {
    AnalysisInfo out{
        "label-information",
        "Expert and label over training",
        "Mutual information of the chosen expert and the label at each checkpoint of a series",
        AnalysisScope::Series,
        trace::CaptureLevel::Ids,
        {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"}}};
    for (ParameterInfo& parameter : labelParameters()) out.parameters.push_back(std::move(parameter));
    return out;
  }();
  return info;
}

namespace {

struct RunLayers {
  AnalysedRun run;
  LabelUnits units;
  std::vector<LayerSpecialization> layers;
};

AnalysisResult resultOf(const std::vector<RunLayers>& runs, const LabelSettings& settings,
                        const AnalysisInput& input) {
  AnalysisResult out;
  out.analysis = "label-information";
  out.parameters = input.parameters;
  out.sample = fmt::format("{} checkpoints, each {}", runs.size(), sampleText(runs.front().run.record));
  out.baseline = shuffleText(runs.front().units, settings);
  out.interval = intervalText(runs.front().units, settings);
  ResultTable table{"information", "Mutual information of expert and label", seriesColumns(), {}};
  for (const ResultColumn& column : informationColumns()) table.columns.push_back(column);
  for (const RunLayers& run : runs) {
    for (const LayerSpecialization& layer : run.layers) {
      std::vector<ResultCell> row = seriesCells(run.run.record, layer.layer);
      addInformation(layer, row);
      table.rows.push_back(std::move(row));
    }
  }
  out.tables.push_back(std::move(table));
  addNotes(runs.back().units, runs.back().layers, out.notes);
  return out;
}

}  // namespace

Result<AnalysisResult> LabelInformationAnalysis::run(const AnalysisInput& input) const {
  const auto settings = labelSettings(input.parameters);
  if (!settings) return fail(settings.error());
  const bool byToken = settings->choices == 1 || !settings->source.perText();
  constexpr trace::CaptureLevel kNeeds = trace::CaptureLevel::Ids;
  if (input.runs.empty()) return fail(analysedRun(input.store, input.runs, kNeeds).error());
  AnalysisInput quiet = input;  // progress counts checkpoints, not the layers of each
  quiet.progress = nullptr;
  std::vector<RunLayers> runs;
  for (const trace::RunId id : input.runs) {
    auto run = analysedRun(input.store, id, kNeeds);
    if (!run) return fail(run.error());
    const auto routers = layersParameter(input.parameters, "layer", run->routers);
    if (!routers) return fail(routers.error());
    auto units = labelUnits(input.store, *run, settings->source, byToken, input.stop);
    if (!units) return fail(units.error());
    auto layers = layerSpecializations(quiet, *run, *routers, *units, *settings);
    if (!layers) return fail(layers.error());
    runs.push_back({std::move(*run), std::move(*units), std::move(*layers)});
  }
  if (input.partial) input.partial(resultOf(runs, *settings, input));
  std::int64_t done = 0;
  for (RunLayers& each : runs) {
    if (const auto added = addIntervals(quiet, each.run, each.units, *settings, each.layers); !added)
      return fail(added.error());
    if (input.progress)
      input.progress({"Resampling texts", ++done, static_cast<std::int64_t>(runs.size()), "checkpoints"});
  }
  return resultOf(runs, *settings, input);
}

}  // namespace moescope::specialization
