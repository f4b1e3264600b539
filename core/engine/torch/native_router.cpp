#include "core/engine/torch/native_router.h"

#include <algorithm>

#include "core/base/router_math.h"

namespace moescope::engine {

namespace {

const std::vector<bool> kAllAllowed;

}  // namespace

NativeRouter::NativeRouter(const RouterSpec& spec)
    : m_spec(&spec),
      m_scores(static_cast<std::size_t>(spec.experts)),
      m_keys(static_cast<std::size_t>(spec.experts)) {}

void NativeRouter::score(const float* logits, float* scores) const {
  const std::span from(logits, m_scores.size());
  // Where the weights are formed after the choice, the softmax over all experts is what can be shown.
  scoresOf(from, m_spec->score == ScoreKind::SigmoidAll ? ScoreKind::SigmoidAll : ScoreKind::SoftmaxAll,
           std::span(scores, m_scores.size()));
}

void NativeRouter::selection(const float* logits, float* keys) const {
  const std::span to(keys, m_keys.size());
  scoresOf(std::span(logits, m_keys.size()), m_spec->score, to);
  addSelectionBias(to, *m_spec);
  maskGroups(to, m_spec->groups, kAllAllowed);
}

void NativeRouter::choose(const float* logits, std::int32_t* ids, float* weights) {
  const std::span from(logits, m_scores.size());
  const std::span chosen(ids, static_cast<std::size_t>(m_spec->topK));
  const std::span gains(weights, chosen.size());
  scoresOf(from, m_spec->score, m_scores);
  std::copy(m_scores.begin(), m_scores.end(), m_keys.begin());
  addSelectionBias(m_keys, *m_spec);
  maskGroups(m_keys, m_spec->groups, kAllAllowed);
  topK(m_keys, kAllAllowed, chosen);
  nativeWeights(from, m_scores, chosen, *m_spec, kAllAllowed, gains);
  if (m_spec->scale != 1.0) {
    for (float& gain : gains) gain *= static_cast<float>(m_spec->scale);
  }
}

}  // namespace moescope::engine
