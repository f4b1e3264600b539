#include "core/checkpoint/model_description.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/base/strict_json.h"
#include "core/checkpoint/adapter_check.h"
#include "core/checkpoint/family.h"
#include "core/checkpoint/model_adapter.h"
#include "core/checkpoint/nearest_family.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxConfigBytes = 16u << 20;
constexpr int kMaxLayers = 4096;
constexpr int kMaxHeads = 4096;
constexpr int kMaxWidth = 1 << 18;
constexpr std::int64_t kMaxExperts = 1 << 18;  // of all layers; the largest published model has 23 000
constexpr std::size_t kMaxKeysShown = 12;
constexpr std::size_t kMaxKeyShown = 40;

tl::unexpected<Error> jsonError(const std::string& file, const JsonError& error) {
  const char* kind = "config.not_json";
  if (error.fault == JsonFault::NotUtf8) kind = "config.not_utf8";
  if (error.fault == JsonFault::TooDeep) kind = "config.nesting_too_deep";
  return fail(kind, file, shown(error.where), shown(error.message), "fetch the file again");
}

Result<json> parseConfig(std::string_view text, const std::string& file) {
  auto config = parseStrictJson(text, {.maxDepth = 64, .maxBytes = kMaxConfigBytes});
  if (!config) return jsonError(file, config.error());
  if (!config->is_object())
    return fail("config.not_object", file, "", "is not a JSON object", "fetch the file again");
  return *std::move(config);
}

/// Keys that say how many experts or how routing works, so that a refusal shows what was seen.
std::string moeKeys(const json& config) {
  std::string keys;
  std::size_t count = 0;
  for (const auto& [key, value] : config.items()) {
    if (key.find("expert") == std::string::npos && key.find("moe") == std::string::npos &&
        key.find("router") == std::string::npos) {
      continue;
    }
    if (++count > kMaxKeysShown) return keys + ", ...";
    keys += (keys.empty() ? "" : ", ") + shown(key) + " " + shownValue(value);
  }
  return keys.empty() ? "no key about experts" : keys;
}

/// A row of the table, or an adapter.
struct FoundFamily {
  std::string modelType, architecture;
  const Family* builtIn = nullptr;
  std::shared_ptr<const ModelAdapter> adapter;

  void describe(ConfigReader& config, ModelDescription& description) const {
    if (builtIn != nullptr) return builtIn->describe(config, description);
    adapter->describe(config, description);
  }
};

/// The table has the first word; adapters are asked for what it does not know.
std::optional<FoundFamily> foundFamily(const std::string& type, const std::string& architecture) {
  // "llama" is the configuration class that openmoe borrows from a dense family.
  const bool byArchitecture = !architecture.empty() && (type.empty() || type == "llama");
  for (const Family& family : families()) {
    if (byArchitecture ? family.architecture == architecture : family.modelType == type)
      return FoundFamily{std::string(family.modelType), std::string(family.architecture), &family, nullptr};
  }
  for (const auto& adapter : knownAdapters()) {
    for (const AdapterFamily& family : adapter->info().families) {
      if (byArchitecture ? family.architecture == architecture : family.modelType == type)
        return FoundFamily{family.modelType, family.architecture, nullptr, adapter};
    }
  }
  return std::nullopt;
}

Result<FoundFamily> familyOf(ConfigReader& config, const json& document, const std::string& file) {
  const std::string type = config.text("model_type", "");
  std::string architecture;
  if (const auto* list = config.find("architectures");
      list != nullptr && list->is_array() && !list->empty() && list->front().is_string()) {
    architecture = list->front().get<std::string>();
  }
  if (!type.empty() || !architecture.empty()) {
    if (auto family = foundFamily(type, architecture)) return *std::move(family);
  }
  std::string supported;
  for (const auto& name : supportedFamilies()) supported += (supported.empty() ? "" : ", ") + name;
  const std::string title = type.empty()
                                ? "names no family"
                                : fmt::format("\"{}\" is not a family that MoEScope reads", shown(type));
  const NearestFamily nearest = nearestFamily(document);
  std::string known = fmt::format("the nearest supported family is {}", nearest.name);
  std::size_t named = 0;
  for (const std::string& key : nearest.notUnderstood) {
    if (key.size() > kMaxKeyShown || named == kMaxKeysShown) continue;
    known += (named++ == 0 ? ", which does not know " : ", ") + shown(key);
  }
  if (named < nearest.notUnderstood.size())
    known += fmt::format("{} {} more keys", named == 0 ? ", which does not know" : " and",
                         nearest.notUnderstood.size() - named);
  return fail("config.unknown_model_type", file, "model_type",
              fmt::format("{}; the file has {}; {}", title, moeKeys(document), known),
              "supported: " + supported);
}

