// The attention sublayer of the CPU decoder.
#include <algorithm>

#include "core/engine/torch/cpu_decoder.h"

namespace moescope::engine {

namespace {

// Multiplications of attention below which one thread does all heads.
constexpr std::int64_t kParallelWork = 1 << 20;

void addBias(const TokenRows& rows, const std::vector<float>& bias, int tokens, const Kernels& kernels) {
  if (bias.empty()) return;
  for (int t = 0; t < tokens; ++t)
    kernels.add(rows.row(static_cast<std::size_t>(t)), bias.data(), rows.columns());
}

void clip(float* values, std::int64_t count, float limit) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = std::clamp(values[i], -limit, limit);
}

}  // namespace

void CpuDecoder::headNorm(float* projected, int heads, const std::vector<float>& norm) const {
  const auto& d = m_context.description;
  const auto eps = static_cast<float>(d.normEps);
  if (d.attention.qkNorm == checkpoint::QkNorm::FullPre) {
    m_context.kernels.rmsNorm(projected, norm.data(), eps, std::int64_t{heads} * d.attention.headDim,
                              projected);
  } else if (d.attention.qkNorm == checkpoint::QkNorm::HeadPre) {
    for (int head = 0; head < heads; ++head) {
      float* part = projected + std::int64_t{head} * d.attention.headDim;
      m_context.kernels.rmsNorm(part, norm.data(), eps, d.attention.headDim, part);
    }
  }
}

void CpuDecoder::attention(int layer, const DecoderBlock& block) {
  const auto& spec = m_context.description.attention;
  const CpuLayer& l = m_context.weights.layers[static_cast<std::size_t>(layer)];
  const int tokens = static_cast<int>(block.ids.size());
  multiply(l.query, m_normed.inputs(), m_query.outputs(), tokens);
  multiply(l.key, m_normed.inputs(), m_key.outputs(), tokens);
  multiply(l.value, m_normed.inputs(), m_value.outputs(), tokens);
  addBias(m_query, l.queryBias, tokens, m_context.kernels);
  addBias(m_key, l.keyBias, tokens, m_context.kernels);
  addBias(m_value, l.valueBias, tokens, m_context.kernels);

  for (int t = 0; t < tokens; ++t) {
    const auto row = static_cast<std::size_t>(t);
    headNorm(m_query.row(row), spec.heads, l.queryNorm);
    headNorm(m_key.row(row), spec.keyValueHeads, l.keyNorm);
    if (spec.clipQkv) {
      for (const TokenRows* rows : {&m_query, &m_key, &m_value}) {
        clip(rows->row(row), rows->columns(), static_cast<float>(*spec.clipQkv));
      }
    }
    for (int head = 0; head < spec.heads; ++head) {
      m_rotary.apply(t, m_query.row(row) + std::int64_t{head} * spec.headDim);
    }
    for (int head = 0; head < spec.keyValueHeads; ++head) {
      const std::int64_t at = std::int64_t{head} * spec.headDim;
      m_rotary.apply(t, m_key.row(row) + at);
      m_cache.write(layer, head, block.position + t, m_key.row(row) + at, m_value.row(row) + at);
    }
  }

  const std::int64_t work = 2LL * spec.heads * spec.headDim * tokens * (block.position + tokens);
  if (work < kParallelWork) {
    for (int head = 0; head < spec.heads; ++head) attendHead(layer, head, block);
  } else {
    m_context.pool.run(spec.heads,
                       [&](std::int64_t head) { attendHead(layer, static_cast<int>(head), block); });
  }

  multiply(l.output, m_mixed.inputs(), m_update.outputs(), tokens);
  addBias(m_update, l.outputBias, tokens, m_context.kernels);
  for (int t = 0; t < tokens; ++t) {
    const auto row = static_cast<std::size_t>(t);
    m_context.kernels.add(m_stream.row(row), m_update.row(row), m_stream.columns());
  }
}

/// One query head for every token of the block; each token sees the positions up to its own.
void CpuDecoder::attendHead(int layer, int head, const DecoderBlock& block) {
  const auto& spec = m_context.description.attention;
  const int shared = head / (spec.heads / spec.keyValueHeads);
  const float* keys = m_cache.keyTiles(layer, shared);
  const float* values = m_cache.values(layer, shared);
  float* scores =
      m_scores.data() + std::int64_t{head} * (static_cast<std::int64_t>(m_scores.size()) / spec.heads);
  const std::int64_t at = std::int64_t{head} * spec.headDim;
  for (std::size_t t = 0; t < block.ids.size(); ++t) {
    const std::int64_t visible = block.position + static_cast<std::int64_t>(t) + 1;
    m_context.kernels.scores(m_query.row(t) + at, keys, spec.headDim, visible, static_cast<float>(spec.scale),
                             scores);
    m_context.kernels.softmax(scores, visible);
    m_context.kernels.mixValues(scores, values, spec.headDim, visible, m_mixed.row(t) + at);
  }
}

}  // namespace moescope::engine
