#include "plugins/minimax/lightning_attention.h"

#include <algorithm>
#include <cmath>

namespace moescope::minimax {

namespace {

// The norm inside is built without the config's eps (transformers).
constexpr double kNormEps = 1e-6;

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

std::int64_t widthOf(const checkpoint::AttentionSpec& attention) {
  return std::int64_t{attention.heads} * attention.headDim;
}

/// Of every head: e^-slope with slope = 2^(-8 (head + 1) / heads) * (1 - layer / (layers - 1) + 1e-5).
std::vector<float> decays(int heads, int layer, int layers) {
  const double depth = 1.0 - layer / (layers - 1 + 1e-5) + 1e-5;
  std::vector<float> decay;
  decay.reserve(static_cast<std::size_t>(heads));
  for (int head = 0; head < heads; ++head)
    decay.push_back(static_cast<float>(std::exp(-std::exp2(-8.0 * (head + 1) / heads) * depth)));
  return decay;
}

}  // namespace

LayerNames::LayerNames(int layer) {
  const std::string prefix = "model.layers." + std::to_string(layer) + ".";
  attentionPrefix = prefix + "self_attn.";
  inputNorm = prefix + "input_layernorm.weight";
  feedForwardNorm = prefix + "post_attention_layernorm.weight";
  query = attentionPrefix + "q_proj.weight";
  key = attentionPrefix + "k_proj.weight";
  value = attentionPrefix + "v_proj.weight";
  output = attentionPrefix + "o_proj.weight";
  mix = attentionPrefix + "qkv_proj.weight";
  gate = attentionPrefix + "output_gate.weight";
  linearOutput = attentionPrefix + "out_proj.weight";
  linearNorm = attentionPrefix + "norm.weight";
}

LightningAttention::Scratch::Scratch(const checkpoint::AttentionSpec& attention)
    : mix(engine::kPrefillBlock, size(3 * widthOf(attention))),
      gate(engine::kPrefillBlock, size(widthOf(attention))),
      core(engine::kPrefillBlock, size(widthOf(attention))) {}

LightningAttention::LightningAttention(engine::ForwardKit& kit, int layer)
    : m_kit(kit),
      m_mix(kit.matrix(LayerNames(layer).mix)),
      m_gate(kit.matrix(LayerNames(layer).gate)),
      m_output(kit.matrix(LayerNames(layer).linearOutput)),
      m_norm(kit.vector(LayerNames(layer).linearNorm)),
      m_decay(decays(kit.description().attention.heads, layer, kit.description().layers)),
      m_history(size(3 * widthOf(kit.description().attention)),
                size(widthOf(kit.description().attention) * kit.description().attention.headDim)) {}

std::int64_t LightningAttention::bytesPerPosition(const checkpoint::AttentionSpec& attention) {
  const std::int64_t width = widthOf(attention);
  return engine::RecurrentHistory::bytesPerPosition(3 * width, width * attention.headDim);
}

void LightningAttention::forward(const engine::ForwardBlock& block, const engine::TokenRows& from,
                                 const engine::TokenRows& to, Scratch& scratch) {
  const int tokens = static_cast<int>(block.ids.size());
  const auto through = [&](std::int64_t first, std::int64_t end) { run(first, end, block, scratch); };
  m_history.seek(block.position, through);
  m_history.require(block.position + tokens);
  m_kit.multiply(m_mix, from, scratch.mix, tokens);
  m_kit.multiply(m_gate, from, scratch.gate, tokens);
  for (int t = 0; t < tokens; ++t) {
    float* kept = m_history.input(block.position + t);
    const float* mix = scratch.mix.row(size(t));
    for (std::int64_t i = 0; i < scratch.mix.columns(); ++i) kept[i] = mix[i] / (1.0F + std::exp(-mix[i]));
  }
  m_history.advance(block.position + tokens, through);
  for (std::size_t t = 0; t < size(tokens); ++t) {
    float* core = scratch.core.row(t);
    m_kit.rmsNorm(core, m_norm, kNormEps, core);
    for (std::int64_t i = 0; i < scratch.core.columns(); ++i)
      core[i] /= 1.0F + std::exp(-scratch.gate.row(t)[i]);
  }
  m_kit.multiply(m_output, scratch.core, to, tokens);
}

void LightningAttention::run(std::int64_t first, std::int64_t end, const engine::ForwardBlock& block,
                             const Scratch& scratch) {
  const auto& attention = m_kit.description().attention;
  m_kit.parallel(attention.heads, 2 * (end - first) * widthOf(attention) * attention.headDim,
                 [&](std::int64_t head) { recur(static_cast<int>(head), first, end, block, scratch); });
}

/// S = decay S + k v^T; o = S^T q, with S [headDim, headDim] (Qin et al. 2024, equation 3, token by token).
void LightningAttention::recur(int head, std::int64_t first, std::int64_t end,
                               const engine::ForwardBlock& block, const Scratch& scratch) {
  const int width = m_kit.description().attention.headDim;
  float* state = m_history.state() + std::int64_t{head} * width * width;
  const float decay = m_decay[size(head)];
  for (std::int64_t position = first; position < end; ++position) {
    const float* query = m_history.input(position) + std::int64_t{head} * 3 * width;
    const float* key = query + width;
    const float* value = key + width;
    const bool isShown = position >= block.position;
    float* out =
        isShown ? scratch.core.row(size(position - block.position)) + std::int64_t{head} * width : nullptr;
    if (isShown) std::fill_n(out, width, 0.0F);
    for (int i = 0; i < width; ++i) {
      float* row = state + std::int64_t{i} * width;
      for (int j = 0; j < width; ++j) row[j] = decay * row[j] + key[i] * value[j];
      for (int j = 0; isShown && j < width; ++j) out[j] += row[j] * query[i];
    }
  }
}

}  // namespace moescope::minimax
