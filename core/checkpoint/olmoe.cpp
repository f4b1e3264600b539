// olmoe: softmax router over all experts, full-width q/k norm before the head split.
#include <fmt/format.h>

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

  description.experts.intermediateSize =
      static_cast<int>(config.whole({"intermediate_size"}, 2048, 1, 1 << 20));
  RouterSpec router;
  router.experts = static_cast<int>(config.whole({"num_experts", "num_local_experts"}, 64, 1, 1 << 15));
  router.topK = static_cast<int>(config.whole({"num_experts_per_tok"}, 8, 1, router.experts));
  if (router.topK > router.experts) {  // the class default, if the file gives only few experts
    config.error(
        "config.bad_value", "num_experts_per_tok",
        fmt::format("is {} where it is not given, but there are {} experts", router.topK, router.experts));
  }
  router.score = ScoreKind::SoftmaxAll;
  router.norm = config.flag("norm_topk_prob", false) ? WeightNorm::SumOne : WeightNorm::None;
  for (int layer = 0; layer < description.layers; ++layer) {
    router.layer = {layer};
    description.routers.push_back(router);
  }
}

}  // namespace moescope::checkpoint
