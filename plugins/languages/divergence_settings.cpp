#include "plugins/languages/divergence_settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/analysis/parameter_values.h"

namespace moescope::languages {

using namespace analysis;

namespace {

Result<int> referenceOf(const AnalysisParameters& parameters, const std::vector<std::string>& names) {
  const auto given = parameters.find("reference");
  const std::string word = given == parameters.end() ? "" : given->second;
  const auto indexOf = [&](const std::string& name) {
    const auto found = std::ranges::find(names, name);
    return found == names.end() ? -1 : static_cast<int>(found - names.begin());
  };
  if (word.empty()) {
    for (const char* usual : {"english", "en", "eng_Latn"}) {
      if (indexOf(usual) >= 0) return indexOf(usual);
    }
    return 0;
  }
  if (indexOf(word) >= 0) return indexOf(word);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  return fail("analysis.bad_param", "", "reference", fmt::format("no text has the label “{}”", word),
              "give one of " + known);
}

}  // namespace

Result<DivergenceSettings> divergenceSettings(const AnalysisInput& input, const AnalysedRun& run) {
  const auto layers = layerSettings(input.parameters, run.routers);
  if (!layers) return fail(layers.error());
  const auto tau = realParameter(input.parameters, "tau", -1.0, 1.0);
  if (!tau) return fail(tau.error());
  const auto found = input.parameters.find("labels");
  const auto labels =
      textLabels(input.store, run, found == input.parameters.end() ? "corpus" : found->second);
  if (!labels) return fail(labels.error());
  const auto reference = referenceOf(input.parameters, labels->names);
  if (!reference) return fail(reference.error());
  const auto pairs = input.parameters.find("pairs");
  return DivergenceSettings{*layers, *labels, *reference,
                            pairs == input.parameters.end() ? "" : pairs->second, *tau};
}

}  // namespace moescope::languages
