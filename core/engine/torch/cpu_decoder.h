// CpuDecoder: the forward pass on the CPU with own kernels over memory that is allocated once.
// Not for other devices (torch_decoder.h). Results do not depend on grouping or threads, nor on
// blocks but where experts have a capacity.
#pragma once

#include <memory>
#include <vector>

#include "core/engine/torch/cpu_context.h"
#include "core/engine/torch/cpu_feed_forward.h"
#include "core/engine/torch/decoder.h"
#include "core/engine/torch/kv_cache.h"
#include "core/engine/torch/memory_check.h"
#include "core/engine/torch/rotary.h"

namespace moescope::engine {

class CpuDecoder final : public Decoder {
 public:
  /// Errors: `machine.out_of_memory`.
  static Result<std::unique_ptr<Decoder>> create(const CpuContext& context, std::int64_t capacity);
  /// Bytes of a decoder's cache and of its activations.
  static std::int64_t cacheBytes(const checkpoint::ModelDescription& description, std::int64_t capacity);
  static std::int64_t activationBytes(const checkpoint::ModelDescription& description, std::int64_t capacity);

  [[nodiscard]] std::int64_t capacity() const override { return m_cache.shape().capacity; }
  Result<void> forward(const DecoderBlock& block, StepBuffers& step) override;
  Result<std::unique_ptr<Decoder>> fork(std::int64_t position) const override;

 private:
  /// `block`: tokens at once.
  CpuDecoder(const CpuContext& context, KvCache cache, int block);

  /// m_normed to m_update.
  void attention(int layer, const DecoderBlock& block);
  void projectQkv(const CpuLayer& layer, int tokens);
  void projectLatent(const CpuLayer& layer, int tokens);
  void rotateAndStore(int layer, const DecoderBlock& block);
  void headNorm(float* projected, int heads, const CpuVector& norm) const;
  void attendHead(int layer, int head, const DecoderBlock& block);
  void addUpdate(const CpuVector& norm, int tokens);
  void head(const DecoderBlock& block, StepBuffers& step);

  void multiply(const CpuMatrix& matrix, const CpuVector& bias, const TokenRows& from, const TokenRows& to,
                int tokens) const {
    engine::multiply(m_context, matrix, bias, from, to, tokens);
  }
  void normRow(const float* from, const CpuVector& weight, const CpuVector& bias, float* to) const;
  void normalise(const TokenRows& from, const CpuVector& weight, const CpuVector& bias, const TokenRows& to,
                 int tokens) const;

  CpuContext m_context;
  KvCache m_cache;
  Rotary m_rotary;
  TokenRows m_stream;                  ///< [tokens, hidden] residual stream
  TokenRows m_normed;                  ///< [tokens, hidden] what a sublayer reads
  TokenRows m_update;                  ///< [tokens, hidden] what a sublayer adds
  TokenRows m_query, m_key;            ///< [tokens, heads * headDim]
  TokenRows m_value, m_mixed;          ///< [tokens, heads * valueDim]
  TokenRows m_narrow, m_narrowNormed;  ///< [tokens, rank] of latent attention
  TokenRows m_keyValue;                ///< [tokens, heads * (nopeDim + valueDim)] of latent attention
  std::vector<float> m_scores;         ///< [heads, capacity]
  CpuVector m_ones;                    ///< [headDim], the weight of norms without one
  CpuFeedForward m_feedForward;
  CpuHead m_head;
  TalliedBytes m_tallied;
};

}  // namespace moescope::engine
