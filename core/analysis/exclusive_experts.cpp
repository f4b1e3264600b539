#include "core/analysis/exclusive_experts.h"

#include <algorithm>
#include <numeric>

namespace moescope::analysis {

namespace {

/// Added to the sum over languages in the published code, so that experts that nobody keeps give 0.
constexpr double kEpsilon = 1e-10;

}  // namespace

std::vector<double> selectivity(std::span<const double> rates, int languages, int experts, int keep) {
  const auto width = static_cast<std::size_t>(experts);
  std::vector<double> kept(rates.size());
  std::vector<double> sums(width);
  std::vector<std::size_t> order(width);
  for (std::size_t language = 0; language < static_cast<std::size_t>(languages); ++language) {
    const auto row = rates.subspan(language * width, width);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return row[a] > row[b]; });
    for (std::size_t i = 0; i < std::min(width, static_cast<std::size_t>(std::max(keep, 0))); ++i) {
      kept[language * width + order[i]] = row[order[i]];
      sums[order[i]] += row[order[i]];
    }
  }
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] /= sums[i % width] + kEpsilon;
  return kept;
}

std::vector<int> exclusiveExperts(std::span<const double> selectivities, int experts,
                                  std::span<const int> targets, double threshold) {
  std::vector<int> out;
  for (int expert = 0; expert < experts; ++expert) {
    double sum = 0.0;
    for (const int language : targets)
      sum += selectivities[static_cast<std::size_t>(language) * static_cast<std::size_t>(experts) +
                           static_cast<std::size_t>(expert)];
    if (sum >= threshold) out.push_back(expert);
  }
  return out;
}

std::vector<int> sharedExperts(std::span<const double> selectivities, int languages, int experts,
                               double threshold) {
  std::vector<int> out;
  for (int expert = 0; expert < experts; ++expert) {
    double most = 0.0;
    for (int language = 0; language < languages; ++language)
      most = std::max(most,
                      selectivities[static_cast<std::size_t>(language) * static_cast<std::size_t>(experts) +
                                    static_cast<std::size_t>(expert)]);
    if (most > 0.0 && most < threshold) out.push_back(expert);
  }
  return out;
}

}  // namespace moescope::analysis
