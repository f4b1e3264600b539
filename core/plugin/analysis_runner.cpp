#include "core/plugin/analysis_runner.h"

#include <algorithm>
#include <span>

namespace moescope::plugin {

namespace {

using analysis::AnalysisInfo;
using analysis::AnalysisParameters;
using analysis::AnalysisResult;

std::string knownParameters(const AnalysisInfo& info) {
  std::string text;
  for (const auto& parameter : info.parameters) text += (text.empty() ? "" : ", ") + parameter.id;
  return text.empty() ? info.id + " has no parameters" : "the parameters of " + info.id + " are " + text;
}

/// Results come from plug-ins: a table that does not fit must not reach what prints it.
Result<void> checkShape(const AnalysisResult& result) {
  const auto bad = [&](const std::string& part) {
    return fail("analysis.bad_result", "", result.analysis + ", " + part,
                "the analysis gave a result whose rows do not fit its columns", "tell the plug-in's author");
  };
  for (const auto& table : result.tables) {
    const auto fits = [&](const auto& row) { return row.size() == table.columns.size(); };
    if (!std::all_of(table.rows.begin(), table.rows.end(), fits)) return bad(table.id);
  }
  for (const auto& matrix : result.matrices) {
    const std::size_t cells = matrix.rowNames.size() * matrix.columnNames.size();
    const auto fits = [&](const auto& values) { return values.empty() || values.size() == cells; };
    if (matrix.values.size() != cells || !fits(matrix.low) || !fits(matrix.high) ||
        matrix.low.size() != matrix.high.size()) {
      return bad(matrix.id);
    }
  }
  return {};
}

/// Where the trace keeps a result: what it was computed from and by what.
struct CacheKey {
  std::string parameters, inputs;
};

/// None for what must not be kept: weights are not in the trace, and an open run goes on.
std::optional<CacheKey> cacheKey(const PluginHost& host, const trace::TraceStore& store,
                                 const AnalysisInfo& info, const AnalysisParameters& parameters,
                                 std::span<const trace::RunId> runs) {
  if (info.scope == analysis::AnalysisScope::Checkpoint) return std::nullopt;
  for (const trace::RunId run : runs) {
    const auto record = store.run(run);
    if (!record || record->status == trace::RunStatus::Open) return std::nullopt;
  }
  const nlohmann::ordered_json json{
      {"parameters", parameters}, {"plugin", host.versionOf(info.id)}, {"moescope", MOESCOPE_VERSION}};
  return CacheKey{json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
                  analysisInputs(store, runs)};
}

}  // namespace

Result<AnalysisParameters> filledParameters(const AnalysisInfo& info, const AnalysisParameters& given) {
  AnalysisParameters filled;
  for (const auto& parameter : info.parameters) filled[parameter.id] = parameter.defaultValue;
  for (const auto& [key, value] : given) {
    const auto found = filled.find(key);
    if (found == filled.end())
      return fail("analysis.bad_param", "", key, "this parameter is not known", knownParameters(info));
    found->second = value;
  }
  return filled;
}

Result<AnalysisResult> runAnalysis(const PluginHost& host, trace::TraceStore& store,
                                   const AnalysisRequest& request, const AnalysisCallbacks& callbacks) {
  const auto found = host.findAnalysis(request.analysis);
  if (!found) return fail(found.error());
  const AnalysisInfo& info = (*found)->info();
  auto parameters = filledParameters(info, request.parameters);
  if (!parameters) return fail(parameters.error());
  auto runs = chosenRuns(store, info, request);
  if (!runs) return fail(runs.error());

  // A checkpoint that is only there for names may change what comes out.
  const auto key = request.checkpoint ? std::nullopt : cacheKey(host, store, info, *parameters, *runs);
  if (const auto kept = key ? store.cachedResult(info.id, key->parameters, key->inputs) : std::nullopt) {
    if (auto result = analysis::resultFromJson(*kept); result && checkShape(*result)) return result;
  }

  std::function<void(const AnalysisResult&)> partial;
  if (callbacks.partial) {
    partial = [&](const AnalysisResult& result) {
      if (checkShape(result)) callbacks.partial(result);
    };
  }
  // Analyses may call it without asking whether it is there.
  const auto progress = callbacks.progress ? callbacks.progress : ProgressCallback([](const Progress&) {});
  auto result = (*found)->run({store, std::move(*runs), *parameters, request.checkpoint, progress,
                               std::move(partial), callbacks.stop});
  if (!result) return result;
  if (callbacks.stop.stop_requested()) return fail("cancelled", "", info.id, "the analysis was stopped");
  result->analysis = info.id;
  result->parameters = std::move(*parameters);
  if (auto fits = checkShape(*result); !fits) return fail(fits.error());
  if (key) {
    // A result that cannot be kept is a result all the same.
    const auto replace = nlohmann::ordered_json::error_handler_t::replace;
    (void)store.keepResult(info.id, key->parameters, key->inputs,
                           toJson(*result).dump(-1, ' ', false, replace));
  }
  return result;
}

}  // namespace moescope::plugin
