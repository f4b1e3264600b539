// NativeRouter: the unsteered router of one layer on the CPU, without allocation.
// Not for steering; its results have the same bits as steering::nativeChoice (a test holds it to that).
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/router_spec.h"

namespace moescope::engine {

class NativeRouter {
 public:
  explicit NativeRouter(const RouterSpec& spec);

  [[nodiscard]] const RouterSpec& spec() const { return *m_spec; }
  /// From the raw `logits` [experts] to `ids` and `weights` [topK], in selection order: descending
  /// selection key, ties by lower id.
  void choose(const float* logits, std::int32_t* ids, float* weights);
  /// Softmax or sigmoid over all experts, before the selection bias.
  void score(const float* logits, float* scores) const;
  /// What is ranked: after the selection bias and the group mask; the logits where they are ranked.
  void selection(const float* logits, float* keys) const;

 private:
  const RouterSpec* m_spec;
  std::vector<float> m_scores;
  std::vector<float> m_keys;
};

}  // namespace moescope::engine
