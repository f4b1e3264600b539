#include "plugins/qwen3_next/delta_net.h"

#include <algorithm>
#include <cmath>

namespace moescope::qwen3_next {

namespace {

// Of the length that queries and keys are divided by (transformers, flash-linear-attention).
constexpr float kLengthEps = 1e-6F;

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

float sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }

/// ln(1 + e^x), which is x where the exponential would be all.
float softplus(float x) { return x > 20.0F ? x : std::log1p(std::exp(x)); }

/// x / |x| * scale.
void normaliseLength(float* x, int count, float scale) {
  float squares = kLengthEps;
  for (int i = 0; i < count; ++i) squares += x[i] * x[i];
  const float factor = scale / std::sqrt(squares);
  for (int i = 0; i < count; ++i) x[i] *= factor;
}

}  // namespace

DeltaNetNames::DeltaNetNames(int layer) {
  const std::string prefix = "model.layers." + std::to_string(layer) + ".linear_attn.";
  mix = prefix + "in_proj_qkvz.weight";
  gains = prefix + "in_proj_ba.weight";
  convolution = prefix + "conv1d.weight";
  decayBias = prefix + "dt_bias";
  decayLog = prefix + "A_log";
  norm = prefix + "norm.weight";
  output = prefix + "out_proj.weight";
}

DeltaNetLayer::Scratch::Scratch(const DeltaNetShape& shape)
    : projected(engine::kPrefillBlock, size(2 * shape.keys() + 2 * shape.values())),
      gains(engine::kPrefillBlock, size(2 * std::int64_t{shape.valueHeads})),
      convolved(engine::kPrefillBlock, size(shape.mixed())),
      core(engine::kPrefillBlock, size(shape.values())) {}

DeltaNetLayer::DeltaNetLayer(engine::ForwardKit& kit, const DeltaNetShape& shape, int layer)
    : m_kit(kit),
      m_shape(shape),
      m_mix(kit.matrix(DeltaNetNames(layer).mix)),
      m_gains(kit.matrix(DeltaNetNames(layer).gains)),
      m_output(kit.matrix(DeltaNetNames(layer).output)),
      m_convolution(kit.vector(DeltaNetNames(layer).convolution)),
      m_decayBias(kit.vector(DeltaNetNames(layer).decayBias)),
      m_decayLog(kit.vector(DeltaNetNames(layer).decayLog)),
      m_norm(kit.vector(DeltaNetNames(layer).norm)),
      m_history(size(shape.inputs()), size(shape.state())) {}

void DeltaNetLayer::forward(const engine::ForwardBlock& block, const engine::TokenRows& from,
                            const engine::TokenRows& to, Scratch& scratch) {
  const int tokens = static_cast<int>(block.ids.size());
  const auto through = [&](std::int64_t first, std::int64_t end) { run(first, end, block, scratch); };
  m_history.seek(block.position, through);
  m_history.require(block.position + tokens);
  m_kit.multiply(m_mix, from, scratch.projected, tokens);
  m_kit.multiply(m_gains, from, scratch.gains, tokens);
  keepInputs(block, scratch);
  m_history.advance(block.position + tokens, through);
  normAndGate(scratch, tokens);
  m_kit.multiply(m_output, scratch.core, to, tokens);
}

/// Undoes the grouping by key head, and turns the gains into beta and decay.
void DeltaNetLayer::keepInputs(const engine::ForwardBlock& block, const Scratch& scratch) {
  const DeltaNetShape& s = m_shape;
  const int ratio = s.valueHeads / s.keyHeads;
  const std::int64_t values = std::int64_t{ratio} * s.valueDim;  // of a key head
  for (std::size_t t = 0; t < block.ids.size(); ++t) {
    float* kept = m_history.input(block.position + static_cast<std::int64_t>(t));
    float* beta = kept + s.mixed();
    float* decay = beta + s.valueHeads;
    for (int group = 0; group < s.keyHeads; ++group) {
      const float* mix = scratch.projected.row(t) + std::int64_t{group} * 2 * (s.keyDim + values);
      std::copy_n(mix, s.keyDim, kept + std::int64_t{group} * s.keyDim);
      std::copy_n(mix + s.keyDim, s.keyDim, kept + s.keys() + std::int64_t{group} * s.keyDim);
      std::copy_n(mix + 2 * std::int64_t{s.keyDim}, values,
                  kept + 2 * s.keys() + std::int64_t{group} * values);
      const float* gains = scratch.gains.row(t) + std::int64_t{group} * 2 * ratio;
      for (int i = 0; i < ratio; ++i) {
        const std::size_t head = size(std::int64_t{group} * ratio + i);
        beta[head] = sigmoid(gains[i]);
        decay[head] = std::exp(-std::exp(m_decayLog[head]) * softplus(gains[ratio + i] + m_decayBias[head]));
      }
    }
  }
}