void readBlockSize(ConfigReader& config, const json& quantisation, QuantisationSpec& spec) {
  const auto found = quantisation.find("weight_block_size");
  if (found == quantisation.end() || found->is_null()) return;
  const bool isPair = found->is_array() && found->size() == 2 &&
                      std::all_of(found->begin(), found->end(), [](const json& side) {
                        return side.is_number_unsigned() && side.get<std::uint64_t>() > 0 &&
                               side.get<std::uint64_t>() <= kMaxWidth;
                      });
  if (!isPair) {
    config.error("config.bad_value", "quantization_config.weight_block_size", "is not two sizes");
    return;
  }
  spec.blockRows = (*found)[0].get<std::int64_t>();
  spec.blockColumns = (*found)[1].get<std::int64_t>();
}

void describeQuantisation(ConfigReader& config, QuantisationSpec& spec) {
  const auto* quantisation = config.find("quantization_config");
  if (quantisation == nullptr) return;
  std::string method = "unnamed";
  if (quantisation->is_object() && quantisation->contains("quant_method")) {
    const auto& word = (*quantisation)["quant_method"];
    method = shownValue(word);
    if (word == "mxfp4") spec.kind = Quantisation::Mxfp4;
    if (word == "fp8") spec.kind = Quantisation::Float8Block;
  }
  if (spec.kind == Quantisation::None) {
    config.error("config.unsupported_quantisation", "quantization_config",
                 fmt::format("weights quantised by {} are not supported", method),
                 "use the F32, F16 or BF16 checkpoint, or one with fp8 blocks or mxfp4");
  } else if (spec.kind == Quantisation::Float8Block) {
    const auto format = quantisation->find("fmt");
    if (format != quantisation->end() && *format != "e4m3")
      config.error("config.unsupported_quantisation", "quantization_config.fmt",
                   fmt::format("the float8 format {} is not supported", shownValue(*format)),
                   "use the BF16 checkpoint");
    readBlockSize(config, *quantisation, spec);
  }
}

/// What the family's own reader need not know: sizes of everything together, the name in the file.
void checkTogether(ConfigReader& config, ModelDescription& description) {
  const auto experts =
      std::accumulate(description.routers.begin(), description.routers.end(), std::int64_t{0},
                      [](std::int64_t sum, const RouterSpec& router) { return sum + router.experts; });
  if (experts > kMaxExperts) {
    config.error(
        "config.bad_value", "num_experts",
        fmt::format("{} experts in {} layers are more than a model has", experts, description.layers));
  }
  const auto* list = config.find("architectures");
  if (list != nullptr && list->is_array() && !list->empty() && list->front().is_string()) {
    description.architecture = shown(list->front().get_ref<const std::string&>());
  }
}

/// generation_config.json has the last word on where generation begins and stops; a broken one is not
/// worth a refusal.
void readGenerationConfig(std::string_view text, ModelDescription& description) {
  const auto document = parseStrictJson(text);
  if (!document || !document->is_object()) {
    description.warnings.emplace_back("generation_config.json cannot be read; config.json counts instead");
    return;
  }
  ConfigReader reader(*document, "generation_config.json");
  if (auto ends = reader.tokenIds("eos_token_id"); !ends.empty()) description.endTokens = std::move(ends);
  if (const auto begin = reader.tokenIds("bos_token_id"); !begin.empty())
    description.beginToken = begin.front();
  if (description.encoder) describeDecoderStart(reader, *description.encoder);
  if (reader.firstError()) description.warnings.push_back(reader.firstError()->text());
}

}  // namespace

