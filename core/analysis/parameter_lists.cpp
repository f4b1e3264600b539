#include "core/analysis/parameter_lists.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

template <class Number>
Result<std::vector<Number>> numbersParameter(const AnalysisParameters& parameters, std::string_view id,
                                             Number least, Number most, std::string_view what) {
  const auto found = parameters.find(std::string(id));
  const std::string text = found == parameters.end() ? std::string() : found->second;
  std::vector<Number> out;
  bool good = true;
  for (const std::string& word : wordsOf(text)) {
    Number value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    good =
        good && error == std::errc() && end == word.data() + word.size() && value >= least && value <= most;
    out.push_back(value);
  }
  if (!good || out.empty()) {
    return fail("analysis.bad_param", "", std::string(id), fmt::format("{} cannot be “{}”", id, text),
                fmt::format("give {} from {} to {}, with commas between them", what, least, most));
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

std::vector<std::string> wordsOf(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    std::string_view word = text.substr(at, comma - at);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (!word.empty()) out.emplace_back(word);
    at = comma + 1;
  }
  return out;
}

Result<std::vector<int>> wholesParameter(const AnalysisParameters& parameters, std::string_view id, int least,
                                         int most) {
  return numbersParameter(parameters, id, least, most, "whole numbers");
}

Result<std::vector<double>> realsParameter(const AnalysisParameters& parameters, std::string_view id,
                                           double least, double most) {
  return numbersParameter(parameters, id, least, most, "numbers");
}

}  // namespace moescope::analysis
