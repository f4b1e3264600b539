#include "core/steering/router_math.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace moescope::steering {

namespace {

std::uint64_t splitmix64(std::uint64_t state) {
  state += 0x9E3779B97F4A7C15ULL;
  state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9ULL;
  state = (state ^ (state >> 27)) * 0x94D049BB133111EBULL;
  return state ^ (state >> 31);
}

/// Uniform in (0, 1].
double uniform(std::uint64_t bits) { return (static_cast<double>(bits >> 11) + 1.0) * 0x1.0p-53; }

}  // namespace

std::vector<float> softmax(std::span<const float> values) {
  std::vector<float> result(values.size());
  const float largest = *std::max_element(values.begin(), values.end());
  float sum = 0.0F;
  for (std::size_t i = 0; i < values.size(); ++i) {
    result[i] = std::exp(values[i] - largest);
    sum += result[i];
  }
  for (float& value : result) value /= sum;
  return result;
}

std::vector<float> scoresOf(std::span<const float> logits, ScoreKind kind) {
  switch (kind) {
    case ScoreKind::SoftmaxAll: return softmax(logits);
    case ScoreKind::SigmoidAll: {
      std::vector<float> scores(logits.size());
      std::transform(logits.begin(), logits.end(), scores.begin(),
                     [](float z) { return 1.0F / (1.0F + std::exp(-z)); });
      return scores;
    }
    case ScoreKind::TopkSoftmax: break;
  }
  return {logits.begin(), logits.end()};
}

std::vector<std::int32_t> topK(std::span<const float> keys, const std::vector<bool>& allowed, int k) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (allowed[i]) ids.push_back(static_cast<std::int32_t>(i));
  }
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(std::max(0, k)), ids.size());
  std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(),
                    [&keys](auto a, auto b) {
                      const float left = keys[static_cast<std::size_t>(a)];
                      const float right = keys[static_cast<std::size_t>(b)];
                      return left != right ? left > right : a < b;
                    });
  ids.resize(count);
  return ids;
}

std::vector<float> nativeWeights(std::span<const float> logits, std::span<const float> scores,
                                 std::span<const std::int32_t> ids, const RouterSpec& router) {
  std::vector<float> weights;
  const auto source = router.score == ScoreKind::TopkSoftmax ? logits : scores;
  for (const auto id : ids) weights.push_back(source[static_cast<std::size_t>(id)]);
  if (weights.empty()) return weights;
  if (router.score == ScoreKind::TopkSoftmax) weights = softmax(weights);
  if (router.norm == WeightNorm::SumOne) {
    const float sum =
        std::accumulate(weights.begin(), weights.end(), 0.0F) + static_cast<float>(router.normEps);
    for (float& weight : weights) weight /= sum;
  }
  return weights;
}

float counterNormal(std::uint64_t seed, std::int32_t layer, std::int64_t position, std::int32_t expert) {
  std::uint64_t state = splitmix64(seed);
  state = splitmix64(state ^ static_cast<std::uint64_t>(layer));
  state = splitmix64(state ^ static_cast<std::uint64_t>(position));
  state = splitmix64(state ^ static_cast<std::uint64_t>(expert));
  const double radius = std::sqrt(-2.0 * std::log(uniform(state)));
  return static_cast<float>(radius * std::cos(2.0 * std::numbers::pi * uniform(splitmix64(state))));
}

}  // namespace moescope::steering
