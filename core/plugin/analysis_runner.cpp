#include "core/plugin/analysis_runner.h"

#include <algorithm>

#include <nlohmann/json.hpp>

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

/// Where a result is kept: a newer program may compute it in another way.
std::string keyOf(const AnalysisParameters& parameters) {
  return nlohmann::ordered_json{{"program", MOESCOPE_VERSION}, {"parameters", parameters}}.dump();
}

std::optional<AnalysisResult> kept(const trace::TraceStore& store, const AnalysisInfo& info,
                                   const AnalysisParameters& parameters, const std::string& inputs) {
  const auto text = store.cachedResult(info.id, keyOf(parameters), inputs);
  if (!text) return std::nullopt;
  auto result = analysis::resultFromJson(*text);
  if (!result || !checkShape(*result)) return std::nullopt;  // it is computed again
  return *std::move(result);
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
  const auto runs = chosenRuns(store, info, request);
  if (!runs) return fail(runs.error());
  // Results that read weights depend on files that may change.
  const bool keeps = !request.checkpoint.has_value();
  const std::string inputs = trace::analysisInputs(store, *runs);
  if (keeps) {
    if (auto result = kept(store, info, *parameters, inputs)) return *std::move(result);
  }

  std::function<void(const AnalysisResult&)> partial;
  if (callbacks.partial) {
    partial = [&](const AnalysisResult& result) {
      if (checkShape(result)) callbacks.partial(result);
    };
  }
  // Analyses may call it without asking whether it is there.
  const auto progress = callbacks.progress ? callbacks.progress : ProgressCallback([](const Progress&) {});
  auto result = (*found)->run(
      {store, *runs, *parameters, request.checkpoint, progress, std::move(partial), callbacks.stop});
  if (!result) return result;
  if (callbacks.stop.stop_requested()) return fail("cancelled", "", info.id, "the analysis was stopped");
  result->analysis = info.id;
  result->parameters = std::move(*parameters);
  if (auto fits = checkShape(*result); !fits) return fail(fits.error());
  // What cannot be kept (a full disk, an immense result) is only computed again next time.
  if (keeps) (void)store.keepResult(info.id, keyOf(result->parameters), inputs, toJson(*result).dump());
  return result;
}

}  // namespace moescope::plugin
