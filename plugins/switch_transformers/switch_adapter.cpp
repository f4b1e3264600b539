#include "plugins/switch_transformers/switch_adapter.h"

#include <cmath>

#include "core/plugin/plugin_registry.h"
#include "plugins/switch_transformers/switch_forward.h"

namespace moescope::switch_transformers {

using checkpoint::ConfigReader;
using checkpoint::ModelDescription;

namespace {

constexpr int kMostLayers = 2048;

struct Sizes {
  int layers, sparseLayers;
};

/// Of one part; `step` as transformers forms it from the number of layers that are to have experts.
void placeExperts(ModelDescription& description, RouterSpec router, int firstLayer, const Sizes& sizes) {
  const int step = sizes.sparseLayers > 0 ? sizes.layers / sizes.sparseLayers : sizes.layers;
  for (int i = 0; i < sizes.layers; ++i) {
    checkpoint::LayerSpec& layer = description.layerSpecs.emplace_back();
    if (step > 0 && (step == 1 || i % step == 1)) {
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
  attention.heads = static_cast<int>(config.whole({"num_heads", "num_attention_heads"}, 12, 1, 4096));
  attention.keyValueHeads = attention.heads;
  attention.headDim = attention.valueDim = static_cast<int>(config.whole({"d_kv"}, 64, 1, 1 << 18));
  attention.scale = 1.0;
  const auto layout = std::make_shared<Layout>();
  layout->buckets = static_cast<int>(config.whole({"relative_attention_num_buckets"}, 32, 4, 1 << 16));
  layout->maxDistance = static_cast<int>(config.whole({"relative_attention_max_distance"}, 128, 1, 1 << 26));
  if (layout->maxDistance <= layout->buckets / 2)
    config.error("config.bad_value", "relative_attention_max_distance",
                 "is not beyond the distances that have a bucket of their own");
  description.routerBias = config.flag("router_bias", false);
  attention.positions = "relative position biases";
  description.adapterData = layout;
}

}  // namespace

void SwitchAdapter::describe(ConfigReader& config, ModelDescription& description) const {
  const auto whole = [&](std::initializer_list<const char*> keys, std::int64_t fallback, std::int64_t low,
                         std::int64_t high) {
    return static_cast<int>(config.whole(keys, fallback, low, high));
  };
  description.hiddenSize = whole({"d_model", "hidden_size"}, 768, 1, 1 << 18);
  description.vocabularySize = whole({"vocab_size"}, 32128, 1, 1 << 24);
  // Biases reach any distance: room for a source and a text of the length that the authors trained with.
  description.maxPositions = 2 * whole({"n_positions"}, 512, 1, 1 << 25);
  description.normEps = config.number({"layer_norm_epsilon"}, 1e-6, 0.0, 1.0);
  description.tiedHead = config.flag("tie_word_embeddings", true);
  if (description.tiedHead) description.logitDivisor = std::sqrt(static_cast<double>(description.hiddenSize));
  description.endTokens = config.tokenIds("eos_token_id");
  if (!config.mentions("eos_token_id")) description.endTokens = {1};
  describeAttention(config, description);
  if (config.text("dense_act_fn", "relu") != "relu")
    config.error("config.bad_value", "dense_act_fn", "is not relu");
  description.experts.intermediateSize = whole({"d_ff"}, 2048, 1, 1 << 20);
  description.wideRouter = true;

  const int layers = whole({"num_layers", "num_hidden_layers"}, 12, 1, kMostLayers);
  const Sizes encoder{layers, whole({"num_sparse_encoder_layers"}, 3, 0, kMostLayers)};
  const Sizes decoder{
      whole({"num_decoder_layers"}, config.mentions("num_decoder_layers") ? layers : 12, 1, kMostLayers),
      whole({"num_sparse_decoder_layers"}, 3, 0, kMostLayers)};
  description.layers = encoder.layers + decoder.layers;
  const std::vector<std::int32_t> pad = config.tokenIds("pad_token_id");
  description.encoder = checkpoint::EncoderSpec{encoder.layers, pad.empty() ? 0 : pad.front(), {}};
  checkpoint::describeDecoderStart(config, *description.encoder);
  RouterSpec router;
  router.experts = whole({"num_experts"}, 8, 1, 1 << 15);
  router.topK = 1;
  placeExperts(description, router, 0, encoder);
  placeExperts(description, router, encoder.layers, decoder);
  description.capacity = checkpoint::CapacitySpec{checkpoint::CapacityRule::Fixed, 1.0,
                                                  whole({"expert_capacity"}, 64, 1, 1 << 26), false};
}

Result<checkpoint::AdapterNeeds> SwitchAdapter::needs(const ModelDescription& description) const {
  checkpoint::AdapterNeeds needs;
  needs.names.embedding = "shared.weight";
  needs.names.head = "lm_head.weight";
  needs.ignored = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"};
  const auto& attention = description.attention;
  const Layout& layout = Layout::of(description);
  const std::int64_t hidden = description.hiddenSize;
  const std::int64_t width = std::int64_t{attention.heads} * attention.headDim;
  const std::int64_t inner = description.experts.intermediateSize;
  const auto vector = [&](const std::string& name, std::int64_t size) {
    needs.own.push_back({name, {size}, true});
  };
  const auto attentionOf = [&](const std::string& prefix) {
    for (const char* name : {"q", "k", "v"})
      needs.own.push_back({prefix + name + ".weight", {width, hidden}});
    needs.own.push_back({prefix + "o.weight", {hidden, width}});
  };
  for (int layer = 0; layer < description.layers; ++layer) {
    const LayerNames names(layer, description.encoder->layers);
    vector(names.selfNorm, hidden);
    attentionOf(names.self);
    if (names.number == 0)
      needs.own.push_back({names.positionBias(), {layout.buckets, attention.heads}, true});
    if (names.isDecoder) {
      vector(names.crossNorm, hidden);
      attentionOf(names.cross);
    }
    vector(names.feedForwardNorm, hidden);
    const int router = description.layerSpecs[static_cast<std::size_t>(layer)].router;
    const int experts = router < 0 ? 1 : description.routers[static_cast<std::size_t>(router)].experts;
    for (int expert = 0; expert < experts; ++expert) {
      const std::string mlp = names.mlp(router < 0 ? -1 : expert);
      needs.own.push_back({mlp + "wi.weight", {inner, hidden}, false, router});
      needs.own.push_back({mlp + "wo.weight", {hidden, inner}, false, router});
    }
    if (router < 0) continue;
    needs.own.push_back({names.router + ".weight", {experts, hidden}});
    if (description.routerBias) vector(names.router + ".bias", experts);
  }
  vector(kEncoderNorm, hidden);
  vector(kDecoderNorm, hidden);
  needs.caches = engine::encoderDecoderCaches(description);
  return needs;
}

Result<std::unique_ptr<engine::ModelForward>> SwitchAdapter::makeForward(engine::ForwardKit& kit) const {
  auto caches = engine::EncoderDecoderCaches::create(kit);
  if (!caches) return fail(std::move(caches).error());
  return std::make_unique<SwitchForward>(kit, *std::move(caches));
}

}  // namespace moescope::switch_transformers

MOESCOPE_PLUGIN(switch_transformers) {
  registry.add(std::make_unique<moescope::switch_transformers::SwitchAdapter>());
}
