#include "core/analysis/parameter_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/router_label.h"

namespace moescope::analysis {

namespace {

tl::unexpected<Error> badParameter(std::string_view id, std::string_view text, const std::string& allowed) {
  return fail("analysis.bad_param", "", std::string(id), fmt::format("{} cannot be “{}”", id, text),
              "give " + allowed);
}

std::string valueOf(const AnalysisParameters& parameters, std::string_view id) {
  const auto found = parameters.find(std::string(id));
  return found == parameters.end() ? std::string() : found->second;
}

template <class Number>
bool readNumber(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

AnalysisParameters withDefaults(std::span<const ParameterInfo> infos, const AnalysisParameters& given) {
  AnalysisParameters out = given;
  for (const ParameterInfo& info : infos) out.emplace(info.id, info.defaultValue);
  return out;
}

Result<std::int64_t> wholeParameter(const AnalysisParameters& parameters, std::string_view id,
                                    std::int64_t least, std::int64_t most) {
  const std::string text = valueOf(parameters, id);
  std::int64_t value = 0;
  if (!readNumber(text, value) || value < least || value > most)
    return badParameter(id, text, fmt::format("a whole number from {} to {}", least, most));
  return value;
}

Result<double> realParameter(const AnalysisParameters& parameters, std::string_view id, double least,
                             double most) {
  const std::string text = valueOf(parameters, id);
  double value = 0.0;
  if (!readNumber(text, value) || !(value >= least && value <= most))
    return badParameter(id, text, fmt::format("a number from {} to {}", least, most));
  return value;
}

Result<std::string> wordParameter(const AnalysisParameters& parameters, std::string_view id,
                                  std::span<const std::string_view> words) {
  const std::string text = valueOf(parameters, id);
  if (std::ranges::find(words, text) == words.end())
    return badParameter(id, text, fmt::format("{}", fmt::join(words, ", ")));
  return text;
}

Result<std::vector<int>> layersParameter(const AnalysisParameters& parameters, std::string_view id,
                                         std::span<const RouterSpec> routers) {
  const std::string text = valueOf(parameters, id);
  std::vector<int> out;
  if (text == "all") {
    for (std::size_t r = 0; r < routers.size(); ++r) out.push_back(static_cast<int>(r));
    return out;
  }
  std::vector<std::string> known;
  for (const RouterSpec& router : routers) known.push_back(routerLabel(router));
  const std::string allowed = fmt::format("all, or layers with a router: {}", fmt::join(known, ", "));
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const auto key = routerFromLabel(std::string_view(text).substr(at, comma - at));
    const auto found = key ? routerIndex(routers, *key) : std::nullopt;
    if (!found) return badParameter(id, text, allowed);
    out.push_back(static_cast<int>(*found));
    at = comma + 1;
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<int> choicesParameter(const AnalysisParameters& parameters, std::string_view id) {
  const std::string text = valueOf(parameters, id);
  if (text == "all") return 0;
  if (text == "1") return 1;
  return badParameter(id, text, "all or 1");
}

}  // namespace moescope::analysis