std::int64_t CapacitySpec::choices(std::int64_t tokens, const RouterSpec& router) const {
  if (rule == CapacityRule::Fixed) return minimum;
  if (rule == CapacityRule::TokenShare)
    return static_cast<std::int64_t>(std::ceil(factor * static_cast<double>(tokens)));
  const double share = router.topK * factor * static_cast<double>(tokens) / router.experts;
  const auto whole = static_cast<std::int64_t>(std::floor(share));
  return std::max<std::int64_t>(whole + whole % 2, minimum);
}

const RouterSpec* ModelDescription::routerOfLayer(LayerIndex layer) const {
  if (layer.value < 0 || layer.value >= layers) return nullptr;
  const int router = layerSpecs[static_cast<std::size_t>(layer.value)].router;
  return router < 0 ? nullptr : &routers[static_cast<std::size_t>(router)];
}

std::string_view name(RopeScaling scaling) {
  switch (scaling) {
    case RopeScaling::None: return "none";
    case RopeScaling::Linear: return "linear";
    case RopeScaling::Dynamic: return "dynamic";
    case RopeScaling::DynamicAlpha: return "dynamic with alpha";
    case RopeScaling::Yarn: return "yarn";
    case RopeScaling::Llama3: return "llama3";
    case RopeScaling::LongRope: return "longrope";
  }
  return "unknown";
}

std::string_view name(Quantisation quantisation) {
  switch (quantisation) {
    case Quantisation::None: return "none";
    case Quantisation::Float8Block: return "fp8";
    case Quantisation::Mxfp4: return "mxfp4";
  }
  return "unknown";
}

std::string_view name(ExpertStore store) {
  switch (store) {
    case ExpertStore::PerExpert: return "per_expert";
    case ExpertStore::FusedOutIn: return "fused_out_in";
    case ExpertStore::FusedInOut: return "fused_in_out";
    case ExpertStore::Flat: return "flat";
    case ExpertStore::Stacked: return "stacked";
    case ExpertStore::StackedInOut: return "stacked_in_out";
  }
  return "unknown";
}

std::vector<std::string> supportedFamilies() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.emplace_back(family.modelType);
  for (const auto& adapter : knownAdapters()) {
    for (const AdapterFamily& family : adapter->info().families) names.push_back(family.modelType);
  }
  return names;
}

void describeCommon(ConfigReader& config, ModelDescription& description, const CommonDefaults& defaults) {
  const auto width = [&](std::initializer_list<const char*> keys, int fallback, int high) {
    return static_cast<int>(config.whole(keys, fallback, 1, high));
  };
  description.hiddenSize = width({"hidden_size", "d_model"}, defaults.hiddenSize, kMaxWidth);
  description.layers = width({"num_hidden_layers", "n_layers"}, defaults.layers, kMaxLayers);
  description.vocabularySize = width({"vocab_size"}, defaults.vocabularySize, 1 << 24);
  description.maxPositions =
      width({"max_position_embeddings", "max_seq_len"}, defaults.maxPositions, 1 << 26);
  description.tiedHead = config.flag("tie_word_embeddings", defaults.tiedHead);
  description.normEps = config.number({"rms_norm_eps"}, defaults.normEps, 0.0, 1.0);
  description.endTokens = config.tokenIds("eos_token_id");
  if (!config.mentions("eos_token_id") && defaults.endToken &&
      *defaults.endToken < description.vocabularySize) {
    description.endTokens = {*defaults.endToken};
  }
  if (const auto begin = config.tokenIds("bos_token_id"); !begin.empty())
    description.beginToken = begin.front();
  auto& attention = description.attention;
  attention.heads = width({"num_attention_heads", "n_heads"}, defaults.heads, kMaxHeads);
  const int keyValueHeads = defaults.keyValueHeads > 0 && !config.mentions("num_key_value_heads")
                                ? defaults.keyValueHeads
                                : attention.heads;
  attention.keyValueHeads = width({"num_key_value_heads"}, keyValueHeads, kMaxHeads);
  const int headDim =
      defaults.headDim > 0 ? defaults.headDim : std::max(1, description.hiddenSize / attention.heads);
  attention.headDim = width({"head_dim"}, headDim, kMaxWidth);
  attention.valueDim = attention.headDim;
  attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.headDim));
  if (defaults.headDim == 0 && config.find("head_dim") == nullptr &&
      description.hiddenSize % attention.heads != 0) {
    config.error("config.bad_value", "num_attention_heads", "does not divide hidden_size");
  }
  if (attention.heads % attention.keyValueHeads != 0) {
    config.error("config.bad_value", "num_key_value_heads", "does not divide num_attention_heads");
  }
  const std::string wanted(defaults.activation);
  const std::string act = config.text("hidden_act", "silu");
  if (act != wanted && !(act == "swish" && wanted == "silu")) {
    config.error("config.bad_value", "hidden_act", fmt::format("\"{}\" is not {}", shown(act), wanted));
  }
  describeRope(config, attention.rope,
               {attention.headDim, defaults.ropeTheta, defaults.partialRotary, description.maxPositions});
  description.layerSpecs.resize(static_cast<std::size_t>(description.layers));
}

