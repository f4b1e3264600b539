#include "core/analysis/top_p_counts.h"

#include <algorithm>
#include <functional>
#include <limits>

namespace moescope::analysis {

namespace {

double ratio(std::int64_t sum, std::int64_t tokens) {
  return tokens > 0 ? static_cast<double>(sum) / static_cast<double>(tokens)
                    : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

int topPCount(std::span<const double> descending, double p) {
  double sum = 0.0;
  for (std::size_t k = 0; k < descending.size(); ++k) {
    sum += descending[k];
    if (sum >= p) return static_cast<int>(k) + 1;
  }
  return static_cast<int>(descending.size());
}

int topPCountBelow(std::span<const double> descending, double p) {
  double sum = 0.0;
  int count = 0;
  for (const double probability : descending) {
    sum += probability;
    if (sum > p) break;
    ++count;
  }
  return std::max(count, 1);
}

std::vector<double> descendingProbabilities(std::span<const float> probabilities) {
  std::vector<double> out(probabilities.begin(), probabilities.end());
  std::ranges::sort(out, std::greater<>());
  return out;
}

void TopPCounts::add(std::span<const double> descending, double p) {
  const int count = topPCount(descending, p);
  if (count <= 0) return;
  ++histogram[static_cast<std::size_t>(count) - 1];
  ++tokens;
  countSum += count;
  belowSum += topPCountBelow(descending, p);
}

double TopPCounts::mean() const { return ratio(countSum, tokens); }
double TopPCounts::meanBelow() const { return ratio(belowSum, tokens); }

}  // namespace moescope::analysis
