// qwen2_moe and qwen3_moe: softmax router, some layers dense; qwen2_moe with a gated shared expert.
#include <algorithm>

#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

namespace {

constexpr int kMostLayersListed = 1 << 12;

/// L is an MoE layer iff it is not in mlp_only_layers and (L + 1) % decoder_sparse_step == 0.
void placeMoeLayers(ConfigReader& config, ModelDescription& description, const RouterSpec& router,
                    int denseWidth) {
  const std::int64_t step = config.whole({"decoder_sparse_step"}, 1, 1, kMostLayersListed);
  const std::vector<std::int32_t> dense = config.tokenIds("mlp_only_layers");
  placeRouters(description, router, denseWidth, [&](int layer) {
    return (layer + 1) % step == 0 && std::find(dense.begin(), dense.end(), layer) == dense.end();
  });
}

RouterSpec routerOf(ConfigReader& config, const RouterDefaults& defaults) {
  RouterSpec router = describeRouter(config, defaults);
  router.norm = config.flag("norm_topk_prob", false) ? WeightNorm::SumOne : WeightNorm::None;
  return router;
}

std::int64_t windowOf(ConfigReader& config) {
  return config.flag("use_sliding_window", false) ? config.whole({"sliding_window"}, 4096, 0, 1 << 26) : 0;
}

}  // namespace

void describeQwen2Moe(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 2048,
                  .layers = 24,
                  .heads = 16,
                  .vocabularySize = 151936,
                  .maxPositions = 32768,
                  .normEps = 1e-6,
                  .ropeTheta = 1e4,
                  .endToken = {},
                  .keyValueHeads = 16});
  description.attention.qkvBias = config.flag("qkv_bias", true);
  const std::int64_t most = config.whole({"max_window_layers"}, 28, 0, kMostLayersListed);
  placeWindows(config, description, windowOf(config),
               [most](int layer) { return layer % 2 == 0 && layer < most; });
  description.experts.intermediateSize = describeWidth(config, "moe_intermediate_size", 1408);
  description.shared = {describeWidth(config, "shared_expert_intermediate_size", 5632), true};
  RouterSpec router = routerOf(config, {.experts = 60, .topK = 4});
  router.sharedExperts = 1;
  placeMoeLayers(config, description, router, describeWidth(config, "intermediate_size", 5632));
}

void describeQwen3Moe(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 2048,
                  .layers = 24,
                  .heads = 32,
                  .vocabularySize = 151936,
                  .maxPositions = 32768,
                  .normEps = 1e-6,
                  .ropeTheta = 1e4,
                  .endToken = {},
                  .keyValueHeads = 4});
  auto& attention = description.attention;
  attention.qkNorm = QkNorm::HeadPre;
  attention.qkvBias = attention.outputBias = config.flag("attention_bias", false);
  placeWindows(config, description, windowOf(config), [](int) { return true; });
  description.experts.intermediateSize = describeWidth(config, "moe_intermediate_size", 768);
  placeMoeLayers(config, description, routerOf(config, {.experts = 128, .topK = 8}),
                 describeWidth(config, "intermediate_size", 6144));
}

}  // namespace moescope::checkpoint
