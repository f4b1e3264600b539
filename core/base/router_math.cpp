#include "core/base/router_math.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool isAllowed(const std::vector<bool>& allowed, std::size_t expert) {
  return allowed.empty() || allowed[expert];
}

bool isTaken(std::span<const std::int32_t> ids, std::size_t expert) {
  return std::find(ids.begin(), ids.end(), static_cast<std::int32_t>(expert)) != ids.end();
}

float groupScore(std::span<const float> keys, const RouterGroups& groups, std::size_t size, int group,
                 const std::vector<bool>& allowed) {
  float largest = -kInfinity;
  float second = -kInfinity;
  const std::size_t first = static_cast<std::size_t>(group) * size;
  for (std::size_t i = first; i < first + size; ++i) {
    if (!isAllowed(allowed, i)) continue;
    second = std::max(second, std::min(largest, keys[i]));
    largest = std::max(largest, keys[i]);
  }
  return groups.score == GroupScore::Max || second == -kInfinity ? largest : largest + second;
}

/// One step of sparsemixer: the softmax at `chosen` over the experts not taken before whose logit is near the
/// chosen one's, |z| measured by max(|z|, chosen) (Liu et al., SparseMixer; as in transformers' phimoe).
float mixerWeight(std::span<const float> logits, std::span<const std::int32_t> taken, std::size_t chosen,
                  const RouterSpec& router, const std::vector<bool>& allowed) {
  const float top = logits[chosen];
  const float reach = 2.0F * static_cast<float>(router.mixerEps);
  float largest = top;
  const auto isNear = [&](std::size_t i) {
    if (!isAllowed(allowed, i) || isTaken(taken, i)) return false;
    return !((top - logits[i]) / std::max(std::abs(logits[i]), top) > reach);
  };
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (isNear(i)) largest = std::max(largest, logits[i]);
  }
  float sum = 0.0F;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (isNear(i)) sum += std::exp(logits[i] - largest);
  }
  return std::exp(top - largest) / sum;
}

}  // namespace

void softmax(std::span<const float> values, std::span<float> out) {
  const float largest = *std::max_element(values.begin(), values.end());
  float sum = 0.0F;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[i] = std::exp(values[i] - largest);
    sum += out[i];
  }
  for (float& value : out.first(values.size())) value /= sum;
}

std::vector<float> softmax(std::span<const float> values) {
  std::vector<float> result(values.size());
  softmax(values, result);
  return result;
}

void scoresOf(std::span<const float> logits, ScoreKind kind, std::span<float> out) {
  switch (kind) {
    case ScoreKind::SoftmaxAll: softmax(logits, out); return;
    case ScoreKind::SigmoidAll:
      std::transform(logits.begin(), logits.end(), out.begin(),
                     [](float z) { return 1.0F / (1.0F + std::exp(-z)); });
      return;
    case ScoreKind::TopkSoftmax:
    case ScoreKind::SparseMixer: break;
  }
  std::copy(logits.begin(), logits.end(), out.begin());
}

std::vector<float> scoresOf(std::span<const float> logits, ScoreKind kind) {
  std::vector<float> scores(logits.size());
  scoresOf(logits, kind, scores);
  return scores;
}

void addSelectionBias(std::span<float> scores, const RouterSpec& router) {
  for (std::size_t i = 0; i < std::min(router.selectionBias.size(), scores.size()); ++i)
    scores[i] += router.selectionBias[i];
}

void maskGroups(std::span<float> keys, const RouterGroups& groups, const std::vector<bool>& allowed) {
  if (!groups.limits()) return;
  const std::size_t size = keys.size() / static_cast<std::size_t>(groups.count);
  std::uint64_t kept = 0;
  for (int group = 0; group < groups.count; ++group) {
    const float own = groupScore(keys, groups, size, group, allowed);
    int better = 0;
    for (int other = 0; other < groups.count; ++other) {
      const float score = groupScore(keys, groups, size, other, allowed);
      better += score > own || (score == own && other < group) ? 1 : 0;
    }
    if (better < groups.keep) kept |= std::uint64_t{1} << group;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if ((kept >> (i / size) & 1) == 0) keys[i] = groups.maskWithZero ? 0.0F : -kInfinity;
  }
}

std::size_t topK(std::span<const float> keys, const std::vector<bool>& allowed, std::span<std::int32_t> ids) {
  const auto outranks = [&keys](std::size_t i, std::size_t best) {
    return keys[i] > keys[best] || (std::isnan(keys[best]) && !std::isnan(keys[i]));
  };
  for (std::size_t chosen = 0; chosen < ids.size(); ++chosen) {
    std::size_t best = keys.size();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (best != keys.size() && !outranks(i, best)) continue;
      if (isAllowed(allowed, i) && !isTaken(ids.first(chosen), i)) best = i;
    }
    if (best == keys.size()) return chosen;
    ids[chosen] = static_cast<std::int32_t>(best);
  }
  return ids.size();
}

std::vector<std::int32_t> topK(std::span<const float> keys, const std::vector<bool>& allowed, int k) {
  std::vector<std::int32_t> ids(std::min<std::size_t>(static_cast<std::size_t>(std::max(0, k)), keys.size()));
  ids.resize(topK(keys, allowed, ids));
  return ids;
}

float normDivisor(std::span<const float> weights, const RouterSpec& router) {
  const auto parameter = static_cast<float>(router.normParameter);
  switch (router.norm) {
    case WeightNorm::None: return 1.0F;
    case WeightNorm::SumOne: return std::accumulate(weights.begin(), weights.end(), 0.0F) + parameter;
    case WeightNorm::ClampedSum:
      return std::max(std::accumulate(weights.begin(), weights.end(), 0.0F), parameter);
    case WeightNorm::Power: break;
  }
  float sum = 0.0F;
  for (const float weight : weights) sum += std::pow(std::abs(weight), parameter);
  return std::pow(sum, 1.0F / parameter);
}

void nativeWeights(std::span<const float> logits, std::span<const float> scores,
                   std::span<const std::int32_t> ids, const RouterSpec& router,
                   const std::vector<bool>& allowed, std::span<float> out) {
  if (ids.empty()) return;
  if (router.score == ScoreKind::SparseMixer) {
    for (std::size_t i = 0; i < ids.size(); ++i)
      out[i] = mixerWeight(logits, ids.first(i), static_cast<std::size_t>(ids[i]), router, allowed);
  } else {
    const auto source = router.score == ScoreKind::TopkSoftmax ? logits : scores;
    for (std::size_t i = 0; i < ids.size(); ++i) out[i] = source[static_cast<std::size_t>(ids[i])];
    if (router.score == ScoreKind::TopkSoftmax) softmax(out.first(ids.size()), out);
  }
  if (router.norm == WeightNorm::None) return;
  const float divisor = normDivisor(out.first(ids.size()), router);
  for (float& weight : out.first(ids.size())) weight /= divisor;
}

std::vector<float> nativeWeights(std::span<const float> logits, std::span<const float> scores,
                                 std::span<const std::int32_t> ids, const RouterSpec& router,
                                 const std::vector<bool>& allowed) {
  std::vector<float> weights(ids.size());
  nativeWeights(logits, scores, ids, router, allowed, weights);
  return weights;
}

}  // namespace moescope
