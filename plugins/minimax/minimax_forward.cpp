#include "plugins/minimax/minimax_forward.h"

#include "core/engine/api/grouped_attention.h"

namespace moescope::minimax {

namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

std::size_t width(const engine::ForwardKit& kit, int heads) {
  return size(std::int64_t{heads} * kit.description().attention.headDim);
}

}  // namespace

checkpoint::AttentionShape cacheShape(const checkpoint::ModelDescription& description) {
  const auto& attention = description.attention;
  return {Layout::of(description).fullLayers(), attention.keyValueHeads, attention.headDim,
          attention.headDim};
}

MiniMaxForward::MiniMaxForward(engine::ForwardKit& kit, std::unique_ptr<engine::AttentionCache> cache)
    : m_kit(kit),
      m_layout(Layout::of(kit.description())),
      m_cache(std::move(cache)),
      m_finalNorm(kit.vector("model.norm.weight")),
      m_stream(engine::kPrefillBlock, size(kit.description().hiddenSize)),
      m_normed(engine::kPrefillBlock, size(kit.description().hiddenSize)),
      m_update(engine::kPrefillBlock, size(kit.description().hiddenSize)),
      m_query(engine::kPrefillBlock, width(kit, kit.description().attention.heads)),
      m_mixed(engine::kPrefillBlock, width(kit, kit.description().attention.heads)),
      m_key(engine::kPrefillBlock, width(kit, kit.description().attention.keyValueHeads)),
      m_value(engine::kPrefillBlock, width(kit, kit.description().attention.keyValueHeads)),
      m_scratch(kit.description().attention) {
  int cacheLayer = 0;
  for (int layer = 0; layer < kit.description().layers; ++layer) {
    const LayerNames names(layer);
    Layer l{kit.vector(names.inputNorm), kit.vector(names.feedForwardNorm), {}, {}};
    if (m_layout.isLinear[size(layer)]) {
      l.lightning.emplace(kit, layer);
    } else {
      l.attention = Attention{cacheLayer++, kit.matrix(names.query), kit.matrix(names.key),
                              kit.matrix(names.value), kit.matrix(names.output)};
    }
    m_layers.push_back(std::move(l));
  }
}

/// m_normed to m_update.
void MiniMaxForward::attend(int layer, const engine::ForwardBlock& block) {
  Layer& l = m_layers[size(layer)];
  if (l.lightning) return l.lightning->forward(block, m_normed, m_update, m_scratch);
  const auto& spec = m_kit.description().attention;
  const int tokens = static_cast<int>(block.ids.size());
  m_kit.multiply(l.attention->query, m_normed, m_query, tokens);
  m_kit.multiply(l.attention->key, m_normed, m_key, tokens);
  m_kit.multiply(l.attention->value, m_normed, m_value, tokens);
  m_kit.rotate(m_query, spec.heads, spec.headDim);
  m_kit.rotate(m_key, spec.keyValueHeads, spec.headDim);
  engine::attendGrouped(m_kit, *m_cache, l.attention->cacheLayer, block, spec,
                        {m_query, m_key, m_value, m_mixed},
                        m_kit.description().layerSpecs[size(layer)].window);
  m_kit.multiply(l.attention->output, m_mixed, m_update, tokens);
}

void MiniMaxForward::normalise(const std::vector<float>& weight, int tokens) {
  for (std::size_t t = 0; t < size(tokens); ++t)
    m_kit.rmsNorm(m_stream.row(t), weight, m_kit.description().normEps, m_normed.row(t));
}

void MiniMaxForward::combine(const Residual& residual, int tokens) {
  for (std::size_t t = 0; t < size(tokens); ++t) {
    const float* normed = m_normed.row(t);
    const float* update = m_update.row(t);
    float* stream = m_stream.row(t);
    for (std::int64_t i = 0; i < m_stream.columns(); ++i)
      stream[i] = residual.alpha * normed[i] + residual.beta * update[i];
  }
}

Result<void> MiniMaxForward::forward(const engine::ForwardBlock& block) {
  const int tokens = static_cast<int>(block.ids.size());
  m_kit.embed(m_stream);
  for (int layer = 0; layer < m_kit.description().layers; ++layer) {
    const Layer& l = m_layers[size(layer)];
    normalise(l.inputNorm, tokens);
    attend(layer, block);
    combine(l.lightning ? m_layout.linearAttention : m_layout.fullAttention, tokens);
    normalise(l.feedForwardNorm, tokens);
    if (auto done = m_kit.feedForward(layer, m_normed, m_update); !done) return done;
    combine(m_layout.mlp, tokens);
    m_kit.showHidden(layer, m_stream);
  }
  normalise(m_finalNorm, tokens);
  m_kit.head(m_normed);
  return {};
}

void MiniMaxForward::copyFrom(const engine::ModelForward& other, std::int64_t position) {
  const auto& from = static_cast<const MiniMaxForward&>(other);
  m_cache->copyFrom(*from.m_cache, position);
  for (std::size_t layer = 0; layer < m_layers.size(); ++layer) {
    if (m_layers[layer].lightning)
      m_layers[layer].lightning->copyFrom(*from.m_layers[layer].lightning, position);
  }
}

}  // namespace moescope::minimax
