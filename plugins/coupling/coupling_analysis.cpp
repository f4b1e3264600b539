#include "plugins/coupling/coupling_analysis.h"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/router_coupling.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/float_values.h"

namespace moescope::coupling {

using namespace analysis;

namespace {

struct Settings {
  std::vector<int> routers;
  double alpha = 1.0;
  CouplingOptions options;
};

Result<Settings> settingsOf(const AnalysisParameters& parameters, const std::vector<RouterSpec>& routers) {
  const auto layers = layersParameter(parameters, "layer", routers);
  if (!layers) return fail(layers.error());
  const auto alpha = realParameter(parameters, "alpha", 0.0, 1.0);
  if (!alpha) return fail(alpha.error());
  const auto noise = wholeParameter(parameters, "noise", 0, 1000);
  if (!noise) return fail(noise.error());
  const auto seed = wholeParameter(parameters, "seed", 0, std::numeric_limits<std::int64_t>::max());
  if (!seed) return fail(seed.error());
  return Settings{*layers, *alpha, {static_cast<int>(*noise), static_cast<std::uint64_t>(*seed)}};
}

struct Layer {
  RouterMatrix router;
  CouplingMatrix matrix;
  std::vector<double> epsilon;
};

double meanOf(const std::vector<double>& values) {
  double sum = 0.0, count = 0.0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value;
    count += 1.0;
  }
  return count > 0.0 ? sum / count : std::nan("");
}

RouterMatrix routerMatrix(const checkpoint::TensorView& tensor) {
  RouterMatrix out{static_cast<int>(tensor.shape[0]), static_cast<int>(tensor.shape[1]), {}};
  out.values.resize(static_cast<std::size_t>(out.experts) * static_cast<std::size_t>(out.hidden));
  for (int expert = 0; expert < out.experts; ++expert) {
    checkpoint::readRow(tensor, expert,
                        std::span(out.values)
                            .subspan(static_cast<std::size_t>(expert) * static_cast<std::size_t>(out.hidden),
                                     static_cast<std::size_t>(out.hidden)));
  }
  return out;
}

Result<Layer> layerOf(const checkpoint::Checkpoint& checkpoint, int layer, const Settings& settings,
                      const std::function<void(std::size_t)>& report, const std::stop_token& stop) {
  const checkpoint::MoeWeights& weights = checkpoint.weights().layers[static_cast<std::size_t>(layer)].moe;
  Layer out;
  out.router = routerMatrix(weights.router);
  out.epsilon = routerEpsilon(out.router);
  const GateRow gate = [&](int expert, int row, std::span<float> line) {
    checkpoint::readRow(weights.experts[static_cast<std::size_t>(expert)].gate, row, line);
  };
  const int intermediate = static_cast<int>(weights.experts.front().gate.shape[0]);
  auto matrix = couplingMatrix(out.router, intermediate, gate, settings.options, report, stop);
  if (!matrix) return fail(matrix.error());
  out.matrix = std::move(*matrix);
  return out;
}

void addMatrix(const Layer& layer, int index, bool normalized, AnalysisResult& out) {
  ResultMatrix matrix;
  matrix.id = fmt::format("{}_layer{}", normalized ? "normalized" : "coupling", index);
  matrix.title = fmt::format("{}, layer {}", normalized ? "Coupling without scales" : "Coupling", index);
  matrix.rowLabel = "Router row";
  matrix.columnLabel = "Expert";
  matrix.valueLabel = normalized ? "|W r| / (|W| |r|)" : "|W r|";
  matrix.rowNames = matrix.columnNames = expertNames(layer.matrix.experts);
  matrix.values = normalized ? layer.matrix.normalized : layer.matrix.values;
  // A random direction keeps the mean of the squared singular values: |W r| = |W|_F |r| / sqrt(d).
  if (normalized) matrix.baseline = 1.0 / std::sqrt(static_cast<double>(layer.router.hidden));
  out.matrices.push_back(std::move(matrix));
}

void addLayer(const Layer& layer, int index, double alpha, AnalysisResult& out) {
  const int experts = layer.matrix.experts;
  const CouplingSummary summary = couplingSummary(layer.matrix.values, experts, alpha);
  const CouplingSummary scaleFree = couplingSummary(layer.matrix.normalized, experts, alpha);
  out.tables[0].rows.push_back(
      {cell(index), cell(summary.loss), cell(summary.rowWinRate), cell(summary.columnWinRate),
       cell(1.0 / experts), cell(summary.violationShare), cell(scaleFree.rowWinRate),
       cell(scaleFree.columnWinRate), cell(meanOf(layer.epsilon)), cell(meanAbsoluteCosine(layer.router)),
       cell(std::sqrt(2.0 / (std::numbers::pi * layer.router.hidden)))});
  for (int expert = 0; expert < experts; ++expert) {
    const auto e = static_cast<std::size_t>(expert);
    out.tables[1].rows.push_back({cell(index), cell(expert), cell(layer.epsilon[e]),
                                  cell(layer.matrix.values[e * static_cast<std::size_t>(experts) + e]),
                                  cell(layer.matrix.normalized[e * static_cast<std::size_t>(experts) + e])});
  }
  addMatrix(layer, index, false, out);
  addMatrix(layer, index, true, out);
}

AnalysisResult emptyResult(const AnalysisInfo& info, const AnalysisInput& input,
                           const checkpoint::Checkpoint& checkpoint, const Settings& settings) {
  AnalysisResult out;
  out.analysis = info.id;
  out.parameters = input.parameters;
  out.sample = fmt::format("checkpoint “{}”, router rows and gate projections of {} layers",
                           checkpoint.displayName(), settings.routers.size());
  out.baseline =
      "chance: win rates 1 / M; random rows: column random_cosine; published trained model without ERC: "
      "mean |cosine| 0.15";
  out.interval =
      settings.options.noiseDraws > 0
          ? fmt::format("none: M is the mean over {} noise draws of the rows", settings.options.noiseDraws)
          : "none: the weights are given (delta = 1, no noise)";
  out.tables = {
      {"coupling",
       "Expert-router coupling by layer",
       {{"layer", ""},
        {"loss", ""},
        {"row_win", ""},
        {"column_win", ""},
        {"chance_win", ""},
        {"violations", ""},
        {"row_win_normalized", ""},
        {"column_win_normalized", ""},
        {"mean_epsilon", ""},
        {"mean_cosine", ""},
        {"random_cosine", ""}},
       {}},
      {"experts",
       "Experts",
       {{"layer", ""}, {"expert", ""}, {"epsilon", ""}, {"own_coupling", ""}, {"own_normalized", ""}},
       {}}};
  out.notes.push_back(
      "M is not independent of scales: an expert with larger weights wins more often; the normalised "
      "matrix divides by the norms of W and r");
  for (const trace::RunId id : input.runs) {
    const auto run = input.store.run(id);
    const auto model = run ? input.store.model(run->model) : std::nullopt;
    if (model && model->weightsFingerprint != checkpoint.fingerprint())
      out.notes.push_back(fmt::format("run {} was made with other weights than this checkpoint", id));
  }
  return out;
}

}  // namespace

