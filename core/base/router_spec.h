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
  SigmoidAll,   ///< sigmoid per expert, then top-k (deepseek_v3, glm4_moe, dots1, llama4)
  TopkSoftmax,  ///< top-k on logits, softmax over the chosen (gpt_oss, granitemoe)
  SparseMixer,  ///< one choice after the other, each weighted by a softmax over the logits near it (phimoe)
};

/// What happens to the gathered scores of the chosen experts.
enum class WeightNorm : std::uint8_t {
  None,        ///< used as gathered (olmoe with norm_topk_prob false)
  SumOne,      ///< divided by their sum plus a small number
  ClampedSum,  ///< divided by their sum, or by a lower bound if that is larger (ernie4_5_moe)
  Power,       ///< divided by their p-norm (dbrx)
};

/// What makes the score of a group of experts, where groups restrict the choice.
enum class GroupScore : std::uint8_t {
  Max,       ///< the largest selection score (deepseek_v2)
  TopTwoSum  ///< the sum of the two largest (deepseek_v3, glm4_moe)
};

/// More groups than this no family has.
inline constexpr int kMostRouterGroups = 64;

/// Group-limited choice: of `count` equal groups of neighbours only the best `keep` may be chosen from.
struct RouterGroups {
  int count = 1;
  int keep = 1;
  GroupScore score = GroupScore::TopTwoSum;
  bool maskWithZero = false;  ///< experts of other groups rank as 0 (deepseek_v2), else as -inf

  [[nodiscard]] bool limits() const { return keep < count; }
  bool operator==(const RouterGroups&) const = default;
};

/// One router: one row of the trace's `router` table. `experts` counts routed experts only.
struct RouterSpec {
  LayerIndex layer;
  std::string kind = "ffn";  ///< "ffn" or "attention"
  int encoderLayers = 0;     ///< of an encoder-decoder: layers from here on are the decoder's; else 0
  int experts = 0;
  int topK = 0;
  ScoreKind score = ScoreKind::SoftmaxAll;
  double mixerEps = 0.0;  ///< SparseMixer: half the relative distance that still counts as near
  WeightNorm norm = WeightNorm::None;
  /// SumOne: added to the sum (deepseek_v3: 1e-20); ClampedSum: the lower bound; Power: the exponent p.
  double normParameter = 0.0;
  double scale = 1.0;  ///< routed scaling factor, after the normalisation
  int sharedExperts = 0;
  std::vector<float> selectionBias;  ///< [experts]; empty if the family has none
  RouterGroups groups;

  bool operator==(const RouterSpec&) const = default;
};

/// "softmax", "sigmoid", "topk_softmax" or "sparsemixer": the word in files and on the screen.
std::string_view name(ScoreKind kind);
/// "none", "sum", "clamped_sum" or "power": the word in files and on the screen.
std::string_view name(WeightNorm norm);
/// "max" or "top2_sum": the word in files and on the screen.
std::string_view name(GroupScore score);

}  // namespace moescope