void describeDecoderStart(ConfigReader& config, EncoderSpec& encoder) {
  if (const auto start = config.tokenIds("decoder_start_token_id"); !start.empty())
    encoder.decoderStart = start.front();
  if (const auto forced = config.tokenIds("forced_bos_token_id"); !forced.empty())
    encoder.forcedBegin = forced.front();
}

namespace {

/// What holds for every encoder-decoder: its source begins as the tokenizer says, and its routers know which
/// part they belong to.
Result<void> finishEncoder(ModelDescription& description, const std::string& file) {
  const EncoderSpec& encoder = *description.encoder;
  description.beginToken.reset();
  for (RouterSpec& router : description.routers) router.encoderLayers = encoder.layers;
  const auto isOutside = [&](std::int32_t id) { return id < 0 || id >= description.vocabularySize; };
  if (isOutside(encoder.decoderStart) || (encoder.forcedBegin && isOutside(*encoder.forcedBegin))) {
    return fail("config.bad_value", file, "decoder_start_token_id, forced_bos_token_id",
                fmt::format("a token is outside the vocabulary of {}", description.vocabularySize),
                "fetch the file again");
  }
  return {};
}

}  // namespace

Result<ModelDescription> describeModel(std::string_view configText, const std::string& file,
                                       std::string_view generationConfigText, Definition definition) {
  auto document = parseConfig(configText, file);
  if (!document) return fail(document.error());
  // A multimodal model's configuration holds that of its language model.
  const auto text = document->find("text_config");
  const bool isWrapped = text != document->end() && text->is_object() && text->contains("model_type");
  const json& language = isWrapped ? *text : *document;
  ConfigReader config(language, file);
  const auto family = familyOf(config, language, file);
  if (!family) return fail(family.error());

  ModelDescription description;
  description.family = family->modelType;
  description.architecture = family->architecture;
  description.adapter = family->adapter;
  description.configJson = document->dump();
  description.likeTransformers = definition == Definition::Transformers;
  ConfigReader whole(*document, file);
  describeQuantisation(whole, description.quantisation);
  if (whole.firstError()) return fail(*whole.firstError());
  family->describe(config, description);
  if (config.firstError()) return fail(*config.firstError());
  if (description.adapter != nullptr) {
    if (auto checked = checkDescribed(description, file); !checked) return fail(checked.error());
  }
  checkTogether(config, description);
  if (config.firstError()) return fail(*config.firstError());
  const auto isMoe = [](const LayerSpec& layer) { return layer.router >= 0; };
  if (std::none_of(description.layerSpecs.begin(), description.layerSpecs.end(), isMoe))
    return fail("config.bad_value", file, "", "no layer has experts", "choose a mixture-of-experts model");
  if (!generationConfigText.empty()) readGenerationConfig(generationConfigText, description);
  if (description.encoder) {
    if (auto checked = finishEncoder(description, file); !checked) return fail(checked.error());
  }
  if (description.beginToken && *description.beginToken >= description.vocabularySize) {
    description.warnings.push_back(
        fmt::format("the begin token {} is outside the vocabulary of {} and is not used",
                    *description.beginToken, description.vocabularySize));
    description.beginToken.reset();
  }
  return description;
}

}  // namespace moescope::checkpoint
