// phimoe: sparsemixer router whose width is active at inference, norms with mean and bias, longrope.
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

void describePhimoe(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 4096,
                  .layers = 32,
                  .heads = 32,
                  .vocabularySize = 32064,
                  .maxPositions = 131072,
                  .normEps = 1e-5,
                  .ropeTheta = 1e6,
                  .endToken = 2,
                  .keyValueHeads = 8});
  description.norm = NormKind::LayerNorm;
  description.headBias = config.flag("lm_head_bias", false);
  auto& attention = description.attention;
  attention.qkvBias = attention.outputBias = config.flag("attention_bias", false);
  if (attention.rope.scaling == RopeScaling::LongRope) {
    description.warnings.emplace_back(
        "beyond the original context transformers 5 keeps longrope's short factors; the model's own "
        "definition "
        "takes the long ones (option --compat chooses)");
    if (description.likeTransformers) attention.rope.longFactors = attention.rope.shortFactors;
  }
  placeWindows(config, description, config.whole({"sliding_window"}, 0, 1, 1 << 26),
               [](int) { return true; });
  description.experts.intermediateSize = describeWidth(config, "intermediate_size", 6400);
  RouterSpec router = describeRouter(config, {.experts = 16, .topK = 2});
  if (router.topK != 2)
    config.error("config.bad_value", "num_experts_per_tok", "sparsemixer chooses two experts");
  router.score = ScoreKind::SparseMixer;
  router.mixerEps = config.number({"router_jitter_noise"}, 0.01, 0.0, 1e3);
  placeRouters(description, router, 0, [](int) { return true; });
}

}  // namespace moescope::checkpoint
