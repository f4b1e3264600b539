#include "plugins/nllb_moe/nllb_adapter.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/plugin/plugin_registry.h"
#include "plugins/nllb_moe/nllb_forward.h"

namespace moescope::nllb_moe {

using checkpoint::ConfigReader;
using checkpoint::ModelDescription;

namespace {

constexpr int kMostLayers = 2048;

int whole(ConfigReader& config, const char* key, std::int64_t fallback, std::int64_t low, std::int64_t high) {
  return static_cast<int>(config.whole({key}, fallback, low, high));
}

/// A size that both parts have; an error where they differ.
int sharedSize(ConfigReader& config, const std::string& what, std::int64_t fallback, std::int64_t high) {
  const std::string encoderKey = "encoder_" + what;
  const std::string decoderKey = "decoder_" + what;
  const int encoder = whole(config, encoderKey.c_str(), fallback, 1, high);
  if (encoder != whole(config, decoderKey.c_str(), fallback, 1, high))
    config.error("config.bad_value", decoderKey, "differs from that of the encoder, which is not supported");
  return encoder;
}

/// Two choices whose weights are normalised after the dropping (or before, where the configuration says so),
/// and what the experts give is scaled by what their dropout kept in training.
RouterSpec describeRouter(ConfigReader& config) {
  RouterSpec router;
  router.experts = whole(config, "num_experts", 128, 2, 1 << 15);
  router.topK = 2;
  router.norm = WeightNorm::ClampedSum;
  router.normParameter = double{std::numeric_limits<float>::epsilon()};
  router.scale = 1.0 - config.number({"moe_token_dropout"}, 0.2, 0.0, 0.999);
  if (config.text("second_expert_policy", "all") != "all")
    config.error("config.bad_value", "second_expert_policy",
                 "draws the second expert at random, which is not supported", "use \"all\"");
  return router;
}

void describeCapacity(ConfigReader& config, ModelDescription& description) {
  const double share = config.number({"moe_eval_capacity_token_fraction"}, 1.0, -1e6, 1e6);
  if (share >= 1.0)
    return;  // a token's choices differ: an expert is never asked more often than once a token
  checkpoint::CapacitySpec capacity;
  capacity.rule = share > 0.0 ? checkpoint::CapacityRule::TokenShare : checkpoint::CapacityRule::Fixed;
  capacity.factor = share;
  capacity.minimum = whole(config, "expert_capacity", 64, 1, 1 << 26);
  capacity.renormalises = !config.flag("normalize_router_prob_before_dropping", false);
  if (config.flag("batch_prioritized_routing", false))
    config.error("config.bad_value", "batch_prioritized_routing",
                 "gives places by probability, which is not supported where experts have a capacity");
  description.capacity = capacity;
}

/// Of one part: every `step`-th layer has experts, none at 0.
void placeExperts(ModelDescription& description, RouterSpec router, int firstLayer, int layers, int step) {
  for (int i = 0; i < layers; ++i) {
    checkpoint::LayerSpec& layer = description.layerSpecs.emplace_back();
    if (step > 0 && (i + 1) % step == 0) {
      router.layer = {firstLayer + i};
      layer.router = static_cast<int>(description.routers.size());
      description.routers.push_back(router);
    } else {
      layer.denseIntermediateSize = description.experts.intermediateSize;
    }
  }
}

void describeAttention(ConfigReader& config, ModelDescription& description) {
  auto& attention = description.attention;
  attention.heads = attention.keyValueHeads = sharedSize(config, "attention_heads", 16, 4096);
  if (description.hiddenSize % attention.heads != 0)
    config.error("config.bad_value", "encoder_attention_heads", "does not divide d_model");
  attention.headDim = attention.valueDim = std::max(1, description.hiddenSize / attention.heads);
  attention.scale = 1.0 / std::sqrt(static_cast<double>(attention.headDim));
  attention.qkvBias = attention.outputBias = true;
  attention.positions = "sinusoidal positions";
}

}  // namespace

void NllbAdapter::describe(ConfigReader& config, ModelDescription& description) const {
  description.hiddenSize = whole(config, "d_model", 1024, 4, 1 << 18);
  description.vocabularySize = whole(config, "vocab_size", 128112, 1, 1 << 24);
  // Positions are computed: room for a source and a text of the longest length each.
  description.maxPositions = 2 * whole(config, "max_position_embeddings", 1024, 1, 1 << 25);
  description.norm = checkpoint::NormKind::LayerNorm;
  description.normEps = 1e-5;
  description.mlpBias = true;
  description.tiedHead = config.flag("tie_word_embeddings", true);
  if (config.flag("scale_embedding", true))
    description.embeddingMultiplier = std::sqrt(static_cast<double>(description.hiddenSize));
  description.endTokens = config.tokenIds("eos_token_id");
  if (!config.mentions("eos_token_id")) description.endTokens = {2};
  describeAttention(config, description);
  if (config.text("activation_function", "relu") != "relu")
    config.error("config.bad_value", "activation_function", "is not relu");
  description.experts.intermediateSize = sharedSize(config, "ffn_dim", 4096, 1 << 20);
  description.wideRouter = true;
  const auto layout = std::make_shared<Layout>();
  layout->padding = whole(config, "pad_token_id", 1, 0, 1 << 24);
  description.routerBias = config.flag("router_bias", false);
  description.adapterData = layout;

  const int encoder = whole(config, "encoder_layers", 12, 1, kMostLayers);
  const int decoder = whole(config, "decoder_layers", 12, 1, kMostLayers);
  description.layers = encoder + decoder;
  description.encoder = checkpoint::EncoderSpec{encoder, 2, {}};
  checkpoint::describeDecoderStart(config, *description.encoder);
  const RouterSpec router = describeRouter(config);
  placeExperts(description, router, 0, encoder, whole(config, "encoder_sparse_step", 4, 0, kMostLayers));
  placeExperts(description, router, encoder, decoder,
               whole(config, "decoder_sparse_step", 4, 0, kMostLayers));
  describeCapacity(config, description);
}

Result<checkpoint::AdapterNeeds> NllbAdapter::needs(const ModelDescription& description) const {
  checkpoint::AdapterNeeds needs;
  needs.names.embedding = "model.shared.weight";
  needs.names.head = "lm_head.weight";
  for (const char* part : {"encoder", "decoder"}) {
    const std::string prefix = fmt::format("model.{}.embed_", part);
    needs.ignored.push_back(prefix + "tokens.weight");
    needs.ignored.push_back(prefix + "positions.weights");  // computed
  }
  const std::int64_t hidden = description.hiddenSize;
  const std::int64_t inner = description.experts.intermediateSize;
  const auto vector = [&](const std::string& name, std::int64_t size, int router = -1) {
    needs.own.push_back({name, {size}, true, router});
  };
  const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in, int router = -1) {
    needs.own.push_back({name + ".weight", {out, in}, false, router});
    vector(name + ".bias", out, router);
  };
  const auto norm = [&](const std::string& name) {
    for (const char* part : {".weight", ".bias"}) vector(name + part, hidden);
  };
  const auto attention = [&](const AttentionNames& names) {
    norm(names.norm);
    for (const std::string& projection : {names.query, names.key, names.value, names.output})
      linear(projection, hidden, hidden);
  };
  for (int layer = 0; layer < description.layers; ++layer) {
    const LayerNames names(layer, description.encoder->layers);
    attention(names.self);
    if (names.isDecoder) attention(names.cross);
    norm(names.feedForwardNorm);
    const int router = description.layerSpecs[static_cast<std::size_t>(layer)].router;
    const int experts = router < 0 ? 1 : description.routers[static_cast<std::size_t>(router)].experts;
    for (int expert = 0; expert < experts; ++expert) {
      const std::string mlp = names.mlp(router < 0 ? -1 : expert);
      linear(mlp + "fc1", inner, hidden, router);
      linear(mlp + "fc2", hidden, inner, router);
    }
    if (router < 0) continue;
    needs.own.push_back({names.router + ".weight", {experts, hidden}});
    if (description.routerBias) vector(names.router + ".bias", experts);
  }
  norm(kEncoderNorm);
  norm(kDecoderNorm);
  needs.caches = engine::encoderDecoderCaches(description);
  return needs;
}

Result<std::unique_ptr<engine::ModelForward>> NllbAdapter::makeForward(engine::ForwardKit& kit) const {
  auto caches = engine::EncoderDecoderCaches::create(kit);
  if (!caches) return fail(std::move(caches).error());
  return std::make_unique<NllbForward>(kit, *std::move(caches));
}

}  // namespace moescope::nllb_moe

MOESCOPE_PLUGIN(nllb_moe) { registry.add(std::make_unique<moescope::nllb_moe::NllbAdapter>()); }
