#include "core/checkpoint/family.h"

#include <array>

namespace moescope::checkpoint {

namespace {

/// What nearly all families have.
constexpr NameMap kLlamaLike{
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
    .router = "mlp.gate",
    .expertGate = "mlp.experts.{e}.gate_proj.weight",
    .expertUp = "mlp.experts.{e}.up_proj.weight",
    .expertDown = "mlp.experts.{e}.down_proj.weight",
    .fusedGateUp = "mlp.experts.gate_up_proj",
    .fusedDown = "mlp.experts.down_proj",
    .denseGate = "mlp.gate_proj.weight",
    .denseUp = "mlp.up_proj.weight",
    .denseDown = "mlp.down_proj.weight",
};

constexpr NameMap mixtralInMemoryNames(std::string_view router) {
  NameMap names = kLlamaLike;
  names.router = router;
  names.expertGate = "mlp.experts.{e}.w1.weight";
  names.expertUp = "mlp.experts.{e}.w3.weight";
  names.expertDown = "mlp.experts.{e}.w2.weight";
  return names;
}
constexpr NameMap kMixtralInMemory = mixtralInMemoryNames("mlp.gate");
constexpr NameMap kPhimoeInMemory = mixtralInMemoryNames("mlp.router");

constexpr NameMap mixtralNames(const NameMap& inMemory) {
  NameMap names = kLlamaLike;
  names.elsewhere = &inMemory;
  names.router = "block_sparse_moe.gate";
  names.expertGate = "block_sparse_moe.experts.{e}.w1.weight";
  names.expertUp = "block_sparse_moe.experts.{e}.w3.weight";
  names.expertDown = "block_sparse_moe.experts.{e}.w2.weight";
  return names;
}

constexpr NameMap qwen2Names() {
  NameMap names = kLlamaLike;
  names.sharedGate = "mlp.shared_expert.gate_proj.weight";
  names.sharedUp = "mlp.shared_expert.up_proj.weight";
  names.sharedDown = "mlp.shared_expert.down_proj.weight";
  names.sharedRouter = "mlp.shared_expert_gate";
  return names;
}

constexpr NameMap graniteNames() {
  NameMap names = kLlamaLike;
  names.router = "block_sparse_moe.router.layer";
  names.expertGate = names.expertUp = names.expertDown = {};
  names.fusedGateUp = "block_sparse_moe.input_linear.weight";
  names.fusedDown = "block_sparse_moe.output_linear.weight";
  names.sharedGateUp = "shared_mlp.input_linear.weight";
  names.sharedDown = "shared_mlp.output_linear.weight";
  return names;
}

constexpr NameMap deepseekNames(bool hasBias) {
  NameMap names = kLlamaLike;
  names.queryDown = "self_attn.q_a_proj";
  names.queryDownNorm = "self_attn.q_a_layernorm.weight";
  names.queryUp = "self_attn.q_b_proj";
  names.keyValueDown = "self_attn.kv_a_proj_with_mqa";
  names.keyValueDownNorm = "self_attn.kv_a_layernorm.weight";
  names.keyValueUp = "self_attn.kv_b_proj";
  if (hasBias) names.selectionBias = "mlp.gate.e_score_correction_bias";
  names.sharedGate = "mlp.shared_experts.gate_proj.weight";
  names.sharedUp = "mlp.shared_experts.up_proj.weight";
  names.sharedDown = "mlp.shared_experts.down_proj.weight";
  return names;
}

constexpr NameMap gptOssNames() {
  NameMap names = kLlamaLike;
  names.sinks = "self_attn.sinks";
  names.router = "mlp.router";
  names.expertGate = names.expertUp = names.expertDown = {};
  return names;
}

constexpr NameMap flexOlmoNames() {
  NameMap names = kLlamaLike;
  names.inputNorm = {};
  names.postFeedForwardNorm = "post_feedforward_layernorm.weight";
  return names;
}

constexpr NameMap ernieNames() {
  NameMap names = deepseekNames(false);
  names.selectionBias = "mlp.moe_statics.e_score_correction_bias";
  return names;
}

constexpr NameMap hunyuanNames() {
  NameMap names = kLlamaLike;
  names.queryNorm = "self_attn.query_layernorm.weight";
  names.keyNorm = "self_attn.key_layernorm.weight";
  names.router = "mlp.gate.wg";
  names.sharedGate = "mlp.shared_mlp.gate_proj.weight";
  names.sharedUp = "mlp.shared_mlp.up_proj.weight";
  names.sharedDown = "mlp.shared_mlp.down_proj.weight";
  return names;
}

constexpr NameMap llama4Names() {
  NameMap names = kLlamaLike;
  names.router = "feed_forward.router";
  names.expertGate = names.expertUp = names.expertDown = {};
  names.fusedGateUp = "feed_forward.experts.gate_up_proj";
  names.fusedDown = "feed_forward.experts.down_proj";
  names.sharedGate = "feed_forward.shared_expert.gate_proj.weight";
  names.sharedUp = "feed_forward.shared_expert.up_proj.weight";
  names.sharedDown = "feed_forward.shared_expert.down_proj.weight";
  names.denseGate = "feed_forward.gate_proj.weight";
  names.denseUp = "feed_forward.up_proj.weight";
  names.denseDown = "feed_forward.down_proj.weight";
  return names;
}

constexpr NameMap bailingNames() {
  NameMap names = deepseekNames(false);
  names.embedding = "model.word_embeddings.weight";
  names.selectionBias = "mlp.gate.expert_bias";
  names.fusedQkv = "attention.query_key_value";
  names.output = "attention.dense";
  names.queryNorm = "attention.query_layernorm.weight";
  names.keyNorm = "attention.key_layernorm.weight";
  return names;
}

constexpr NameMap openMoeNames() {
  NameMap names = kLlamaLike;
  names.router = {};
  names.routerParameter = "mlp.gate_weight";
  names.expertGate = names.expertUp = names.expertDown = {};
  names.fusedGateUp = names.fusedDown = {};
  names.stackedGate = "mlp.experts.wi_gate";
  names.stackedUp = "mlp.experts.wi_up";
  names.stackedDown = "mlp.experts.wo";
  names.extraNorm = "pre_extra_mlp_layernorm.weight";
  names.extraGate = "extra_mlp.gate_proj.weight";
  names.extraUp = "extra_mlp.up_proj.weight";
  names.extraDown = "extra_mlp.down_proj.weight";
  return names;
}

constexpr NameMap kDbrx{
    .embedding = "transformer.wte.weight",
    .finalNorm = "transformer.norm_f.weight",
    .head = "lm_head.weight",
    .layerPrefix = "transformer.blocks.{l}.",
    .inputNorm = "norm_attn_norm.norm_1.weight",
    .postAttentionNorm = "norm_attn_norm.norm_2.weight",
    .output = "norm_attn_norm.attn.out_proj",
    .fusedQkv = "norm_attn_norm.attn.Wqkv",
    .router = "ffn.router.layer",
    .expertGate = "ffn.experts.mlp.w1",
    .expertUp = "ffn.experts.mlp.v1",
    .expertDown = "ffn.experts.mlp.w2",
};

constexpr NameMap kMixtral = mixtralNames(kMixtralInMemory);
constexpr NameMap kPhimoe = mixtralNames(kPhimoeInMemory);
constexpr NameMap kQwen2 = qwen2Names();
constexpr NameMap kGranite = graniteNames();
constexpr NameMap kDeepseekV2 = deepseekNames(false);
constexpr NameMap kDeepseekV3 = deepseekNames(true);
constexpr NameMap kGptOss = gptOssNames();
constexpr NameMap kFlexOlmo = flexOlmoNames();
constexpr NameMap kErnie = ernieNames();
constexpr NameMap kHunyuan = hunyuanNames();
constexpr NameMap kLlama4 = llama4Names();
constexpr NameMap kBailing = bailingNames();
constexpr NameMap kOpenMoe = openMoeNames();

constexpr std::array kFamilies{
    Family{"olmoe", "OlmoeForCausalLM", describeOlmoe, &kLlamaLike},
    Family{"mixtral", "MixtralForCausalLM", describeMixtral, &kMixtral},
    Family{"qwen3_moe", "Qwen3MoeForCausalLM", describeQwen3Moe, &kLlamaLike},
    Family{"qwen2_moe", "Qwen2MoeForCausalLM", describeQwen2Moe, &kQwen2},
    Family{"granitemoe", "GraniteMoeForCausalLM", describeGraniteMoe, &kGranite},
    Family{"granitemoeshared", "GraniteMoeSharedForCausalLM", describeGraniteMoeShared, &kGranite},
    Family{"glm4_moe", "Glm4MoeForCausalLM", describeGlm4Moe, &kDeepseekV3},
    Family{"dots1", "Dots1ForCausalLM", describeDots1, &kDeepseekV3},
    Family{"deepseek_v2", "DeepseekV2ForCausalLM", describeDeepseekV2, &kDeepseekV2},
    Family{"deepseek_v3", "DeepseekV3ForCausalLM", describeDeepseekV3, &kDeepseekV3},
    Family{"kimi_k2", "DeepseekV3ForCausalLM", describeDeepseekV3, &kDeepseekV3},
    Family{"gpt_oss", "GptOssForCausalLM", describeGptOss, &kGptOss},
    Family{"flex_olmo", "FlexOlmoForCausalLM", describeFlexOlmo, &kFlexOlmo},
    Family{"ernie4_5_moe", "Ernie4_5_MoeForCausalLM", describeErnieMoe, &kErnie},
    Family{"hunyuan_v1_moe", "HunYuanMoEV1ForCausalLM", describeHunyuanMoe, &kHunyuan},
    Family{"hunyuan", "HunYuanMoEV1ForCausalLM", describeHunyuanMoe, &kHunyuan},
    Family{"phimoe", "PhimoeForCausalLM", describePhimoe, &kPhimoe},
    Family{"llama4_text", "Llama4ForCausalLM", describeLlama4, &kLlama4},
    Family{"llama4", "Llama4ForConditionalGeneration", describeLlama4, &kLlama4},
    Family{"dbrx", "DbrxForCausalLM", describeDbrx, &kDbrx},
    Family{"bailing_moe_v2", "BailingMoeV2ForCausalLM", describeBailingMoeV2, &kBailing},
    Family{"openmoe", "OpenMoeForCausalLM", describeOpenMoe, &kOpenMoe},
};

}  // namespace

NameMap NameMap::withoutAttention() const {
  NameMap names;
  names.embedding = embedding;
  names.head = head;
  names.layerPrefix = layerPrefix;
  names.router = router;
  names.selectionBias = selectionBias;
  names.expertGate = expertGate;
  names.expertUp = expertUp;
  names.expertDown = expertDown;
  names.fusedGateUp = fusedGateUp;
  names.fusedDown = fusedDown;
  names.sharedGate = sharedGate;
  names.sharedUp = sharedUp;
  names.sharedDown = sharedDown;
  names.sharedGateUp = sharedGateUp;
  names.sharedRouter = sharedRouter;
  names.denseGate = denseGate;
  names.denseUp = denseUp;
  names.denseDown = denseDown;
  names.elsewhere = elsewhere;
  return names;
}

std::span<const Family> families() { return kFamilies; }

const Family* findFamily(std::string_view modelType) {
  for (const Family& family : kFamilies) {
    if (family.modelType == modelType) return &family;
  }
  return nullptr;
}

}  // namespace moescope::checkpoint
