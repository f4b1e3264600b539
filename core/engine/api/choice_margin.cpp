#include "core/engine/api/choice_margin.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace moescope::engine {

namespace {

int significantBits(Dtype type) {
  switch (type) {
    case Dtype::BF16: return 8;
    case Dtype::F16: return 11;
    default: return 24;
  }
}

}  // namespace

double choiceMargin(std::span<const float> ranked, int topK) {
  const auto count = static_cast<std::size_t>(topK);
  if (count == 0 || count >= ranked.size()) return std::numeric_limits<double>::infinity();
  std::vector<float> sorted(ranked.begin(), ranked.end());
  std::partial_sort(sorted.begin(), sorted.begin() + topK + 1, sorted.end(), std::greater<>());
  return double{sorted[count - 1]} - sorted[count];
}

double roundingOfMargin(std::span<const float> logits, Dtype type) {
  double largest = 0.0;
  for (const float z : logits) {
    if (std::isfinite(z)) largest = std::max(largest, std::abs(double{z}));
  }
  return 2 * std::ldexp(largest, -significantBits(type));
}

}  // namespace moescope::engine
