#include "core/checkpoint/gguf_config.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/base/strict_json.h"
#include "core/checkpoint/gguf_translation.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

using nlohmann::json;

constexpr std::int64_t kMostLayersListed = 4096;
constexpr std::int64_t kSoftmax = 1, kSigmoid = 2, kSoftmaxOfChosen = 3;  // expert_gating_func

// ---- what every architecture has

void translateEnds(GgufTranslation& t) {
  json ends = json::array();
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
    const json id = t.value(key);
    if (!id.is_null() && std::find(ends.begin(), ends.end(), id) == ends.end()) ends.push_back(id);
  }
  t.set("eos_token_id", "tokenizer.ggml.eos_token_id", ends.empty() ? json(nullptr) : ends);
  t.may("bos_token_id", "tokenizer.ggml.bos_token_id", nullptr);
  if (t.value("tokenizer.ggml.add_bos_token") == false) t.config["bos_token_id"] = nullptr;
}

/// YaRN's magnitude: GGUF keeps a tenth of mscale_all_dim and takes mscale to be the same; attn_factor is
/// beside YaRN's own.
void translateYarn(GgufTranslation& t, json& rope) {
  const double factor = rope["factor"].is_number() ? rope["factor"].get<double>() : 1.0;
  const double all = t.number("rope.scaling.yarn_log_multiplier", 0.0) * 10.0;
  if (all != 0.0) rope["mscale"] = rope["mscale_all_dim"] = all;
  const double extra = t.number("rope.scaling.attn_factor", t.number("rope.scaling.yarn_attn_factor", 1.0));
  if (extra != 1.0) rope["attention_factor"] = extra * (factor > 1.0 ? 0.1 * std::log(factor) + 1.0 : 1.0);
  for (const char* side : {"beta_fast", "beta_slow"}) {
    const double beta = t.number(std::string("rope.scaling.yarn_") + side, 0.0);
    if (beta > 0.0) rope[side] = beta;
  }
  const json original = t.value("rope.scaling.original_context_length");
  if (!original.is_null()) rope["original_max_position_embeddings"] = original;
}

