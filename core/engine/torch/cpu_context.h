// CpuContext: what all decoders of one model on the CPU share, and the steps that every forward pass there
// has: matrix products on the pool, rows of the embedding, logits.
// Not for attention and experts (cpu_attention.cpp, cpu_feed_forward.h).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/checkpoint/model_description.h"
#include "core/engine/api/token_rows.h"
#include "core/engine/torch/cpu_weights.h"
#include "core/engine/torch/decoder.h"
#include "core/engine/torch/kernels/kernels.h"
#include "core/engine/torch/kernels/thread_pool.h"
#include "core/engine/torch/kv_cache.h"
#include "core/engine/torch/memory_check.h"

namespace moescope::engine {

/// Multiplications below which waking another thread costs more than it saves (about 30 microseconds).
inline constexpr std::int64_t kParallelWork = 1 << 20;

/// Outlives the decoders.
struct CpuContext {
  const checkpoint::ModelDescription& description;
  const CpuWeights& weights;
  const Kernels& kernels;
  ThreadPool& pool;
  std::shared_ptr<MemoryTally> tally;
};

/// outputs [tokens] pointers = matrix * inputs; with `gains`, outputs += gain * matrix * input.
void multiply(const CpuContext& context, const CpuMatrix& matrix, const float* const* inputs,
              float* const* outputs, int tokens, const float* gains = nullptr);
/// The same for rows, plus a bias where there is one.
void multiply(const CpuContext& context, const CpuMatrix& matrix, const CpuVector& bias,
              const TokenRows& from, const TokenRows& to, int tokens);

/// Rows of the embedding, times the description's multiplier.
void embedTokens(const CpuContext& context, std::span<const std::int32_t> ids, const TokenRows& to);

/// y = w * (x - mean) / sqrt(variance + eps) + b (Ba et al. 2016); an empty `bias` is none. In place if
/// wanted.
void layerNorm(const float* x, std::span<const float> weight, std::span<const float> bias, double eps,
               float* y);

/// Scores that `attendOne` needs for a context: one more than it, as a sink takes a place, in whole tiles.
inline std::int64_t scoreColumns(std::int64_t capacity) {
  return (capacity + kKeyTile) / kKeyTile * kKeyTile;
}
/// One query head at `position`, which sees keys from `first` on: softmax(scale * q k^T) v. `sink`, where
/// there is one, takes part in the softmax and is dropped; `bias` [position + 1], where there is one, is
/// added to the scaled products. `scores`: room for scoreColumns(capacity).
struct AttendJob {
  const float* query;
  const float* keyTiles;
  const float* values;
  int headDim, valueDim;
  std::int64_t first, position;
  float scale;
  const float* sink;
  const float* bias;
  float* scores;
  float* mixed;
};
void attendOne(const Kernels& kernels, const AttendJob& job);

/// Logits of the rows that a step asks for.
class CpuHead {
 public:
  /// `block`: tokens at once, at most.
  explicit CpuHead(int block)
      : m_inputs(static_cast<std::size_t>(block)),
        m_outputs(static_cast<std::size_t>(block)),
        m_rows(static_cast<std::size_t>(block)) {}

  /// Rows of the block whose logits are asked for; only these need be normed.
  std::span<const int> wanted(const DecoderBlock& block, StepBuffers& step);
  /// Of the rows that wanted() gave.
  void run(const CpuContext& context, const TokenRows& normed);

 private:
  std::vector<const float*> m_inputs;
  std::vector<float*> m_outputs;
  std::vector<int> m_rows;
  int m_count = 0;
};

}  // namespace moescope::engine
