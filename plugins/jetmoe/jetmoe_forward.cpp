#include "plugins/jetmoe/jetmoe_forward.h"

namespace moescope::jetmoe {

namespace {

// The norms of a layer are built without the config's eps (transformers).
constexpr double kLayerNormEps = 1e-6;

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

std::size_t widthOf(const engine::ForwardKit& kit) {
  const auto& attention = kit.description().attention;
  return size(std::int64_t{attention.keyValueHeads} * attention.headDim);
}

}  // namespace

LayerNames::LayerNames(int layer) {
  const std::string prefix = "model.layers." + std::to_string(layer) + ".";
  inputNorm = prefix + "input_layernorm.weight";
  feedForwardNorm = prefix + "post_attention_layernorm.weight";
  keyValue = prefix + "self_attention.kv_proj.weight";
  router = prefix + "self_attention.experts.router.layer.weight";
  queries = prefix + "self_attention.experts.input_linear.weight";
  outputs = prefix + "self_attention.experts.output_linear.weight";
  attentionBias = prefix + "self_attention.experts.bias";
  mlpBias = prefix + "mlp.bias";
}

checkpoint::AttentionShape cacheShape(const checkpoint::ModelDescription& description) {
  const auto& attention = description.attention;
  return {description.layers, attention.keyValueHeads, attention.headDim, attention.headDim};
}

JetMoeForward::JetMoeForward(engine::ForwardKit& kit, std::unique_ptr<engine::AttentionCache> cache)
    : m_kit(kit),
      m_cache(std::move(cache)),
      m_finalNorm(kit.vector("model.norm.weight")),
      m_stream(engine::kPrefillBlock, size(kit.description().hiddenSize)),
      m_normed(engine::kPrefillBlock, size(kit.description().hiddenSize)),
      m_update(engine::kPrefillBlock, size(kit.description().hiddenSize)),
      m_keyValue(engine::kPrefillBlock, 2 * widthOf(kit)),
      m_queries(engine::kPrefillBlock, widthOf(kit)),
      m_mixed(engine::kPrefillBlock, widthOf(kit)) {
  const auto& description = kit.description();
  for (int layer = 0; layer < description.layers; ++layer) {
    const LayerNames names(layer);
    Layer l{kit.vector(names.inputNorm),
            kit.vector(names.feedForwardNorm),
            kit.vector(names.attentionBias),
            kit.vector(names.mlpBias),
            kit.matrix(names.keyValue),
            kit.matrix(names.router),
            {},
            {}};
    const int router = description.layerSpecs[size(layer)].attentionRouter;
    for (int expert = 0; expert < description.routers[size(router)].experts; ++expert) {
      l.queries.push_back(kit.matrix(names.queries, expert));
      l.outputs.push_back(kit.matrix(names.outputs, expert));
    }
    m_layers.push_back(std::move(l));
  }
}

void JetMoeForward::normalise(const std::vector<float>& weight, double eps, int tokens) {
  for (std::size_t t = 0; t < size(tokens); ++t) m_kit.rmsNorm(m_stream.row(t), weight, eps, m_normed.row(t));
}

void JetMoeForward::addUpdate(const std::vector<float>& bias, int tokens) {
  for (std::size_t t = 0; t < size(tokens); ++t) {
    m_kit.add(m_update.row(t), bias.data(), m_update.columns());
    m_kit.add(m_stream.row(t), m_update.row(t), m_stream.columns());
  }
}

void JetMoeForward::storeKeysAndValues(int layer, const engine::ForwardBlock& block) {
  const auto& attention = m_kit.description().attention;
  const int tokens = static_cast<int>(block.ids.size());
  m_kit.multiply(m_layers[size(layer)].keyValue, m_normed, m_keyValue, tokens);
  m_kit.rotate(m_keyValue, attention.keyValueHeads, attention.headDim);
  for (int t = 0; t < tokens; ++t) {
    const float* keys = m_keyValue.row(size(t));
    for (int head = 0; head < attention.keyValueHeads; ++head) {
      const float* key = keys + std::int64_t{head} * attention.headDim;
      m_cache->write(layer, head, block.position + t, key, key + m_queries.columns());
    }
  }
}

/// Every chosen expert projects an own query for each key-value head and, after attention, back.
Result<void> JetMoeForward::attention(int layer, const engine::ForwardBlock& block) {
  const auto& description = m_kit.description();
  const auto& attention = description.attention;
  const Layer& l = m_layers[size(layer)];
  storeKeysAndValues(layer, block);
  const auto routed = m_kit.route(description.layerSpecs[size(layer)].attentionRouter, l.router, m_normed);
  if (!routed) return fail(routed.error());
  m_kit.project(*routed, l.queries, m_normed, m_queries);
  m_mixed.require(size(static_cast<std::int64_t>(block.ids.size()) * routed->stride));
  m_jobs.clear();
  for (int t = 0; t < static_cast<int>(block.ids.size()); ++t) {
    for (int choice = 0; choice < routed->stride && routed->id(t, choice) >= 0; ++choice) {
      const std::size_t slot = size(std::int64_t{t} * routed->stride + choice);
      for (int head = 0; head < attention.keyValueHeads; ++head) {
        const std::int64_t first = std::int64_t{head} * attention.headDim;
        m_kit.rotateHead(t, m_queries.row(slot) + first);
        m_jobs.push_back({m_queries.row(slot) + first, m_mixed.row(slot) + first, head, block.position + t});
      }
    }
  }
  m_kit.attend(*m_cache, layer, m_jobs, attention.scale);
  m_kit.combine(*routed, l.outputs, m_mixed, m_update);
  return {};
}

Result<void> JetMoeForward::forward(const engine::ForwardBlock& block) {
  const int tokens = static_cast<int>(block.ids.size());
  m_kit.embed(m_stream);
  for (int layer = 0; layer < m_kit.description().layers; ++layer) {
    const Layer& l = m_layers[size(layer)];
    normalise(l.inputNorm, kLayerNormEps, tokens);
    if (auto done = attention(layer, block); !done) return done;
    addUpdate(l.attentionBias, tokens);
    normalise(l.feedForwardNorm, kLayerNormEps, tokens);
    if (auto done = m_kit.feedForward(layer, m_normed, m_update); !done) return done;
    addUpdate(l.mlpBias, tokens);
    m_kit.showHidden(layer, m_stream);
  }
  normalise(m_finalNorm, m_kit.description().normEps, tokens);
  m_kit.head(m_normed);
  return {};
}

void JetMoeForward::copyFrom(const engine::ModelForward& other, std::int64_t position) {
  m_cache->copyFrom(*static_cast<const JetMoeForward&>(other).m_cache, position);
}

}  // namespace moescope::jetmoe
