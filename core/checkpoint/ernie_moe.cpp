// ernie4_5_moe: softmax scores, a correction bias for the choice alone, weights divided by their clamped sum.
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

void describeErnieMoe(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 2560,
                  .layers = 28,
                  .heads = 20,
                  .vocabularySize = 103424,
                  .maxPositions = 131072,
                  .normEps = 1e-5,
                  .ropeTheta = 5e5,
                  .endToken = 2,
                  .tiedHead = true,
                  .keyValueHeads = 4});
  auto& attention = description.attention;
  attention.rope.layout = RopeLayout::Interleaved;
  attention.qkvBias = attention.outputBias = description.mlpBias = config.flag("use_bias", false);
  description.experts.intermediateSize = describeWidth(config, "moe_intermediate_size", 1536);
  description.wideRouter = true;
  RouterSpec router = describeRouter(config, {.experts = 64, .topK = 6});
  router.norm = WeightNorm::ClampedSum;
  router.normParameter = config.number({"moe_norm_min"}, 1e-12, 0.0, 1.0);
  router.sharedExperts = static_cast<int>(config.whole({"moe_num_shared_experts"}, 2, 0, 1 << 10));
  description.shared.intermediateSize = description.experts.intermediateSize * router.sharedExperts;
  const std::int64_t first = config.whole({"moe_layer_start_index"}, 1, 0, 1 << 12);
  const std::int64_t last = config.whole({"moe_layer_end_index"}, -1, -1, 1 << 12);
  const std::int64_t interval = config.whole({"moe_layer_interval"}, 1, 1, 1 << 12);
  placeRouters(description, router, describeWidth(config, "intermediate_size", 12288), [&](int layer) {
    return (layer + 1) % interval == 0 && layer >= first && (last < 0 || layer <= last);
  });
}

}  // namespace moescope::checkpoint