void translateRope(GgufTranslation& t) {
  json rope{{"rope_type", "default"}, {"rope_theta", t.number("rope.freq_base", 10000.0)}};
  const json kind = t.value("rope.scaling.type");
  const json factor = t.value("rope.scaling.factor");
  if (kind == "linear" || kind == "yarn") {
    rope["rope_type"] = kind;
    rope["factor"] = factor;
    if (factor.is_null()) t.error("gguf.missing_key", t.keyOf("rope.scaling.factor"), "is missing");
    if (kind == "yarn") translateYarn(t, rope);
  } else if (!kind.is_null() && kind != "none") {
    t.error("gguf.unsupported_value", t.keyOf("rope.scaling.type"),
            fmt::format("the kind of RoPE {} is not read from GGUF files", shownValue(kind)));
  }
  // Scalings that are stored as factors a channel.
  for (const char* name : {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"}) {
    if (t.hasTensor(name))
      t.error("gguf.unsupported_value", name, "RoPE factors that are stored as a tensor are not read");
  }
  t.set("rope_parameters", "rope.scaling.type", rope);
}

void translateCommon(GgufTranslation& t, const GgufFile& file) {
  t.need("hidden_size", "embedding_length");
  t.need("num_attention_heads", "attention.head_count");
  t.may("num_key_value_heads", "attention.head_count_kv", t.config["num_attention_heads"]);
  t.need("rms_norm_eps", "attention.layer_norm_rms_epsilon");
  t.need("max_position_embeddings", "context_length");
  // Layers at the end that predict further tokens are left out.
  t.need("num_hidden_layers", "block_count");
  std::int64_t layers = t.whole("block_count", 0);
  while (layers > 0 && t.hasTensor(fmt::format("blk.{}.nextn.eh_proj.weight", layers - 1))) --layers;
  t.config["num_hidden_layers"] = layers;
  const auto embedding = file.tensors.find("token_embd.weight");
  if (embedding != file.tensors.end())
    t.set("vocab_size", "vocab_size", embedding->second.shape.front());
  else
    t.need("vocab_size", "vocab_size");
  t.config["tie_word_embeddings"] = !t.hasTensor("output.weight");
  t.config["attention_bias"] = t.hasTensor("blk.0.attn_q.bias");
  if (const json headDim = t.value("attention.key_length"); !headDim.is_null())
    t.set("head_dim", "attention.key_length", headDim);
  translateRope(t);
  translateEnds(t);
}

void translateExperts(GgufTranslation& t, const char* widthKey, const char* widthSuffix) {
  t.need("num_experts", "expert_count");
  t.need("num_experts_per_tok", "expert_used_count");
  t.need(widthKey, widthSuffix);
}

/// Which router mathematics the file asks for; most architectures know only one.
void requireGating(GgufTranslation& t, std::int64_t only) {
  const std::int64_t gating = t.whole("expert_gating_func", only);
  if (gating != only && gating != 0)
    t.error("gguf.unsupported_value", t.keyOf("expert_gating_func"),
            fmt::format("is {}, but the routers of this architecture have {}", gating, only));
}

/// A layer is dense if it has no router.
json denseLayers(const GgufTranslation& t) {
  json dense = json::array();
  const json& layers = t.config.at("num_hidden_layers");
  for (std::int64_t layer = 0; layer < std::min<std::int64_t>(layers.get<std::int64_t>(), kMostLayersListed);
       ++layer) {
    if (!t.hasTensor(fmt::format("blk.{}.ffn_gate_inp.weight", layer))) dense.push_back(layer);
  }
  return dense;
}

// ---- one architecture each

void translateLlama(GgufTranslation& t) {
  t.config["model_type"] = "mixtral";
  requireGating(t, kSoftmax);
  translateExperts(t, "intermediate_size", "feed_forward_length");
  t.may("sliding_window", "attention.sliding_window", nullptr);
}

void translateOlmoe(GgufTranslation& t) {
  t.config["model_type"] = "olmoe";
  requireGating(t, kSoftmax);
  translateExperts(t, "intermediate_size", "feed_forward_length");
  t.may("clip_qkv", "attention.clamp_kqv", nullptr);
  t.may("norm_topk_prob", "expert_weights_norm", false);
}

void translateQwen(GgufTranslation& t, bool normalised) {
  requireGating(t, kSoftmax);
  translateExperts(t, "moe_intermediate_size", "expert_feed_forward_length");
  t.may("norm_topk_prob", "expert_weights_norm", normalised);
  t.config["mlp_only_layers"] = denseLayers(t);
  if (!t.config["mlp_only_layers"].empty()) t.need("intermediate_size", "feed_forward_length");
}

void translateQwen2(GgufTranslation& t) {
  t.config["model_type"] = "qwen2_moe";
  translateQwen(t, false);
  t.config["qkv_bias"] = t.config["attention_bias"];
  t.need("shared_expert_intermediate_size", "expert_shared_feed_forward_length");
}

void translateQwen3(GgufTranslation& t) {
  t.config["model_type"] = "qwen3_moe";
  translateQwen(t, true);
}

/// Shared experts, groups and the scaling of deepseek2 and glm4moe.
void translateDeepseekRouter(GgufTranslation& t) {
  translateExperts(t, "moe_intermediate_size", "expert_feed_forward_length");
  t.may("first_k_dense_replace", "leading_dense_block_count", 0);
  if (t.config["first_k_dense_replace"] != 0) t.need("intermediate_size", "feed_forward_length");
  t.may("n_shared_experts", "expert_shared_count", 0);
  t.may("routed_scaling_factor", "expert_weights_scale", 1.0);
  t.may("norm_topk_prob", "expert_weights_norm", false);
  t.may("n_group", "expert_group_count", 1);
  t.may("topk_group", "expert_group_used_count", 1);
}

void translateDeepseek2(GgufTranslation& t) {
  const std::int64_t gating = t.whole("expert_gating_func", kSoftmax);
  const bool isSigmoid = gating == kSigmoid;
  if (!isSigmoid) requireGating(t, kSoftmax);
  t.config["model_type"] = isSigmoid ? "deepseek_v3" : "deepseek_v2";
  translateDeepseekRouter(t);
  if (!isSigmoid) t.config["topk_method"] = t.config["n_group"] == 1 ? "greedy" : "group_limited_greedy";
  // Latent attention: newer files keep the widths as they are under names of their own.
  const std::int64_t rotary = t.whole("rope.dimension_count", 0);
  const std::string mla = t.value("attention.key_length_mla").is_null() ? "" : "_mla";
  t.set("qk_rope_head_dim", "rope.dimension_count", rotary);
  t.set("qk_nope_head_dim", "attention.key_length" + mla, t.whole("attention.key_length" + mla, 0) - rotary);
  t.need("v_head_dim", "attention.value_length" + mla);
  t.need("kv_lora_rank", "attention.kv_lora_rank");
  t.may("q_lora_rank", "attention.q_lora_rank", nullptr);
  t.set("head_dim", "rope.dimension_count", rotary);
  t.config["num_key_value_heads"] = t.config["num_attention_heads"];
  t.config["attention_bias"] = false;
}

void translateGlm4(GgufTranslation& t) {
  t.config["model_type"] = "glm4_moe";
  requireGating(t, kSigmoid);
  translateDeepseekRouter(t);
  // They are counted even where the file leaves their tensors out.
  const std::int64_t further = t.whole("block_count", 0) - t.whole("nextn_predict_layers", 0);
  t.config["num_hidden_layers"] = std::min(t.config["num_hidden_layers"].get<std::int64_t>(), further);
  t.config["use_qk_norm"] = t.hasTensor("blk.0.attn_q_norm.weight");
}

void translateGptOss(GgufTranslation& t) {
  t.config["model_type"] = "gpt_oss";
  requireGating(t, kSoftmaxOfChosen);
  translateExperts(t, "intermediate_size", "expert_feed_forward_length");
  t.may("sliding_window", "attention.sliding_window", nullptr);
  // One number a layer; without it all take that of the class.
  json limit = t.value("swiglu_clamp_exp");
  if (limit.is_array() &&
      std::all_of(limit.begin(), limit.end(), [&](const json& each) { return each == limit[0]; }))
    limit = json(limit[0]);
  if (!limit.is_null()) t.set("swiglu_limit", "swiglu_clamp_exp", limit);
  if (t.config["rope_parameters"]["rope_type"] == "yarn") t.config["rope_parameters"]["truncate"] = false;
}

// ---- names

constexpr NameMap kUsual{
    .embedding = "token_embd.weight",
    .finalNorm = "output_norm.weight",
    .head = "output.weight",
    .layerPrefix = "blk.{l}.",
    .inputNorm = "attn_norm.weight",
    .postAttentionNorm = "ffn_norm.weight",
    .query = "attn_q",
    .key = "attn_k",
    .value = "attn_v",
    .output = "attn_output",
    .queryNorm = "attn_q_norm.weight",
    .keyNorm = "attn_k_norm.weight",
    .sinks = "attn_sinks.weight",
    .queryDown = "attn_q_a",
    .queryDownNorm = "attn_q_a_norm.weight",
    .queryUp = "attn_q_b",
    .keyValueDown = "attn_kv_a_mqa",
    .keyValueDownNorm = "attn_kv_a_norm.weight",
    .keyValueUp = "attn_kv_b",
    .router = "ffn_gate_inp",
    .expertGate = "ffn_gate.{e}.weight",
    .expertUp = "ffn_up.{e}.weight",
    .expertDown = "ffn_down.{e}.weight",
    .fusedGateUp = "ffn_gate_up_exps.weight",
    .fusedDown = "ffn_down_exps.weight",
    .stackedGate = "ffn_gate_exps.weight",
    .stackedUp = "ffn_up_exps.weight",
    .stackedDown = "ffn_down_exps.weight",
    .sharedGate = "ffn_gate_shexp.weight",
    .sharedUp = "ffn_up_shexp.weight",
    .sharedDown = "ffn_down_shexp.weight",
    .sharedRouter = "ffn_gate_inp_shexp",
    .denseGate = "ffn_gate.weight",
    .denseUp = "ffn_up.weight",
    .denseDown = "ffn_down.weight",
};

constexpr NameMap namesWith(std::string_view selectionBias, std::string_view postAttentionNorm) {
  NameMap names = kUsual;
  names.selectionBias = selectionBias;
  names.postAttentionNorm = postAttentionNorm;
  return names;
}

constexpr NameMap kBiased = namesWith("exp_probs_b.bias", kUsual.postAttentionNorm);
constexpr NameMap kGlm4 = namesWith("exp_probs_b.bias", "post_attention_norm.weight");
constexpr NameMap kGptOss = namesWith({}, "post_attention_norm.weight");

struct Row {
  std::string_view name;
  void (*translate)(GgufTranslation& t);
  const NameMap* names;
};
constexpr std::array kRows{
    Row{"llama", translateLlama, &kUsual},         Row{"olmoe", translateOlmoe, &kUsual},
    Row{"qwen2moe", translateQwen2, &kUsual},      Row{"qwen3moe", translateQwen3, &kUsual},
    Row{"deepseek2", translateDeepseek2, &kUsual}, Row{"glm4moe", translateGlm4, &kGlm4},
    Row{"gpt-oss", translateGptOss, &kGptOss},
};

Result<const Row*> rowOf(const GgufFile& file, const std::string& displayName) {
  constexpr auto kKey = "general.architecture";
  const auto found = file.metadata.find(kKey);
  const auto* word = found == file.metadata.end() ? nullptr : std::get_if<std::string_view>(&found->second);
  if (word == nullptr || !isValidUtf8(*word))
    return fail("gguf.missing_key", displayName, std::string("key ") + kKey, "is missing or not a text",
                "convert the model again with a current llama.cpp");
  std::string supported;
  for (const Row& row : kRows) {
    if (row.name == *word) return &row;
    supported += (supported.empty() ? "" : ", ") + std::string(row.name);
  }
  return fail("gguf.unsupported_architecture", displayName, std::string("key ") + kKey,
              fmt::format("\"{}\" is not an architecture that MoEScope reads from GGUF files", shown(*word)),
              "supported: " + supported);
}

Result<void> requireOneFile(const GgufFile& file, const std::string& displayName) {
  const auto found = file.metadata.find("split.count");
  if (found == file.metadata.end()) return {};
  const auto* parts = std::get_if<std::uint64_t>(&found->second);
  if (parts != nullptr && *parts <= 1) return {};
  return fail("gguf.split", displayName, "key split.count",
              "is one of several files that hold the model together",
              "join them with llama-gguf-split --merge");
}

/// What no config.json says.
void finish(GgufTranslation& t, std::string_view architecture, ModelDescription& description) {
  auto& attention = description.attention;
  const std::int64_t rotary = t.whole("rope.dimension_count", attention.rope.rotaryDim);
  const int most = attention.latent ? attention.latent->ropeDim : attention.headDim;
  if (rotary < 2 || rotary > most || rotary % 2 != 0) {
    t.error("gguf.unsupported_value", t.keyOf("rope.dimension_count"),
            fmt::format("{} channels of a head of {} cannot rotate", rotary, most));
    return;
  }
  attention.rope.rotaryDim = static_cast<int>(rotary);
  // Converters write the rows of queries and keys so that neighbours rotate together.
  if (architecture == "llama") attention.rope.layout = RopeLayout::Interleaved;
  description.experts.store = ExpertStore::PerExpert;  // until the names are seen
  description.experts.interleaved = false;
  const double scale = t.number("expert_weights_scale", 1.0);
  for (RouterSpec& router : description.routers) {
    if (scale > 0.0) router.scale = scale;
  }
  if (architecture == "deepseek2" && t.value("expert_group_count").is_null()) {
    description.warnings.emplace_back(
        "the file does not say whether experts are chosen in groups; all of a layer compete");
  }
}

}  // namespace

