#include "plugins/qwen3_next/qwen3_next_forward.h"

#include <cmath>

#include "core/engine/api/grouped_attention.h"

namespace moescope::qwen3_next {

namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

std::size_t width(const engine::ForwardKit& kit, int heads) {
  return size(std::int64_t{heads} * kit.description().attention.headDim);
}

/// Norm weights are stored as their difference from 1.
std::vector<float> onePlus(std::vector<float> weight) {
  for (float& w : weight) w += 1.0F;
  return weight;
}

}  // namespace

LayerNames::LayerNames(int layer) {
  const std::string prefix = "model.layers." + std::to_string(layer) + ".";
  inputNorm = prefix + "input_layernorm.weight";
  feedForwardNorm = prefix + "post_attention_layernorm.weight";
  query = prefix + "self_attn.q_proj.weight";
  key = prefix + "self_attn.k_proj.weight";
  value = prefix + "self_attn.v_proj.weight";
  output = prefix + "self_attn.o_proj.weight";
  queryNorm = prefix + "self_attn.q_norm.weight";
  keyNorm = prefix + "self_attn.k_norm.weight";
}

std::string biasName(const std::string& weight) { return weight.substr(0, weight.rfind('.')) + ".bias"; }

checkpoint::AttentionShape cacheShape(const checkpoint::ModelDescription& description) {
  const auto& attention = description.attention;
  return {description.layers - Layout::of(description).linearLayers(), attention.keyValueHeads,
          attention.headDim, attention.headDim};
}

Qwen3NextForward::Qwen3NextForward(engine::ForwardKit& kit, std::unique_ptr<engine::AttentionCache> cache)
    : m_kit(kit),
      m_cache(std::move(cache)),
      m_finalNorm(onePlus(kit.vector("model.norm.weight"))),
      m_stream(engine::kPrefillBlock, size(kit.description().hiddenSize)),
      m_normed(engine::kPrefillBlock, size(kit.description().hiddenSize)),
      m_update(engine::kPrefillBlock, size(kit.description().hiddenSize)),
      m_gatedQuery(engine::kPrefillBlock, 2 * width(kit, kit.description().attention.heads)),
      m_query(engine::kPrefillBlock, width(kit, kit.description().attention.heads)),
      m_mixed(engine::kPrefillBlock, width(kit, kit.description().attention.heads)),
      m_key(engine::kPrefillBlock, width(kit, kit.description().attention.keyValueHeads)),
      m_value(engine::kPrefillBlock, width(kit, kit.description().attention.keyValueHeads)),
      m_scratch(Layout::of(kit.description()).deltaNet) {
  const Layout& layout = Layout::of(kit.description());
  int cacheLayer = 0;
  for (int layer = 0; layer < kit.description().layers; ++layer) {
    const LayerNames names(layer);
    Layer& l = m_layers.emplace_back();
    l.inputNorm = onePlus(kit.vector(names.inputNorm));
    l.feedForwardNorm = onePlus(kit.vector(names.feedForwardNorm));
    if (layout.isLinear[size(layer)]) {
      l.deltaNet.emplace(kit, layout.deltaNet, layer);
    } else {
      l.attention = attentionOf(layer, cacheLayer++);
    }
  }
}

Qwen3NextForward::Attention Qwen3NextForward::attentionOf(int layer, int cacheLayer) const {
  const LayerNames names(layer);
  const auto projection = [&](const std::string& name) {
    const bool hasBias = m_kit.description().attention.qkvBias;
    return Projection{m_kit.matrix(name), hasBias ? &m_kit.vector(biasName(name)) : nullptr};
  };
  return {cacheLayer,
          projection(names.query),
          projection(names.key),
          projection(names.value),
          projection(names.output),
          onePlus(m_kit.vector(names.queryNorm)),
          onePlus(m_kit.vector(names.keyNorm))};
}

