// RouterSpec: the mathematics of one router, in the field's terms; shared by checkpoints, steering,
// traces and the engine. Not for weights: it holds no tensor but the selection bias.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/indices.h"

namespace moescope {

/// How raw logits become scores.
enum class ScoreKind : std::uint8_t {
  SoftmaxAll,   ///< softmax over all experts, then top-k (olmoe, mixtral, qwen*_moe)
  SigmoidAll,   ///< sigmoid per expert, then top-k (deepseek_v3, glm4_moe, dots1)
  TopkSoftmax,  ///< top-k on logits, softmax over the chosen (gpt_oss, granitemoe)
};

/// What happens to the gathered scores of the chosen experts.
enum class WeightNorm : std::uint8_t {
  None,    ///< used as gathered (olmoe with norm_topk_prob false)
  SumOne,  ///< divided by their sum
};

/// One router: one row of the trace's `router` table. `experts` counts routed experts only.
struct RouterSpec {
  LayerIndex layer;
  std::string kind = "ffn";  ///< "ffn" or "attention"
  int experts = 0;
  int topK = 0;
  ScoreKind score = ScoreKind::SoftmaxAll;
  WeightNorm norm = WeightNorm::None;
  double normEps = 0.0;  ///< added to the sum before dividing (deepseek_v3: 1e-20)
  double scale = 1.0;    ///< routed scaling factor, after the normalisation
  int sharedExperts = 0;
  std::vector<float> selectionBias;  ///< [experts]; empty if the family has none

  bool operator==(const RouterSpec&) const = default;
};

/// "softmax", "sigmoid" or "topk_softmax": the word in files and on the screen.
std::string_view name(ScoreKind kind);
/// "none" or "sum": the word in files and on the screen.
std::string_view name(WeightNorm norm);

}  // namespace moescope
