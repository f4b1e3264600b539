#include "plugins/specialization/specialization_analysis.h"

#include <fmt/format.h>

#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/routed_tokens.h"
#include "core/base/router_label.h"
#include "plugins/specialization/layer_specialization.h"

namespace moescope::specialization {

using namespace analysis;

namespace {

ResultMatrix labelMatrix(const RouterSpec& router, const LabelUnits& units, std::string_view id,
                         std::string title, std::string value) {
  ResultMatrix out;
  out.id = matrixId(id, router);
  out.title = fmt::format("{}, layer {}", title, routerLabel(router));
  out.rowLabel = "Label";
  out.columnLabel = "Expert";
  out.valueLabel = std::move(value);
  out.rowNames = units.labels;
  out.columnNames = expertNames(router.experts);
  return out;
}

void addMatrices(const LayerSpecialization& layer, const LabelUnits& units, const RouterSpec& router,
                 const LabelSettings& settings, AnalysisResult& out) {
  ResultMatrix rates = labelMatrix(router, units, "rates", "Choices of each expert per token of a label",
                                   "choices per token of the label");
  rates.values = labelRates(layer.totals);
  const int choices = settings.choices == 0 ? router.topK : settings.choices;
  rates.baseline = static_cast<double>(choices) / router.experts;
  for (const Interval& interval : layer.intervals.rates) {
    rates.low.push_back(interval.low);
    rates.high.push_back(interval.high);
  }
  out.matrices.push_back(std::move(rates));
  ResultMatrix shares = labelMatrix(router, units, "shares", "Where the choices of each expert come from",
                                    "share of the expert's choices");
  shares.values = labelShares(layer.totals);
  out.matrices.push_back(std::move(shares));
  ResultMatrix divergences =
      labelMatrix(router, units, "divergence", "Divergence of the labels' load", "Jensen-Shannon divergence");
  divergences.columnLabel = "Label";
  divergences.columnNames = units.labels;
  divergences.unit = "nat";
  divergences.values = labelDivergences(layer.totals);
  divergences.baseline = 0.0;
  out.matrices.push_back(std::move(divergences));
}

ResultTable labelTable(const std::vector<LayerSpecialization>& layers, const LabelUnits& units) {
  ResultTable out{
      "labels", "Labels", {{"label", ""}, {"tokens", "tokens"}, {"token_share", ""}, {"resampled", ""}}, {}};
  const auto& tokens = layers.front().totals.tokens;
  double sum = 0.0;
  for (const double count : tokens) sum += count;
  for (std::size_t l = 0; l < units.labels.size(); ++l) {
    out.rows.push_back({units.labels[l], static_cast<std::int64_t>(tokens[l]), cell(tokens[l] / sum),
                        units.perText ? units.resampled[l] : units.resampled.front()});
  }
  return out;
}

AnalysisResult resultOf(const AnalysedRun& run, const std::vector<LayerSpecialization>& layers,
                        const LabelUnits& units, const LabelSettings& settings, const AnalysisInput& input) {
  AnalysisResult out;
  out.analysis = "specialization";
  out.parameters = input.parameters;
  out.sample = sampleText(run.record);
  out.baseline = shuffleText(units, settings);
  out.interval = intervalText(units, settings);
  ResultTable information{
      "information", "Mutual information of expert and label", {{"layer", ""}, {"kind", ""}}, {}};
  for (const ResultColumn& column : informationColumns()) information.columns.push_back(column);
  for (const LayerSpecialization& layer : layers) {
    const RouterSpec& router = run.routers[static_cast<std::size_t>(layer.router)];
    std::vector<ResultCell> row{cell(router.layer.value), router.kind};
    addInformation(layer, row);
    information.rows.push_back(std::move(row));
    addMatrices(layer, units, router, settings, out);
  }
  out.tables = {std::move(information), labelTable(layers, units)};
  addNotes(units, layers, out.notes);
  return out;
}

}  // namespace

const AnalysisInfo& SpecializationAnalysis::info() const {
  static const AnalysisInfo info = [] {
    AnalysisInfo out{
        "specialization",
        "Specialization",
        "How often each expert serves the tokens of each label, and what the expert tells about the label",
        AnalysisScope::Run,
        trace::CaptureLevel::Ids,
        {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"}}};
    for (ParameterInfo& parameter : labelParameters()) out.parameters.push_back(std::move(parameter));
    return out;
  }();
  return info;
}

Result<AnalysisResult> SpecializationAnalysis::run(const AnalysisInput& input) const {
  const auto settings = labelSettings(input.parameters);
  if (!settings) return fail(settings.error());
  const bool byToken = settings->choices == 1 || !settings->source.perText();
  const auto run = analysedRun(input.store, input.runs, trace::CaptureLevel::Ids);
  if (!run) return fail(run.error());
  const auto routers = layersParameter(input.parameters, "layer", run->routers);
  if (!routers) return fail(routers.error());
  const auto units = labelUnits(input.store, *run, settings->source, byToken, input.stop);
  if (!units) return fail(units.error());

  auto layers = layerSpecializations(input, *run, *routers, *units, *settings);
  if (!layers) return fail(layers.error());
  if (input.partial) input.partial(resultOf(*run, *layers, *units, *settings, input));
  if (const auto added = addIntervals(input, *run, *units, *settings, *layers); !added)
    return fail(added.error());
  return resultOf(*run, *layers, *units, *settings, input);
}

}  // namespace moescope::specialization
