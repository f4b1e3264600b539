// bailing_moe_v2 (Ling 2.0): deepseek_v3's router on grouped-query attention with one matrix for query, key
// and value and half of a head rotating. transformers has no such class: defaults are those of the authors'
// code.
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

void describeBailingMoeV2(ConfigReader& config, ModelDescription& description) {
  describeCommon(config, description,
                 {.hiddenSize = 1024,
                  .layers = 24,
                  .heads = 16,
                  .vocabularySize = 30592,
                  .maxPositions = 16384,
                  .normEps = 1e-5,
                  .ropeTheta = 1e4,
                  .endToken = {},
                  .partialRotary = 0.5});
  auto& attention = description.attention;
  attention.fusedQkv = true;
  attention.qkvBias = config.flag("use_qkv_bias", false);
  attention.outputBias = config.flag("use_bias", false);
  if (config.flag("use_qk_norm", true)) attention.qkNorm = QkNorm::HeadPre;
  if (config.flag("norm_head", false))
    config.error("config.bad_value", "norm_head", "a normalised output head is not supported");
  describeBiasedExperts(config, description,
                        {.experts = 16,
                         .topK = 2,
                         .groups = 8,
                         .groupsKept = 4,
                         .normalised = true,
                         .scale = 2.5,
                         .expertWidth = 1024,
                         .denseWidth = 4096,
                         .sharedExperts = 0,
                         .firstDense = 0});
}

}  // namespace moescope::checkpoint
