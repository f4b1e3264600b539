// granitemoe and granitemoeshared: softmax over the chosen logits, four multipliers, fused experts.
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

namespace {

void describeGranite(ConfigReader& config, ModelDescription& description, int sharedWidth) {
  describeCommon(config, description,
                 {.hiddenSize = 4096,
                  .layers = 32,
                  .heads = 32,
                  .vocabularySize = 32000,
                  .maxPositions = 2048,
                  .normEps = 1e-6,
                  .ropeTheta = 1e4,
                  .endToken = 2});
  const auto multiplier = [&](const char* key) { return config.number({key}, 1.0, -1e6, 1e6); };
  description.embeddingMultiplier = multiplier("embedding_multiplier");
  description.residualMultiplier = multiplier("residual_multiplier");
  description.logitDivisor = multiplier("logits_scaling");
  if (description.logitDivisor == 0.0) config.error("config.bad_value", "logits_scaling", "is 0");
  auto& attention = description.attention;
  attention.scale = multiplier("attention_multiplier");
  attention.qkvBias = attention.outputBias = config.flag("attention_bias", false);
  description.experts.intermediateSize = describeWidth(config, "intermediate_size", 11008);
  description.experts.store = ExpertStore::FusedOutIn;
  description.shared.intermediateSize = sharedWidth;
  description.wideRouter = true;
  RouterSpec router = describeRouter(config, {.experts = 8, .topK = 2});
  router.score = ScoreKind::TopkSoftmax;
  router.sharedExperts = sharedWidth > 0 ? 1 : 0;
  placeRouters(description, router, 0, [](int) { return true; });
}

}  // namespace

void describeGraniteMoe(ConfigReader& config, ModelDescription& description) {
  describeGranite(config, description, 0);
}

void describeGraniteMoeShared(ConfigReader& config, ModelDescription& description) {
  describeGranite(config, description,
                  static_cast<int>(config.whole({"shared_intermediate_size"}, 0, 0, 1 << 20)));
}

}  // namespace moescope::checkpoint