/// silu of the causal depthwise convolution; queries and keys get length 1, queries then keyDim^-0.5.
void DeltaNetLayer::convolve(std::int64_t position, float* row) const {
  const DeltaNetShape& s = m_shape;
  std::fill_n(row, s.mixed(), 0.0F);
  for (std::int64_t tap = std::max<std::int64_t>(0, s.kernel - 1 - position); tap < s.kernel; ++tap) {
    const float* input = m_history.input(position - (s.kernel - 1) + tap);
    for (std::int64_t channel = 0; channel < s.mixed(); ++channel)
      row[channel] += m_convolution[size(channel * s.kernel + tap)] * input[channel];
  }
  for (std::int64_t channel = 0; channel < s.mixed(); ++channel) row[channel] *= sigmoid(row[channel]);
  const float scale = 1.0F / std::sqrt(static_cast<float>(s.keyDim));
  for (int head = 0; head < s.keyHeads; ++head) {
    normaliseLength(row + std::int64_t{head} * s.keyDim, s.keyDim, scale);
    normaliseLength(row + s.keys() + std::int64_t{head} * s.keyDim, s.keyDim, 1.0F);
  }
}

void DeltaNetLayer::run(std::int64_t first, std::int64_t end, const engine::ForwardBlock& block,
                        Scratch& scratch) {
  for (std::int64_t begin = first; begin < end; begin += engine::kPrefillBlock) {
    const std::int64_t stop = std::min<std::int64_t>(end, begin + engine::kPrefillBlock);
    m_kit.parallel(stop - begin, (stop - begin) * m_shape.mixed() * m_shape.kernel,
                   [&](std::int64_t t) { convolve(begin + t, scratch.convolved.row(size(t))); });
    m_kit.parallel(m_shape.valueHeads, 3 * (stop - begin) * m_shape.state(),
                   [&](std::int64_t head) { recur(static_cast<int>(head), begin, stop, block, scratch); });
  }
}

/// The gated delta rule (Yang et al. 2025, equation 10) with S [keyDim, valueDim]:
/// S *= decay; S += k (beta (v - S^T k))^T; o = S^T q.
void DeltaNetLayer::recur(int head, std::int64_t first, std::int64_t end, const engine::ForwardBlock& block,
                          Scratch& scratch) {
  const DeltaNetShape& s = m_shape;
  const int width = s.valueDim;
  const std::int64_t shared = std::int64_t{head / (s.valueHeads / s.keyHeads)} * s.keyDim;
  float* state = m_history.state() + std::int64_t{head} * s.keyDim * width;
  static thread_local std::vector<float> sums;
  sums.resize(size(width));
  float* const sum = sums.data();
  for (std::int64_t position = first; position < end; ++position) {
    const float* mixed = scratch.convolved.row(size(position - first));
    const float* query = mixed + shared;
    const float* key = mixed + s.keys() + shared;
    const float* value = mixed + 2 * s.keys() + std::int64_t{head} * width;
    const float* gains = std::as_const(m_history).input(position) + s.mixed();
    const float beta = gains[head];
    const float decay = gains[s.valueHeads + head];
    std::fill_n(sum, width, 0.0F);
    for (int i = 0; i < s.keyDim; ++i) {
      float* row = state + std::int64_t{i} * width;
      for (int j = 0; j < width; ++j) {
        row[j] *= decay;
        sum[j] += row[j] * key[i];
      }
    }
    for (int j = 0; j < width; ++j) sum[j] = (value[j] - sum[j]) * beta;
    const bool isShown = position >= block.position;
    float* out =
        isShown ? scratch.core.row(size(position - block.position)) + std::int64_t{head} * width : nullptr;
    if (isShown) std::fill_n(out, width, 0.0F);
    for (int i = 0; i < s.keyDim; ++i) {
      float* row = state + std::int64_t{i} * width;
      for (int j = 0; j < width; ++j) row[j] += key[i] * sum[j];
      for (int j = 0; isShown && j < width; ++j) out[j] += row[j] * query[i];
    }
  }
}

/// core = rmsNorm(core) * silu(gate), a value head each.
void DeltaNetLayer::normAndGate(const Scratch& scratch, int tokens) const {
  const DeltaNetShape& s = m_shape;
  const int ratio = s.valueHeads / s.keyHeads;
  const std::int64_t values = std::int64_t{ratio} * s.valueDim;
  for (std::size_t t = 0; t < size(tokens); ++t) {
    for (int head = 0; head < s.valueHeads; ++head) {
      float* core = scratch.core.row(t) + std::int64_t{head} * s.valueDim;
      m_kit.rmsNorm(core, m_norm, m_kit.description().normEps, core);
      const float* gate = scratch.projected.row(t) + std::int64_t{head / ratio} * 2 * (s.keyDim + values) +
                          2 * std::int64_t{s.keyDim} + values + std::int64_t{head % ratio} * s.valueDim;
      for (int i = 0; i < s.valueDim; ++i) core[i] *= gate[i] * sigmoid(gate[i]);
    }
  }
}

}  // namespace moescope::qwen3_next
