// flex_olmo: norms after the sublayers, so that the router sees the residual stream itself; otherwise as
// olmoe.
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

void describeFlexOlmo(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 4096,
                  .layers = 32,
                  .heads = 32,
                  .vocabularySize = 100352,
                  .maxPositions = 4096,
                  .normEps = 1e-6,
                  .ropeTheta = 5e5,
                  .endToken = 100257});
  description.order = BlockOrder::PostNorm;
  description.norm = NormKind::RmsWide;
  auto& attention = description.attention;
  attention.qkNorm = QkNorm::FullPre;
  attention.qkvBias = attention.outputBias = config.flag("attention_bias", false);
  description.experts.intermediateSize = describeWidth(config, "intermediate_size", 11008);
  RouterSpec router = describeRouter(config, {.experts = 7, .topK = 5});
  router.norm = config.flag("norm_topk_prob", false) ? WeightNorm::SumOne : WeightNorm::None;
  placeRouters(description, router, 0, [](int) { return true; });
}

}  // namespace moescope::checkpoint
