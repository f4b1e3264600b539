#include "core/analysis/vocabulary_specialization.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace moescope::analysis {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

double ratio(double sum, double count) { return count > 0.0 ? sum / count : kUndefined; }

}  // namespace

VocabularyValues vocabularyValues(const KeyCounts& counts, std::int64_t minOccurrences) {
  VocabularyValues out;
  double all = 0.0, frequent = 0.0, weighted = 0.0;
  for (std::size_t key = 0; key < counts.keys.size(); ++key) {
    const std::int64_t occurrences = counts.occurrences[key];
    if (occurrences == 0) continue;
    const auto most = static_cast<double>(std::ranges::max(counts.of(key)));
    const double value = most / static_cast<double>(occurrences);
    ++out.ids;
    out.tokens += occurrences;
    all += value;
    weighted += most;
    if (occurrences < minOccurrences) continue;
    ++out.minCountIds;
    frequent += value;
  }
  out.allIds = ratio(all, static_cast<double>(out.ids));
  out.minCount = ratio(frequent, static_cast<double>(out.minCountIds));
  out.tokenWeighted = ratio(weighted, static_cast<double>(out.tokens));
  return out;
}

double chanceNormalised(double value, int choices, int experts) {
  const double chance = static_cast<double>(choices) / static_cast<double>(experts);
  return chance < 1.0 ? (value - chance) / (1.0 - chance) : kUndefined;
}

ExpertVocabulary expertVocabulary(const KeyCounts& counts, std::int64_t minOccurrences) {
  const auto experts = static_cast<std::size_t>(counts.experts);
  ExpertVocabulary out{std::vector<double>(experts, 0.0), std::vector<std::int64_t>(experts, 0)};
  for (std::size_t key = 0; key < counts.keys.size(); ++key) {
    const auto row = counts.of(key);
    const auto most = std::ranges::max_element(row);  // the first of equals
    if (counts.occurrences[key] < std::max<std::int64_t>(minOccurrences, 1) || *most == 0) continue;
    const auto expert = static_cast<std::size_t>(most - row.begin());
    out.values[expert] += static_cast<double>(*most) / static_cast<double>(counts.occurrences[key]);
    ++out.ids[expert];
  }
  for (std::size_t e = 0; e < experts; ++e)
    out.values[e] = ratio(out.values[e], static_cast<double>(out.ids[e]));
  return out;
}

std::vector<TopToken> topTokens(const KeyCounts& counts, int expert, std::int64_t minOccurrences, int most) {
  std::vector<TopToken> out;
  for (std::size_t key = 0; key < counts.keys.size(); ++key) {
    const std::int64_t occurrences = counts.occurrences[key];
    const std::int64_t chosen = counts.of(key)[static_cast<std::size_t>(expert)];
    if (chosen == 0 || occurrences < minOccurrences) continue;
    out.push_back({counts.keys[key], occurrences, chosen,
                   static_cast<double>(chosen) / static_cast<double>(occurrences)});
  }
  std::ranges::sort(out, [](const TopToken& a, const TopToken& b) {
    return std::tuple(-a.rate, -a.occurrences, a.id) < std::tuple(-b.rate, -b.occurrences, b.id);
  });
  if (out.size() > static_cast<std::size_t>(most)) out.resize(static_cast<std::size_t>(most));
  return out;
}

}  // namespace moescope::analysis