Result<const NameMap*> ggufNames(const GgufFile& file, const std::string& displayName,
                                 const ModelDescription& description) {
  const auto row = rowOf(file, displayName);
  if (!row) return fail(row.error());
  return description.family == "deepseek_v3" ? &kBiased : (*row)->names;
}

Result<ModelDescription> describeGguf(const GgufFile& file, const std::string& displayName,
                                      Definition definition) {
  if (auto whole = requireOneFile(file, displayName); !whole) return fail(whole.error());
  const auto row = rowOf(file, displayName);
  if (!row) return fail(row.error());
  GgufTranslation t(file, displayName, (*row)->name);
  if (t.whole("expert_count", 0) == 0 && !t.firstError())
    t.error("gguf.no_experts", t.keyOf("expert_count"), "says that the model has no experts");
  translateCommon(t, file);
  if (!t.firstError()) (*row)->translate(t);
  if (t.firstError()) return fail(*t.firstError());
  auto description = describeModel(t.config.dump(), displayName, {}, definition);
  if (!description) {
    Error error = description.error();
    error.where = t.originOf(error.where);
    return fail(std::move(error));
  }
  finish(t, (*row)->name, *description);
  if (t.firstError()) return fail(*t.firstError());
  return description;
}

}  // namespace moescope::checkpoint
