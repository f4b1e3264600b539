// olmoe: softmax router over all experts, full-width q/k norm before the head split.
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

void describeOlmoe(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 2048,
                  .layers = 16,
                  .heads = 16,
                  .vocabularySize = 50304,
                  .maxPositions = 4096,
                  .normEps = 1e-5,
                  .ropeTheta = 10000.0,
                  .endToken = 50279});
  auto& attention = description.attention;
  attention.qkNorm = QkNorm::FullPre;
  attention.clipQkv = config.optionalNumber("clip_qkv", 0.0, 1e9);
  const bool bias = config.flag("attention_bias", false);
  attention.qkvBias = bias;
  attention.outputBias = bias;

  description.experts.intermediateSize = describeWidth(config, "intermediate_size", 2048);
  RouterSpec router = describeRouter(config, {.experts = 64, .topK = 8});
  router.norm = config.flag("norm_topk_prob", false) ? WeightNorm::SumOne : WeightNorm::None;
  placeRouters(description, router, 0, [](int) { return true; });
}

}  // namespace moescope::checkpoint
