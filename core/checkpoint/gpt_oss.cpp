// gpt_oss: softmax over the chosen logits of a biased router, attention sinks, clamped swish experts with
// biases.
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

void describeGptOss(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 2880,
                  .layers = 36,
                  .heads = 64,
                  .vocabularySize = 201088,
                  .maxPositions = 131072,
                  .normEps = 1e-5,
                  .ropeTheta = 150000.0,
                  .endToken = {},
                  .keyValueHeads = 8,
                  .headDim = 64});
  description.norm = NormKind::RmsWide;
  auto& attention = description.attention;
  attention.qkvBias = attention.outputBias = config.flag("attention_bias", true);
  attention.sinks = true;
  if (config.find("rope_parameters") == nullptr && config.find("rope_scaling") == nullptr) {
    // The class default.
    const nlohmann::json yarn{{"rope_type", "yarn"},
                              {"factor", 32.0},
                              {"truncate", false},
                              {"original_max_position_embeddings", 4096}};
    const nlohmann::json usual{{"rope_parameters", yarn}};
    ConfigReader reader(usual, "config.json");
    const double theta = attention.rope.theta;
    describeRope(reader, attention.rope, {attention.headDim, theta, 1.0, description.maxPositions});
  }
  const bool none = config.mentions("sliding_window") && config.find("sliding_window") == nullptr;
  const std::int64_t window = none ? 0 : config.whole({"sliding_window"}, 128, 0, 1 << 26);
  placeWindows(config, description, window, [](int layer) { return layer % 2 == 0; });
  auto& experts = description.experts;
  experts.intermediateSize = describeWidth(config, "intermediate_size", 2880);
  experts.store = ExpertStore::FusedInOut;
  experts.activation = Activation::ClampedSwish;
  experts.alpha = config.number({"swiglu_alpha"}, 1.702, -1e6, 1e6);
  experts.limit = config.number({"swiglu_limit"}, 7.0, 0.0, 1e6);
  experts.interleaved = true;
  experts.bias = true;
  description.routerBias = true;
  RouterSpec router = describeRouter(config, {.experts = 128, .topK = 4});
  router.score = ScoreKind::TopkSoftmax;
  placeRouters(description, router, 0, [](int) { return true; });
}

}  // namespace moescope::checkpoint
