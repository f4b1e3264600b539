#include "core/engine/torch/native_router.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::engine {

namespace {

void softmax(const float* logits, std::size_t count, float* out) {
  const float largest = *std::max_element(logits, logits + count);
  float sum = 0.0F;
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = std::exp(logits[i] - largest);
    sum += out[i];
  }
  for (std::size_t i = 0; i < count; ++i) out[i] /= sum;
}

}  // namespace

NativeRouter::NativeRouter(const RouterSpec& spec)
    : m_spec(&spec),
      m_scores(static_cast<std::size_t>(spec.experts)),
      m_keys(static_cast<std::size_t>(spec.experts)) {}

void NativeRouter::score(const float* logits, float* scores) const {
  const auto experts = static_cast<std::size_t>(m_spec->experts);
  if (m_spec->score == ScoreKind::SigmoidAll) {
    for (std::size_t i = 0; i < experts; ++i) scores[i] = 1.0F / (1.0F + std::exp(-logits[i]));
  } else {
    softmax(logits, experts, scores);
  }
}

void NativeRouter::choose(const float* logits, std::int32_t* ids, float* weights) {
  const auto experts = static_cast<std::size_t>(m_spec->experts);
  const auto count = static_cast<std::size_t>(m_spec->topK);
  const bool scoreAfter = m_spec->score == ScoreKind::TopkSoftmax;
  if (scoreAfter) {
    std::copy(logits, logits + experts, m_keys.begin());
  } else {
    score(logits, m_scores.data());
    m_keys = m_scores;
  }
  for (std::size_t i = 0; i < m_spec->selectionBias.size(); ++i) m_keys[i] += m_spec->selectionBias[i];

  for (std::size_t chosen = 0; chosen < count; ++chosen) {
    // A NaN loses every comparison; the first expert left stands in, so that the ids stay valid.
    std::size_t best = experts;
    for (std::size_t i = 0; i < experts; ++i) {
      const bool taken = std::find(ids, ids + chosen, static_cast<std::int32_t>(i)) != ids + chosen;
      if (!taken && (best == experts || m_keys[i] > m_keys[best])) best = i;
    }
    ids[chosen] = static_cast<std::int32_t>(best);
    weights[chosen] = scoreAfter ? logits[best] : m_scores[best];
  }

  if (scoreAfter) softmax(weights, count, weights);
  if (m_spec->norm == WeightNorm::SumOne) {
    float sum = 0.0F;
    for (std::size_t i = 0; i < count; ++i) sum += weights[i];
    sum += static_cast<float>(m_spec->normEps);
    for (std::size_t i = 0; i < count; ++i) weights[i] /= sum;
  }
  if (m_spec->scale != 1.0) {
    for (std::size_t i = 0; i < count; ++i) weights[i] *= static_cast<float>(m_spec->scale);
  }
}

}  // namespace moescope::engine
