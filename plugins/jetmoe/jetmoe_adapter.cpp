#include "plugins/jetmoe/jetmoe_adapter.h"

#include <algorithm>

#include "core/plugin/plugin_registry.h"
#include "plugins/jetmoe/jetmoe_forward.h"

namespace moescope::jetmoe {

using checkpoint::ConfigReader;
using checkpoint::ModelDescription;

void JetMoeAdapter::describe(ConfigReader& config, ModelDescription& description) const {
  RouterSpec router = checkpoint::describeRouter(config, {.experts = 8, .topK = 2});
  router.score = ScoreKind::TopkSoftmax;
  const auto keyValueHeads = static_cast<int>(config.whole({"num_key_value_heads"}, 16, 1, 4096));
  // A token has as many query heads as its chosen attention experts have together, whatever the file says.
  const int heads = std::min(keyValueHeads * router.topK, 4096);
  checkpoint::describeCommon(config, description,
                             {.hiddenSize = 2048,
                              .layers = 12,
                              .heads = heads,
                              .vocabularySize = 32000,
                              .maxPositions = 4096,
                              .normEps = 1e-6,
                              .ropeTheta = 1e4,
                              .endToken = 2,
                              .tiedHead = true,
                              .keyValueHeads = 16,
                              .headDim = static_cast<int>(config.whole({"kv_channels"}, 128, 1, 1 << 18))});
  description.attention.heads = heads;
  if (config.text("activation_function", "silu") != "silu")
    config.error("config.bad_value", "activation_function", "is not silu");
  description.experts.intermediateSize =
      static_cast<int>(config.whole({"intermediate_size", "ffn_hidden_size"}, 5632, 1, 1 << 20));
  for (int layer = 0; layer < description.layers; ++layer) {
    auto& spec = description.layerSpecs[static_cast<std::size_t>(layer)];
    router.layer = {layer};
    router.kind = "ffn";
    spec.router = static_cast<int>(description.routers.size());
    description.routers.push_back(router);
    router.kind = "attention";
    spec.attentionRouter = static_cast<int>(description.routers.size());
    description.routers.push_back(router);
  }
}

Result<checkpoint::AdapterNeeds> JetMoeAdapter::needs(const ModelDescription& description) const {
  checkpoint::AdapterNeeds needs;
  needs.names.embedding = "model.embed_tokens.weight";
  needs.names.head = "lm_head.weight";
  needs.names.layerPrefix = "model.layers.{l}.";
  needs.names.router = "mlp.router.layer";
  needs.names.fusedGateUp = "mlp.input_linear.weight";
  needs.names.fusedDown = "mlp.output_linear.weight";
  const auto& attention = description.attention;
  const std::int64_t hidden = description.hiddenSize;
  const std::int64_t width = std::int64_t{attention.keyValueHeads} * attention.headDim;
  needs.own.push_back({"model.norm.weight", {hidden}, true});
  for (int layer = 0; layer < description.layers; ++layer) {
    const LayerNames names(layer);
    const int router = description.layerSpecs[static_cast<std::size_t>(layer)].attentionRouter;
    const std::int64_t experts = description.routers[static_cast<std::size_t>(router)].experts;
    for (const std::string& vector :
         {names.inputNorm, names.feedForwardNorm, names.attentionBias, names.mlpBias})
      needs.own.push_back({vector, {hidden}, true});
    needs.own.push_back({names.keyValue, {2 * width, hidden}});
    needs.own.push_back({names.router, {experts, hidden}});
    needs.own.push_back({names.queries, {experts, width, hidden}, false, router});
    needs.own.push_back({names.outputs, {experts, hidden, width}, false, router});
  }
  needs.caches = {cacheShape(description)};
  return needs;
}

Result<std::unique_ptr<engine::ModelForward>> JetMoeAdapter::makeForward(engine::ForwardKit& kit) const {
  auto cache = kit.newCache(cacheShape(kit.description()));
  if (!cache) return fail(std::move(cache).error());
  return std::make_unique<JetMoeForward>(kit, *std::move(cache));
}

}  // namespace moescope::jetmoe

MOESCOPE_PLUGIN(jetmoe) { registry.add(std::make_unique<moescope::jetmoe::JetMoeAdapter>()); }
