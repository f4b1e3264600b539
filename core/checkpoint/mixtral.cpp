// mixtral: softmax router whose weights always sum to 1; an optional sliding window on every layer.
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

void describeMixtral(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 4096,
                  .layers = 32,
                  .heads = 32,
                  .vocabularySize = 32000,
                  .maxPositions = 131072,
                  .normEps = 1e-5,
                  .ropeTheta = 1e6,
                  .endToken = 2,
                  .keyValueHeads = 8});
  const std::int64_t window = config.whole({"sliding_window"}, 0, 1, 1 << 26);
  placeWindows(config, description, window, [](int) { return true; });
  description.experts.intermediateSize = describeWidth(config, "intermediate_size", 14336);
  RouterSpec router = describeRouter(config, {.experts = 8, .topK = 2});
  router.norm = WeightNorm::SumOne;
  placeRouters(description, router, 0, [](int) { return true; });
}

}  // namespace moescope::checkpoint
