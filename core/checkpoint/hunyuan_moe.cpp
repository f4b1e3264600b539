// hunyuan_v1_moe: softmax router whose weights sum to 1, one shared expert, per-head norms after RoPE.
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

void describeHunyuanMoe(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 4096,
                  .layers = 32,
                  .heads = 32,
                  .vocabularySize = 290943,
                  .maxPositions = 2048,
                  .normEps = 1e-5,
                  .ropeTheta = 1e4,
                  .endToken = 2,
                  .headDim = static_cast<int>(config.whole({"attention_head_dim"}, 0, 0, 1 << 12))});
  auto& attention = description.attention;
  attention.qkNorm = QkNorm::HeadPost;
  attention.qkvBias = attention.outputBias = config.flag("attention_bias", false);
  description.experts.intermediateSize = describeWidth(config, "intermediate_size", 11008);
  description.shared.intermediateSize = description.experts.intermediateSize;
  description.wideRouter = true;
  RouterSpec router = describeRouter(config, {.experts = 1, .topK = 1});
  router.norm = WeightNorm::SumOne;
  router.sharedExperts = 1;
  if (config.flag("moe_drop_tokens", false)) {
    description.warnings.emplace_back("moe_drop_tokens is true; as in transformers, no token is dropped");
  }
  if (config.flag("use_cla", false))
    config.error("config.bad_value", "use_cla", "cross-layer attention is not supported");
  placeRouters(description, router, 0, [](int) { return true; });
}

}  // namespace moescope::checkpoint
