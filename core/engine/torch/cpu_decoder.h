// CpuDecoder: the forward pass on the CPU with own kernels over memory that is allocated once.
// Not for other devices (torch_decoder.h). Results do not depend on grouping or threads, nor on
// blocks but where experts have a capacity.
#pragma once

#include <memory>
#include <vector>

#include "core/checkpoint/model_description.h"
#include "core/engine/torch/cpu_weights.h"
#include "core/engine/torch/decoder.h"
#include "core/engine/torch/kernels/kernels.h"
#include "core/engine/torch/kernels/thread_pool.h"
#include "core/engine/torch/kv_cache.h"
#include "core/engine/torch/memory_check.h"
#include "core/engine/torch/rotary.h"
#include "core/engine/torch/token_rows.h"

namespace moescope::engine {

/// What all decoders of one model share; outlives them.
struct CpuContext {
  const checkpoint::ModelDescription& description;
  const CpuWeights& weights;
  const Kernels& kernels;
  ThreadPool& pool;
  std::shared_ptr<MemoryTally> tally;
};

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

  void embed(const DecoderBlock& block);
  /// m_normed to m_update.
  void attention(int layer, const DecoderBlock& block);
  void projectQkv(const CpuLayer& layer, int tokens);
  void projectLatent(const CpuLayer& layer, int tokens);
  void rotateAndStore(int layer, const DecoderBlock& block);
  void headNorm(float* projected, int heads, const CpuVector& norm) const;
  void attendHead(int layer, int head, const DecoderBlock& block);
  /// m_normed to m_update.
  Result<void> experts(int layer, const DecoderBlock& block, StepBuffers& step);
  void groupByExpert(const RoutedRows& routed, int tokens, int experts);
  void runExperts(const CpuLayer& layer, int tokens);
  void activate(const CpuExpert& expert, std::size_t slot, std::int64_t firstRow, std::int64_t endRow);
  void sharedExpert(const CpuLayer& layer, int router, const DecoderBlock& block, StepBuffers& step);
  /// The dense MLP `from` m_normed `to` rows of hidden size.
  void denseMlp(const CpuExpert& mlp, std::int64_t width, const TokenRows& to, int tokens);
  void addUpdate(const CpuVector& norm, int tokens);
  void head(const DecoderBlock& block, StepBuffers& step);

  /// outputs [tokens] pointers = matrix * inputs + bias; with `gains`, outputs += gain * matrix * input.
  void multiply(const CpuMatrix& matrix, const float* const* inputs, float* const* outputs, int tokens) const;
  void multiply(const CpuMatrix& matrix, const CpuVector& bias, const TokenRows& from, const TokenRows& to,
                int tokens) const;
  void normRow(const float* from, const CpuVector& weight, const CpuVector& bias, float* to) const;
  void normalise(const TokenRows& from, const CpuVector& weight, const CpuVector& bias, const TokenRows& to,
                 int tokens) const;

  CpuContext m_context;
  KvCache m_cache;
  Rotary m_rotary;
  TokenRows m_stream;                  ///< [tokens, hidden] residual stream
  TokenRows m_normed;                  ///< [tokens, hidden] what a sublayer reads
  TokenRows m_update;                  ///< [tokens, hidden] what a sublayer adds
  TokenRows m_extra;                   ///< [tokens, hidden] what the shared expert adds
  TokenRows m_query, m_key;            ///< [tokens, heads * headDim]
  TokenRows m_value, m_mixed;          ///< [tokens, heads * valueDim]
  TokenRows m_narrow, m_narrowNormed;  ///< [tokens, rank] of latent attention
  TokenRows m_keyValue;                ///< [tokens, heads * (nopeDim + valueDim)] of latent attention
  std::vector<float> m_scores;         ///< [heads, capacity]
  CpuVector m_ones;                    ///< [headDim], the weight of norms without one

  // One slot a (token, choice), sorted by expert, tokens ascending inside an expert.
  TokenRows m_gate, m_up;                  ///< [slots, intermediate]
  TokenRows m_linear;                      ///< [slots, intermediate] where gates have double width
  TokenRows m_scaled;                      ///< [slots, hidden] inputs, where the gate weight scales them
  std::vector<int> m_firstSlot;            ///< [experts + 1]
  std::vector<int> m_activeExperts;        ///< experts with slots, ascending
  std::vector<const float*> m_slotInputs;  ///< [slots] rows of m_normed
  std::vector<float*> m_slotOutputs;       ///< [slots] rows of m_update
  std::vector<float> m_slotGains;          ///< [slots] routing weights
  std::vector<float*> m_tapRows;           ///< [tokens] rows of router logits, or of logits
  std::vector<const float*> m_tapInputs;   ///< [tokens]
  TalliedBytes m_tallied;
};

}  // namespace moescope::engine
