#include "core/checkpoint/family.h"

#include <array>

namespace moescope::checkpoint {

namespace {

constexpr NameMap kLlamaLikePerExpert{
    .embedding = "model.embed_tokens.weight",
    .finalNorm = "model.norm.weight",
    .head = "lm_head.weight",
    .layerPrefix = "model.layers.{l}.",
    .inputNorm = "input_layernorm.weight",
    .postAttentionNorm = "post_attention_layernorm.weight",
    .query = "self_attn.q_proj",
    .key = "self_attn.k_proj",
    .value = "self_attn.v_proj",
    .output = "self_attn.o_proj",
    .queryNorm = "self_attn.q_norm.weight",
    .keyNorm = "self_attn.k_norm.weight",
    .router = "mlp.gate.weight",
    .expertGate = "mlp.experts.{e}.gate_proj.weight",
    .expertUp = "mlp.experts.{e}.up_proj.weight",
    .expertDown = "mlp.experts.{e}.down_proj.weight",
    .fusedGateUp = "mlp.experts.gate_up_proj",
    .fusedDown = "mlp.experts.down_proj",
};

constexpr std::array kFamilies{
    Family{"olmoe", "OlmoeForCausalLM", describeOlmoe, &kLlamaLikePerExpert},
};

}  // namespace

std::span<const Family> families() { return kFamilies; }

const Family* findFamily(std::string_view modelType) {
  for (const Family& family : kFamilies) {
    if (family.modelType == modelType) return &family;
  }
  return nullptr;
}

}  // namespace moescope::checkpoint
