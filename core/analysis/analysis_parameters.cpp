#include "core/analysis/analysis_parameters.h"

#include <charconv>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

template <class Number>
Result<Number> parsed(const AnalysisParameters& parameters, const std::string& id, Number fallback,
                      Number least, Number most) {
  const auto found = parameters.find(id);
  if (found == parameters.end()) return fallback;
  const std::string& text = found->second;
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // The comparison also turns NaN away.
  if (error != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most))
    return badParameter(id, text, fmt::format("a number from {} to {}", least, most));
  return value;
}

}  // namespace

std::string parameterText(const AnalysisParameters& parameters, const std::string& id, std::string fallback) {
  const auto found = parameters.find(id);
  return found == parameters.end() ? std::move(fallback) : found->second;
}

Result<std::int64_t> parameterInteger(const AnalysisParameters& parameters, const std::string& id,
                                      std::int64_t fallback, std::int64_t least, std::int64_t most) {
  return parsed(parameters, id, fallback, least, most);
}

Result<double> parameterNumber(const AnalysisParameters& parameters, const std::string& id, double fallback,
                               double least, double most) {
  return parsed(parameters, id, fallback, least, most);
}

tl::unexpected<Error> badParameter(const std::string& id, std::string_view value, std::string_view allowed) {
  return fail("analysis.bad_param", "", id, fmt::format("“{}” is not a value of {}", value, id),
              fmt::format("give {}", allowed));
}

}  // namespace moescope::analysis
