#include "plugins/qwen3_next/qwen3_next_adapter.h"

#include <algorithm>

#include "core/plugin/plugin_registry.h"
#include "plugins/qwen3_next/qwen3_next_forward.h"

namespace moescope::qwen3_next {

using checkpoint::ConfigReader;
using checkpoint::ModelDescription;

namespace {

constexpr int kMostLayers = 1 << 12;

DeltaNetShape describeDeltaNet(ConfigReader& config) {
  const auto whole = [&](const char* key, int fallback, int most) {
    return static_cast<int>(config.whole({key}, fallback, 1, most));
  };
  DeltaNetShape shape;
  shape.keyHeads = whole("linear_num_key_heads", 16, 4096);
  shape.valueHeads = whole("linear_num_value_heads", 32, 4096);
  shape.keyDim = whole("linear_key_head_dim", 128, 4096);
  shape.valueDim = whole("linear_value_head_dim", 128, 4096);
  shape.kernel = whole("linear_conv_kernel_dim", 4, 64);
  if (shape.valueHeads % shape.keyHeads != 0)
    config.error("config.bad_value", "linear_num_key_heads", "does not divide linear_num_value_heads");
  return shape;
}

/// `layer_types`, else every full_attention_interval-th layer has attention.
std::vector<bool> describeLayers(ConfigReader& config, ModelDescription& description) {
  std::vector<bool> isLinear(description.layerSpecs.size());
  const std::int64_t interval = config.whole({"full_attention_interval"}, 4, 1, kMostLayers);
  const auto* types = config.find("layer_types");
  if (types != nullptr && (!types->is_array() || types->size() != isLinear.size())) {
    config.error("config.bad_value", "layer_types", "is not a list of one word a layer");
    return isLinear;
  }
  for (std::size_t layer = 0; layer < isLinear.size(); ++layer) {
    isLinear[layer] = types != nullptr ? (*types)[layer] == "linear_attention"
                                       : (static_cast<std::int64_t>(layer) + 1) % interval != 0;
    if (types != nullptr && !isLinear[layer] && (*types)[layer] != "full_attention")
      config.error("config.bad_value", "layer_types", "holds a word that is no kind of attention");
    if (isLinear[layer]) description.layerSpecs[layer].recurrence = "Gated DeltaNet";
  }
  return isLinear;
}

}  // namespace

void Qwen3NextAdapter::describe(ConfigReader& config, ModelDescription& description) const {
  checkpoint::describeCommon(config, description,
                             {.hiddenSize = 2048,
                              .layers = 48,
                              .heads = 16,
                              .vocabularySize = 151936,
                              .maxPositions = 32768,
                              .normEps = 1e-6,
                              .ropeTheta = 1e4,
                              .endToken = {},
                              .keyValueHeads = 2,
                              .headDim = 256,
                              .partialRotary = 0.25});
  auto& attention = description.attention;
  attention.qkvBias = attention.outputBias = config.flag("attention_bias", false);
  attention.qkNorm = checkpoint::QkNorm::HeadPre;
  const auto layout = std::make_shared<Layout>();
  layout->deltaNet = describeDeltaNet(config);
  layout->isLinear = describeLayers(config, description);
  description.adapterData = layout;

  description.experts.intermediateSize = checkpoint::describeWidth(config, "moe_intermediate_size", 512);
  description.shared = {checkpoint::describeWidth(config, "shared_expert_intermediate_size", 512), true};
  RouterSpec router = checkpoint::describeRouter(config, {.experts = 512, .topK = 10});
  router.norm = config.flag("norm_topk_prob", true) ? WeightNorm::SumOne : WeightNorm::None;
  router.sharedExperts = 1;
  const std::int64_t step = config.whole({"decoder_sparse_step"}, 1, 1, kMostLayers);
  const std::vector<std::int32_t> dense = config.tokenIds("mlp_only_layers");
  checkpoint::placeRouters(
      description, router, checkpoint::describeWidth(config, "intermediate_size", 5632), [&](int layer) {
        return (layer + 1) % step == 0 && std::find(dense.begin(), dense.end(), layer) == dense.end();
      });
}

Result<checkpoint::AdapterNeeds> Qwen3NextAdapter::needs(const ModelDescription& description) const {
  const Layout& layout = Layout::of(description);
  const DeltaNetShape& net = layout.deltaNet;
  checkpoint::AdapterNeeds needs;
  needs.names = checkpoint::findFamily("qwen2_moe")->names->withoutAttention();
  const std::int64_t hidden = description.hiddenSize;
  const std::int64_t headDim = description.attention.headDim;
  const std::int64_t queryWidth = description.attention.heads * headDim;
  const std::int64_t keyWidth = description.attention.keyValueHeads * headDim;
  const auto vector = [&](const std::string& name, std::vector<std::int64_t> shape) {
    needs.own.push_back({name, std::move(shape), true});
  };
  const auto projection = [&](const std::string& name, std::int64_t rows, std::int64_t columns) {
    needs.own.push_back({name, {rows, columns}});
    if (description.attention.qkvBias) vector(biasName(name), {rows});
  };
  vector("model.norm.weight", {hidden});
  for (int layer = 0; layer < description.layers; ++layer) {
    const LayerNames names(layer);
    vector(names.inputNorm, {hidden});
    vector(names.feedForwardNorm, {hidden});
    if (layout.isLinear[static_cast<std::size_t>(layer)]) {
      const DeltaNetNames linear(layer);
      needs.own.push_back({linear.mix, {2 * net.keys() + 2 * net.values(), hidden}});
      needs.own.push_back({linear.gains, {2 * std::int64_t{net.valueHeads}, hidden}});
      needs.own.push_back({linear.output, {hidden, net.values()}});
      vector(linear.convolution, {net.mixed(), 1, net.kernel});
      vector(linear.decayBias, {net.valueHeads});
      vector(linear.decayLog, {net.valueHeads});
      vector(linear.norm, {net.valueDim});
      needs.bytesPerPosition += engine::RecurrentHistory::bytesPerPosition(net.inputs(), net.state());
    } else {
      projection(names.query, 2 * queryWidth, hidden);
      projection(names.key, keyWidth, hidden);
      projection(names.value, keyWidth, hidden);
      projection(names.output, hidden, queryWidth);
      vector(names.queryNorm, {headDim});
      vector(names.keyNorm, {headDim});
    }
  }
  needs.ignored = {"mtp.*"};  // prediction of further tokens
  needs.caches = {cacheShape(description)};
  return needs;
}

Result<std::unique_ptr<engine::ModelForward>> Qwen3NextAdapter::makeForward(engine::ForwardKit& kit) const {
  auto cache = kit.newCache(cacheShape(kit.description()));
  if (!cache) return fail(std::move(cache).error());
  return std::make_unique<Qwen3NextForward>(kit, *std::move(cache));
}

}  // namespace moescope::qwen3_next

MOESCOPE_PLUGIN(qwen3_next) { registry.add(std::make_unique<moescope::qwen3_next::Qwen3NextAdapter>()); }
