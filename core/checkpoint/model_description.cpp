#include "core/checkpoint/model_description.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/strict_json.h"
#include "core/checkpoint/family.h"

namespace moescope::checkpoint {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxConfigBytes = 16u << 20;
constexpr int kMaxLayers = 4096;
constexpr int kMaxHeads = 4096;
constexpr int kMaxWidth = 1 << 18;

tl::unexpected<Error> jsonError(const std::string& file, const JsonError& error) {
  const char* kind = "config.not_json";
  if (error.fault == JsonFault::NotUtf8) kind = "config.not_utf8";
  if (error.fault == JsonFault::TooDeep) kind = "config.nesting_too_deep";
  return fail(kind, file, error.where, error.message, "fetch the file again");
}

Result<json> parseConfig(std::string_view text, const std::string& file) {
  auto config = parseStrictJson(text, {.maxDepth = 64, .maxBytes = kMaxConfigBytes});
  if (!config) return jsonError(file, config.error());
  if (!config->is_object()) return fail("config.not_object", file, "", "is not a JSON object", "fetch the file again");
  return *std::move(config);
}

/// Keys that say how many experts or how routing works, so that a refusal shows what was seen.
std::string moeKeys(const json& config) {
  std::string keys;
  for (const auto& [key, value] : config.items()) {
    if (key.find("expert") == std::string::npos && key.find("moe") == std::string::npos &&
        key.find("router") == std::string::npos) {
      continue;
    }
    keys += (keys.empty() ? "" : ", ") + key + " " + value.dump();
  }
  return keys.empty() ? "no key about experts" : keys;
}

Result<const Family*> familyOf(ConfigReader& config, const json& document, const std::string& file) {
  std::string type = config.text("model_type", "");
  if (const auto* list = config.find("architectures"); type.empty() && list != nullptr && list->is_array()) {
    for (const Family& family : families()) {
      if (!list->empty() && list->front() == std::string(family.architecture)) type = family.modelType;
    }
  }
  if (const Family* family = findFamily(type)) return family;
  std::string supported;
  for (const auto& name : supportedFamilies()) supported += (supported.empty() ? "" : ", ") + name;
  return fail("config.unknown_model_type", file, "model_type",
              fmt::format("\"{}\" is not a family that MoEScope reads; it has {}", type, moeKeys(document)),
              "supported: " + supported);
}

void checkQuantisation(ConfigReader& config) {
  const auto* quantisation = config.find("quantization_config");
  if (quantisation == nullptr) return;
  std::string method = "unnamed";
  if (quantisation->is_object() && quantisation->contains("quant_method")) {
    method = (*quantisation)["quant_method"].dump();
  }
  config.error("config.unsupported_quantisation", "quantization_config",
               fmt::format("weights quantised by {} are not supported", method), "use the F32, F16 or BF16 checkpoint");
}

}  // namespace

const RouterSpec* ModelDescription::routerOfLayer(LayerIndex layer) const {
  for (const RouterSpec& router : routers) {
    if (router.layer == layer) return &router;
  }
  return nullptr;
}

std::vector<std::string> supportedFamilies() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.emplace_back(family.modelType);
  return names;
}

void describeCommon(ConfigReader& config, ModelDescription& description, const CommonDefaults& defaults) {
  const auto width = [&](std::initializer_list<const char*> keys, int fallback, int high) {
    return static_cast<int>(config.whole(keys, fallback, 1, high));
  };
  description.hiddenSize = width({"hidden_size"}, defaults.hiddenSize, kMaxWidth);
  description.layers = width({"num_hidden_layers"}, defaults.layers, kMaxLayers);
  description.vocabularySize = width({"vocab_size"}, defaults.vocabularySize, 1 << 24);
  description.maxPositions = width({"max_position_embeddings"}, defaults.maxPositions, 1 << 26);
  description.tiedHead = config.flag("tie_word_embeddings", false);
  description.normEps = config.number({"rms_norm_eps"}, defaults.normEps, 0.0, 1.0);
  description.endTokens = config.tokenIds("eos_token_id");
  auto& attention = description.attention;
  attention.heads = width({"num_attention_heads"}, defaults.heads, kMaxHeads);
  attention.keyValueHeads = width({"num_key_value_heads"}, attention.heads, kMaxHeads);
  attention.headDim = width({"head_dim"}, std::max(1, description.hiddenSize / attention.heads), kMaxWidth);
  attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.headDim));
  if (config.find("head_dim") == nullptr && description.hiddenSize % attention.heads != 0) {
    config.error("config.bad_value", "num_attention_heads", "does not divide hidden_size");
  }
  if (attention.heads % attention.keyValueHeads != 0) {
    config.error("config.bad_value", "num_key_value_heads", "does not divide num_attention_heads");
  }
  if (const std::string act = config.text("hidden_act", "silu"); act != "silu") {
    config.error("config.bad_value", "hidden_act", fmt::format("\"{}\" is not silu", act));
  }
  describeRope(config, attention.rope, attention.headDim, defaults.ropeTheta);
}

void describeRope(ConfigReader& config, RopeSpec& rope, int headDim, double defaultTheta) {
  rope.theta = config.number({"rope_theta"}, defaultTheta, 1.0, 1e12);
  double partial = config.number({"partial_rotary_factor"}, 1.0, 0.0, 1.0);
  // New files hold one dict of everything, old ones rope_scaling beside rope_theta.
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const auto* dict = config.find(key);
    if (dict == nullptr) continue;
    if (!dict->is_object()) {
      config.error("config.wrong_type", key, "is not an object");
      return;
    }
    ConfigReader inner(*dict, {});
    rope.theta = inner.number({"rope_theta"}, rope.theta, 1.0, 1e12);
    partial = inner.number({"partial_rotary_factor"}, partial, 0.0, 1.0);
    const std::string kind = inner.text("rope_type", inner.text("type", "default"));
    if (kind == "linear") {
      rope.scaling = RopeScaling::Linear;
      rope.factor = inner.number({"factor"}, 1.0, 1e-6, 1e6);
    } else if (kind != "default") {
      config.error("config.bad_value", key, fmt::format("the RoPE kind \"{}\" is not supported", kind));
    }
    if (inner.firstError()) config.error("config.bad_value", key, inner.firstError()->message);
  }
  rope.rotaryDim = static_cast<int>(headDim * partial) / 2 * 2;
  if (rope.rotaryDim == 0) config.error("config.bad_value", "head_dim", "leaves no channel to rotate");
}

Result<ModelDescription> describeModel(std::string_view configText, const std::string& file,
                                       std::string_view generationConfigText) {
  auto document = parseConfig(configText, file);
  if (!document) return fail(document.error());
  ConfigReader config(*document, file);
  const auto family = familyOf(config, *document, file);
  if (!family) return fail(family.error());

  ModelDescription description;
  description.family = (*family)->modelType;
  description.architecture = (*family)->architecture;
  description.configJson = document->dump();
  checkQuantisation(config);
  (*family)->describe(config, description);
  if (config.firstError()) return fail(*config.firstError());
  // generation_config.json has the last word on where generation stops; a broken one is not worth a refusal.
  if (const auto generation = parseStrictJson(generationConfigText); generation && generation->is_object()) {
    ConfigReader reader(*generation, "generation_config.json");
    if (auto ends = reader.tokenIds("eos_token_id"); !ends.empty()) description.endTokens = std::move(ends);
    if (reader.firstError()) description.warnings.push_back(reader.firstError()->text());
  }
  return description;
}

}  // namespace moescope::checkpoint
