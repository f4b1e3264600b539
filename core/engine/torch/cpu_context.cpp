#include "core/engine/torch/cpu_context.h"

#include <algorithm>
#include <cmath>

namespace moescope::engine {

namespace {

// The score of a key that is not seen: far below any other, and finite.
constexpr float kHidden = -1e30F;

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

}  // namespace

void multiply(const CpuContext& context, const CpuMatrix& matrix, const float* const* inputs,
              float* const* outputs, int tokens, const float* gains) {
  MatmulJob whole;
  whole.endRow = matrix.rows;
  whole.inputs = inputs;
  whole.outputs = outputs;
  whole.gains = gains;
  whole.tokens = tokens;
  ThreadPool& pool = context.pool;
  if (pool.threads() == 1 || matrix.rows * matrix.columns * tokens < kParallelWork) {
    matmul(context.kernels, matrix, whole);
    return;
  }
  // Four shares a thread even out threads that start late; multiples of 16 rows fill cache lines.
  const std::int64_t shares = 4LL * pool.threads();
  const std::int64_t rows = std::max<std::int64_t>(16, (matrix.rows + shares - 1) / shares / 16 * 16);
  pool.run((matrix.rows + rows - 1) / rows, [&](std::int64_t share) {
    MatmulJob part = whole;
    part.firstRow = share * rows;
    part.endRow = std::min(matrix.rows, part.firstRow + rows);
    matmul(context.kernels, matrix, part);
  });
}

void multiply(const CpuContext& context, const CpuMatrix& matrix, const CpuVector& bias,
              const TokenRows& from, const TokenRows& to, int tokens) {
  multiply(context, matrix, from.inputs(), to.outputs(), tokens);
  if (bias.empty()) return;
  for (int t = 0; t < tokens; ++t) context.kernels.add(to.row(size(t)), bias.data(), matrix.rows);
}

void embedTokens(const CpuContext& context, std::span<const std::int32_t> ids, const TokenRows& to) {
  const CpuMatrix& table = context.weights.embedding;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    float* row = to.row(t);
    widenRow(context.kernels, table, ids[t], row);
    const auto multiplier = static_cast<float>(context.description.embeddingMultiplier);
    if (multiplier == 1.0F) continue;
    for (std::int64_t i = 0; i < table.columns; ++i) row[i] *= multiplier;
  }
}

void layerNorm(const float* x, std::span<const float> weight, std::span<const float> bias, double eps,
               float* y) {
  const std::size_t count = weight.size();
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) sum += double{x[i]};
  const double mean = sum / static_cast<double>(count);
  double squares = 0.0;
  for (std::size_t i = 0; i < count; ++i) squares += (double{x[i]} - mean) * (double{x[i]} - mean);
  const double factor = 1.0 / std::sqrt(squares / static_cast<double>(count) + eps);
  for (std::size_t i = 0; i < count; ++i) {
    y[i] = static_cast<float>((double{x[i]} - mean) * factor) * weight[i] + (bias.empty() ? 0.0F : bias[i]);
  }
}

/// Tiles of keys are scored whole: what lies before the first visible position is taken out again.
void attendOne(const Kernels& kernels, const AttendJob& job) {
  const std::int64_t tile = job.first / kKeyTile * kKeyTile;
  const std::int64_t count = job.position + 1 - tile;
  kernels.scores(job.query, job.keyTiles + tile * job.headDim, job.headDim, count, job.scale, job.scores);
  for (std::int64_t key = tile; job.bias != nullptr && key <= job.position; ++key)
    job.scores[key - tile] += job.bias[key];
  std::fill_n(job.scores, job.first - tile, kHidden);
  if (job.sink != nullptr) job.scores[count] = *job.sink;
  kernels.softmax(job.scores, count + (job.sink == nullptr ? 0 : 1));
  std::fill_n(job.scores, job.first - tile, 0.0F);
  kernels.mixValues(job.scores, job.values + tile * job.valueDim, job.valueDim, count, job.mixed);
}

std::span<const int> CpuHead::wanted(const DecoderBlock& block, StepBuffers& step) {
  m_count = 0;
  for (int t = 0; t < static_cast<int>(block.ids.size()); ++t) {
    float* logits = step.logits(block.firstRow + t);
    if (logits == nullptr) continue;
    m_rows[size(m_count)] = t;
    m_outputs[size(m_count++)] = logits;
  }
  return std::span(m_rows).first(size(m_count));
}

void CpuHead::run(const CpuContext& context, const TokenRows& normed) {
  if (m_count == 0) return;
  const CpuWeights& weights = context.weights;
  for (int i = 0; i < m_count; ++i) m_inputs[size(i)] = normed.row(size(m_rows[size(i)]));
  multiply(context, weights.head, m_inputs.data(), m_outputs.data(), m_count);
  const auto divisor = static_cast<float>(context.description.logitDivisor);
  for (int i = 0; i < m_count; ++i) {
    float* logits = m_outputs[size(i)];
    if (!weights.headBias.empty()) context.kernels.add(logits, weights.headBias.data(), weights.head.rows);
    if (divisor == 1.0F) continue;
    for (std::int64_t column = 0; column < weights.head.rows; ++column) logits[column] /= divisor;
  }
}

}  // namespace moescope::engine
