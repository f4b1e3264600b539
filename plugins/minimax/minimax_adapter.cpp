#include "plugins/minimax/minimax_adapter.h"

#include "core/plugin/plugin_registry.h"
#include "plugins/minimax/minimax_forward.h"

namespace moescope::minimax {

using checkpoint::ConfigReader;
using checkpoint::ModelDescription;

namespace {

/// `layer_types`, or `attn_type_list` of the authors' files (1: softmax), else every second layer is linear.
std::vector<bool> describeLayers(ConfigReader& config, ModelDescription& description) {
  std::vector<bool> isLinear(description.layerSpecs.size());
  const char* key = config.find("layer_types") != nullptr ? "layer_types" : "attn_type_list";
  const auto* types = config.find(key);
  if (types != nullptr && (!types->is_array() || types->size() != isLinear.size())) {
    config.error("config.bad_value", key, "is not a list of one entry a layer");
    return isLinear;
  }
  for (std::size_t layer = 0; layer < isLinear.size(); ++layer) {
    isLinear[layer] = layer % 2 != 0;
    if (types != nullptr) {
      const auto& type = (*types)[layer];
      isLinear[layer] = type == "linear_attention" || type == 0;
      if (!isLinear[layer] && type != "full_attention" && type != 1)
        config.error("config.bad_value", key, "holds an entry that is no kind of attention");
    }
    if (isLinear[layer]) description.layerSpecs[layer].recurrence = "lightning attention";
  }
  return isLinear;
}

Residual describeResidual(ConfigReader& config, const std::string& what, const std::string& oldWhat) {
  const auto factor = [&](const std::string& part) {
    const std::string key = what + "_" + part + "_factor";
    const std::string old = "layernorm_" + oldWhat + "_" + part;
    return static_cast<float>(config.number({key.c_str(), old.c_str()}, 1.0, -1e6, 1e6));
  };
  return {factor("alpha"), factor("beta")};
}

}  // namespace

void MiniMaxAdapter::describe(ConfigReader& config, ModelDescription& description) const {
  checkpoint::describeCommon(config, description,
                             {.hiddenSize = 4096,
                              .layers = 32,
                              .heads = 32,
                              .vocabularySize = 32000,
                              .maxPositions = 131072,
                              .normEps = 1e-5,
                              .ropeTheta = 1e6,
                              .endToken = 2,
                              .keyValueHeads = 8});
  // transformers reads rotary_dim and rotates the whole head all the same.
  auto& rope = description.attention.rope;
  if (description.likeTransformers && config.find("rotary_dim") != nullptr &&
      config.find("partial_rotary_factor") == nullptr) {
    rope.rotaryDim = description.attention.headDim / 2 * 2;
  }
  const auto layout = std::make_shared<Layout>();
  layout->isLinear = describeLayers(config, description);
  layout->fullAttention = describeResidual(config, "full_attn", "full_attention");
  layout->linearAttention = describeResidual(config, "linear_attn", "linear_attention");
  layout->mlp = describeResidual(config, "mlp", "mlp");
  description.adapterData = layout;

  const std::int64_t window = config.whole({"sliding_window"}, 0, 1, 1 << 26);
  for (std::size_t layer = 0; layer < description.layerSpecs.size(); ++layer) {
    if (!layout->isLinear[layer]) description.layerSpecs[layer].window = window;
  }
  description.experts.intermediateSize = checkpoint::describeWidth(config, "intermediate_size", 14336);
  RouterSpec router = checkpoint::describeRouter(config, {.experts = 8, .topK = 2});
  router.norm = WeightNorm::SumOne;
  checkpoint::placeRouters(description, router, 0, [](int) { return true; });
}

Result<checkpoint::AdapterNeeds> MiniMaxAdapter::needs(const ModelDescription& description) const {
  const Layout& layout = Layout::of(description);
  checkpoint::AdapterNeeds needs;
  needs.names = checkpoint::findFamily("mixtral")->names->withoutAttention();
  const auto& attention = description.attention;
  const std::int64_t hidden = description.hiddenSize;
  const std::int64_t width = std::int64_t{attention.heads} * attention.headDim;
  const std::int64_t keyWidth = std::int64_t{attention.keyValueHeads} * attention.headDim;
  needs.own.push_back({"model.norm.weight", {hidden}, true});
  for (int layer = 0; layer < description.layers; ++layer) {
    const LayerNames names(layer);
    needs.own.push_back({names.inputNorm, {hidden}, true});
    needs.own.push_back({names.feedForwardNorm, {hidden}, true});
    if (layout.isLinear[static_cast<std::size_t>(layer)]) {
      needs.own.push_back({names.mix, {3 * width, hidden}});
      needs.own.push_back({names.gate, {width, hidden}});
      needs.own.push_back({names.linearOutput, {hidden, width}});
      needs.own.push_back({names.linearNorm, {width}, true});
      needs.bytesPerPosition += LightningAttention::bytesPerPosition(attention);
      // What save_pretrained writes and the configuration says.
      for (const char* decay : {"slope_rate", "query_decay", "key_decay", "diagonal_decay"})
        needs.ignored.push_back(names.attentionPrefix + decay);
    } else {
      needs.own.push_back({names.query, {width, hidden}});
      needs.own.push_back({names.key, {keyWidth, hidden}});
      needs.own.push_back({names.value, {keyWidth, hidden}});
      needs.own.push_back({names.output, {hidden, width}});
    }
  }
  needs.caches = {cacheShape(description)};
  return needs;
}

Result<std::unique_ptr<engine::ModelForward>> MiniMaxAdapter::makeForward(engine::ForwardKit& kit) const {
  auto cache = kit.newCache(cacheShape(kit.description()));
  if (!cache) return fail(std::move(cache).error());
  return std::make_unique<MiniMaxForward>(kit, *std::move(cache));
}

}  // namespace moescope::minimax

MOESCOPE_PLUGIN(minimax) { registry.add(std::make_unique<moescope::minimax::MiniMaxAdapter>()); }