void Qwen3NextForward::project(const Projection& projection, const engine::TokenRows& from,
                               const engine::TokenRows& to, int tokens) {
  m_kit.multiply(projection.matrix, from, to, tokens);
  for (std::size_t t = 0; projection.bias != nullptr && t < size(tokens); ++t)
    m_kit.add(to.row(t), projection.bias->data(), to.columns());
}

/// Attention whose output a sigmoid gates; m_normed to m_update.
void Qwen3NextForward::attend(const Attention& attention, const engine::ForwardBlock& block) {
  const auto& spec = m_kit.description().attention;
  const int tokens = static_cast<int>(block.ids.size());
  const double eps = m_kit.description().normEps;
  project(attention.query, m_normed, m_gatedQuery, tokens);
  project(attention.key, m_normed, m_key, tokens);
  project(attention.value, m_normed, m_value, tokens);
  for (std::size_t t = 0; t < size(tokens); ++t) {
    for (int head = 0; head < spec.heads; ++head) {
      const std::int64_t first = std::int64_t{head} * spec.headDim;
      m_kit.rmsNorm(m_gatedQuery.row(t) + 2 * first, attention.queryNorm, eps, m_query.row(t) + first);
    }
    for (int head = 0; head < spec.keyValueHeads; ++head) {
      float* key = m_key.row(t) + std::int64_t{head} * spec.headDim;
      m_kit.rmsNorm(key, attention.keyNorm, eps, key);
    }
  }
  m_kit.rotate(m_query, spec.heads, spec.headDim);
  m_kit.rotate(m_key, spec.keyValueHeads, spec.headDim);
  engine::attendGrouped(m_kit, *m_cache, attention.cacheLayer, block, spec,
                        {m_query, m_key, m_value, m_mixed});
  for (std::size_t t = 0; t < size(tokens); ++t) {
    for (std::int64_t i = 0; i < m_mixed.columns(); ++i) {
      const std::int64_t head = i / spec.headDim;
      const float gate = m_gatedQuery.row(t)[(2 * head + 1) * spec.headDim + i % spec.headDim];
      m_mixed.row(t)[i] /= 1.0F + std::exp(-gate);
    }
  }
  project(attention.output, m_mixed, m_update, tokens);
}

void Qwen3NextForward::normalise(const std::vector<float>& weight, int tokens) {
  for (std::size_t t = 0; t < size(tokens); ++t)
    m_kit.rmsNorm(m_stream.row(t), weight, m_kit.description().normEps, m_normed.row(t));
}

void Qwen3NextForward::addUpdate(int tokens) {
  for (std::size_t t = 0; t < size(tokens); ++t)
    m_kit.add(m_stream.row(t), m_update.row(t), m_stream.columns());
}

Result<void> Qwen3NextForward::forward(const engine::ForwardBlock& block) {
  const int tokens = static_cast<int>(block.ids.size());
  m_kit.embed(m_stream);
  for (int layer = 0; layer < m_kit.description().layers; ++layer) {
    Layer& l = m_layers[size(layer)];
    normalise(l.inputNorm, tokens);
    if (l.deltaNet) {
      l.deltaNet->forward(block, m_normed, m_update, m_scratch);
    } else {
      attend(*l.attention, block);
    }
    addUpdate(tokens);
    normalise(l.feedForwardNorm, tokens);
    if (auto done = m_kit.feedForward(layer, m_normed, m_update); !done) return done;
    addUpdate(tokens);
    m_kit.showHidden(layer, m_stream);
  }
  normalise(m_finalNorm, tokens);
  m_kit.head(m_normed);
  return {};
}

void Qwen3NextForward::copyFrom(const engine::ModelForward& other, std::int64_t position) {
  const auto& from = static_cast<const Qwen3NextForward&>(other);
  m_cache->copyFrom(*from.m_cache, position);
  for (std::size_t layer = 0; layer < m_layers.size(); ++layer) {
    if (m_layers[layer].deltaNet)
      m_layers[layer].deltaNet->copyFrom(*from.m_layers[layer].deltaNet, position);
  }
}

}  // namespace moescope::qwen3_next
