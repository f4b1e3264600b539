#include "core/analysis/congestion_analysis.h"

#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/analysis/congestion_tables.h"
#include "core/analysis/parameter_values.h"

namespace moescope::analysis {

namespace {

constexpr double kMostAlpha = 1e6;
constexpr std::array<std::string_view, 4> kEstimators{"q1", "q2", "q3", "q4"};
constexpr std::array<std::string_view, 3> kLosses{"l1", "l2", "kl"};
constexpr std::array<std::string_view, 3> kEquilibria{"r1", "r2", "r3"};

Result<CongestionSettings> settingsFrom(const AnalysisParameters& parameters) {
  CongestionSettings settings;
  const auto quality = wordParameter(parameters, "estimator", kEstimators);
  if (!quality) return fail(quality.error());
  const auto loss = wordParameter(parameters, "loss", kLosses);
  if (!loss) return fail(loss.error());
  const auto kind = wordParameter(parameters, "equilibrium", kEquilibria);
  if (!kind) return fail(kind.error());
  const auto draws = wholeParameter(parameters, "draws", 0, 100000);
  if (!draws) return fail(draws.error());
  const auto seed = wholeParameter(parameters, "seed", 0, INT64_MAX);
  if (!seed) return fail(seed.error());
  const auto types = wholeParameter(parameters, "types", 0, 64);
  if (!types) return fail(types.error());
  settings.estimator = *qualityEstimatorFrom(*quality);
  settings.fit.loss = *fitLossFrom(*loss);
  settings.fit.equilibrium = *equilibriumFrom(*kind);
  settings.draws = static_cast<int>(*draws);
  settings.seed = static_cast<std::uint64_t>(*seed);
  settings.types.types = static_cast<int>(*types);
  settings.types.seed = settings.seed;
  return settings;
}

/// What the model's config says of its load-balancing loss.
std::optional<double> alphaOf(const trace::TraceStore& store, trace::RunId run) {
  const auto record = store.run(run);
  const auto model = record ? store.model(record->model) : std::nullopt;
  if (!model) return std::nullopt;
  const auto config = nlohmann::json::parse(model->configJson, nullptr, false);
  if (!config.is_object()) return std::nullopt;
  const auto found = config.find("router_aux_loss_coef");
  if (found == config.end() || !found->is_number()) return std::nullopt;
  const double alpha = found->get<double>();
  return alpha >= 0.0 && alpha <= kMostAlpha ? std::optional(alpha) : std::nullopt;
}

Result<Decomposition> decompositionFrom(const AnalysisInput& input, const AnalysisParameters& parameters) {
  Decomposition out;
  if (parameters.at("alpha") == "auto") {
    out.alpha = alphaOf(input.store, input.runs[0]);
  } else {
    const auto alpha = realParameter(parameters, "alpha", 0.0, kMostAlpha);
    if (!alpha) return fail(alpha.error());
    out.alpha = *alpha;
  }
  const auto factor = realParameter(parameters, "c", 0.0, kMostAlpha);
  if (!factor) return fail(factor.error());
  out.factor = *factor;
  return out;
}

}  // namespace

const AnalysisInfo& congestionInfo() {
  static const AnalysisInfo info{
      "congestion-fit",
      "Congestion fit (R1)",
      "Balance against quality over training: the congestion coefficient whose equilibrium fits the load. A "
      "reconstruction, not the paper's number.",
      AnalysisScope::Series,
      trace::CaptureLevel::Ids,
      {{"estimator", "q1",
        "quality of an expert: q1 mean logit, q2 log mean probability, q3 median logit, q4 where chosen"},
       {"loss", "l1", "what the fit minimises: l1, l2 or kl"},
       {"equilibrium", "r1", "r1 linear with entropy, r2 logarithmic, r3 without entropy"},
       {"draws", "1000", "bootstrap draws over texts, 0 to 100000"},
       {"seed", "1", "of the draws and of the types of tokens"},
       {"alpha", "auto", "weight of the load-balancing loss; auto takes it from the model's config"},
       {"c", "1", "conversion of its unit: gamma_explicit = c x alpha x experts"},
       {"types", "8", "types of tokens in the multi-type fit (capture full), 0 to 64; 0 leaves it out"}}};
  return info;
}

Result<AnalysisResult> analyzeCongestion(const AnalysisInput& input) {
  const AnalysisParameters parameters = withDefaults(congestionInfo().parameters, input.parameters);
  const auto settings = settingsFrom(parameters);
  if (!settings) return fail(settings.error());
  if (input.runs.size() < 2) {
    return fail("analysis.too_few_runs", input.store.path().string(), "",
                fmt::format("a congestion fit follows a series of checkpoints, and there {} {}",
                            input.runs.size() == 1 ? "is" : "are", input.runs.size()),
                "choose a series of at least two runs, or load-balance for one run");
  }
  const auto decomposition = decompositionFrom(input, parameters);
  if (!decomposition) return fail(decomposition.error());
  const auto loads = readSeries(input.store, input.runs, {false, input.progress, input.stop});
  if (!loads) return fail(loads.error());

  const auto resultOf = [&](const CongestionSeries& series) {
    AnalysisResult result = congestionResult(*loads, series, *settings, *decomposition);
    result.analysis = congestionInfo().id;
    result.parameters = parameters;
    return result;
  };
  const LogitSource logits = [&](std::size_t point, std::size_t router, const std::stop_token& stop) {
    const SeriesPoint& at = loads->points[point];
    return readTextLogits(input.store, at.run, static_cast<int>(router), at.unitOf, stop);
  };
  CongestionCallbacks callbacks{input.progress, {}, input.stop};
  if (input.partial)
    callbacks.partial = [&](const CongestionSeries& series) { input.partial(resultOf(series)); };
  auto series = fitCongestionSeries(*loads, logits, *settings, callbacks);
  if (!series) return fail(series.error());
  return resultOf(*series);
}

}  // namespace moescope::analysis
