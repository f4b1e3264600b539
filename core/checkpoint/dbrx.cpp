// dbrx: gate weights divided by their p-norm, one matrix for query, key and value, all experts in flat
// tensors.
#include <fmt/format.h>

#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

namespace {

const nlohmann::json kNothing = nlohmann::json::object();

/// A part of the configuration that is an object of its own.
ConfigReader partOf(ConfigReader& config, const char* key) {
  const auto* part = config.find(key);
  if (part != nullptr && !part->is_object()) config.error("config.wrong_type", key, "is not an object");
  return {part != nullptr && part->is_object() ? *part : kNothing, {}};
}

void passOn(ConfigReader& part, const char* key, ConfigReader& config) {
  if (const auto& error = part.firstError())
    config.error(error->kind.c_str(), fmt::format("{}.{}", key, error->where), error->message);
}

}  // namespace

void describeDbrx(ConfigReader& config, ModelDescription& description) {
  ConfigReader attentionPart = partOf(config, "attn_config");
  ConfigReader expertPart = partOf(config, "ffn_config");
  describeCommon(config, description,
                 {.hiddenSize = 2048,
                  .layers = 24,
                  .heads = 16,
                  .vocabularySize = 32000,
                  .maxPositions = 2048,
                  .normEps = 1e-5,
                  .ropeTheta = 1e4,
                  .endToken = {},
                  .keyValueHeads = static_cast<int>(attentionPart.whole({"kv_n_heads"}, 1, 1, 1 << 12))});
  description.norm = NormKind::LayerNormNoBias;
  auto& attention = description.attention;
  attention.fusedQkv = true;
  attention.clipQkv = attentionPart.optionalNumber("clip_qkv", 0.0, 1e9);
  const double theta = attentionPart.number({"rope_theta"}, attention.rope.theta, 1.0, 1e12);
  if (theta != attention.rope.theta) {
    description.warnings.push_back(fmt::format(
        "transformers 5 does not read attn_config.rope_theta and takes {:g}; the model's own definition "
        "is {:g} (option --compat chooses)",
        attention.rope.theta, theta));
    if (!description.likeTransformers) attention.rope.theta = theta;
  }
  auto& experts = description.experts;
  experts.intermediateSize = describeWidth(expertPart, "ffn_hidden_size", 3584);
  experts.store = ExpertStore::Flat;
  RouterSpec router = describeRouter(expertPart, {.experts = 4, .topK = 1});
  const double power = expertPart.mentions("moe_normalize_expert_weights") &&
                               expertPart.find("moe_normalize_expert_weights") == nullptr
                           ? 0.0
                           : expertPart.number({"moe_normalize_expert_weights"}, 1.0, 0.0, 1e3);
  if (power > 0.0) {
    router.norm = WeightNorm::Power;
    router.normParameter = power;
  }
  passOn(attentionPart, "attn_config", config);
  passOn(expertPart, "ffn_config", config);
  placeRouters(description, router, 0, [](int) { return true; });
}

}  // namespace moescope::checkpoint