const AnalysisInfo& CouplingAnalysis::info() const {
  static const AnalysisInfo info{
      "router-coupling",
      "Expert-router coupling",
      "How strongly each router row excites its own expert (ERC)",
      AnalysisScope::Checkpoint,
      trace::CaptureLevel::None,
      {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"},
       {"alpha", "1", "of the loss, 0 to 1"},
       {"noise", "0", "noise draws over which M is averaged, 0 to 1000; 0: rows as they are"},
       {"seed", "1", "of the noise"}}};
  return info;
}

Result<AnalysisResult> CouplingAnalysis::run(const AnalysisInput& input) const {
  if (!input.checkpoint) {
    return fail("analysis.no_checkpoint", "", "router-coupling", "this needs the weights of a model",
                "give the checkpoint's folder");
  }
  const auto checkpoint = checkpoint::Checkpoint::open(*input.checkpoint);
  if (!checkpoint) return fail(checkpoint.error());
  const std::vector<RouterSpec>& routers = (*checkpoint)->description().routers;
  const auto settings = settingsOf(input.parameters, routers);
  if (!settings) return fail(settings.error());
  AnalysisResult out = emptyResult(info(), input, **checkpoint, *settings);
  std::int64_t all = 0, before = 0;
  for (const int index : settings->routers) all += routers[static_cast<std::size_t>(index)].experts;
  for (const int index : settings->routers) {
    const RouterSpec& router = routers[static_cast<std::size_t>(index)];
    const auto report = [&](std::size_t done) {
      if (input.progress)
        input.progress({"Multiplying weights", before + static_cast<std::int64_t>(done), all, "experts"});
    };
    const auto layer = layerOf(**checkpoint, router.layer.value, *settings, report, input.stop);
    if (!layer) return fail(layer.error());
    addLayer(*layer, router.layer.value, settings->alpha, out);
    before += router.experts;
  }
  return out;
}

}  // namespace moescope::coupling
