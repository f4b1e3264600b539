#include "core/analysis/layer_jobs.h"

#include <mutex>

#include "core/analysis/parallel_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/routed_tokens.h"
#include "core/base/router_label.h"

namespace moescope::analysis {

std::vector<ParameterInfo> layerParameters(const std::string& draws) {
  return {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"},
          {"draws", draws, "bootstrap draws over texts, 0 to 100000"},
          {"seed", "1", "of everything that is drawn"}};
}

Result<LayerSettings> layerSettings(const AnalysisParameters& parameters,
                                    const std::vector<RouterSpec>& routers) {
  const auto layers = layersParameter(parameters, "layer", routers);
  if (!layers) return fail(layers.error());
  const auto draws = wholeParameter(parameters, "draws", 0, 100'000);
  if (!draws) return fail(draws.error());
  const auto seed = wholeParameter(parameters, "seed", 0, std::numeric_limits<std::int64_t>::max());
  if (!seed) return fail(seed.error());
  return LayerSettings{*layers, static_cast<int>(*draws), static_cast<std::uint64_t>(*seed)};
}

Result<void> forEachLayer(const AnalysisInput& input, const std::string& activity, std::size_t jobs,
                          const std::function<Result<void>(std::size_t)>& job) {
  std::mutex mutex;
  std::optional<Error> error;
  std::stop_source failed;
  const std::stop_callback forward(input.stop, [&] { failed.request_stop(); });
  const auto report = [&](std::size_t done) {
    if (input.progress)
      input.progress({activity, static_cast<std::int64_t>(done), static_cast<std::int64_t>(jobs), "layers"});
  };
  const auto guarded = [&](std::size_t index) {
    const auto result = job(index);
    if (result) return;
    const std::lock_guard lock(mutex);
    if (!error) error = result.error();
    failed.request_stop();
  };
  const bool whole = parallelJobs(jobs, kAnalysisThreads, failed.get_token(), guarded, report);
  if (input.stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
  if (error) return fail(*error);
  if (!whole) return fail("cancelled", "", "", "cancelled");
  return {};
}

AnalysisResult resultFor(const AnalysisInfo& info, const AnalysisInput& input, const AnalysedRun& run) {
  AnalysisResult out;
  out.analysis = info.id;
  out.parameters = input.parameters;
  out.sample = sampleText(run.record);
  for (const trace::SteeringEvent& event : input.store.steeringEvents(run.record.id)) {
    if (event.programJson.find("\"rules\":[]") != std::string::npos) continue;
    out.notes.push_back("a steering program was in force: choices are those after steering");
    break;
  }
  return out;
}

std::vector<std::string> expertNames(int experts) {
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(experts));
  for (int expert = 0; expert < experts; ++expert) out.push_back(std::to_string(expert));
  return out;
}

std::vector<std::string> layerNames(const std::vector<RouterSpec>& routers, const std::vector<int>& indices) {
  std::vector<std::string> out;
  out.reserve(indices.size());
  for (const int index : indices) {
    const RouterSpec& router = routers[static_cast<std::size_t>(index)];
    out.push_back(layerLabel(router.layer, router.encoderLayers));
  }
  return out;
}

}  // namespace moescope::analysis
