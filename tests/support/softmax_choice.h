// What a softmax router chooses, for traces of tests. Not the program's own router, which is what is tested.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace moescope::test {

struct SoftmaxChoice {
  std::vector<std::int32_t> ids;  ///< by falling logit, then by id
  std::vector<float> weights;     ///< not normalised after the choice
};

/// The `count` experts with the highest logits `z`.
inline SoftmaxChoice softmaxChoice(const std::vector<float>& z, std::size_t count) {
  std::vector<std::int32_t> order(z.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(
      order, [&](auto a, auto b) { return z[static_cast<std::size_t>(a)] > z[static_cast<std::size_t>(b)]; });
  double sum = 0.0;
  for (const float value : z) sum += std::exp(static_cast<double>(value));
  order.resize(count);
  SoftmaxChoice chosen;
  chosen.ids = order;
  for (const auto id : order) {
    const double value = z[static_cast<std::size_t>(id)];
    chosen.weights.push_back(static_cast<float>(std::exp(value) / sum));
  }
  return chosen;
}

}  // namespace moescope::test
