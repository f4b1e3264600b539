// TorchDecoder: the forward pass through LibTorch's operations, for GPUs; it runs on CPU tensors as well,
// which is how it is tested. Not fast: router logits go to the host, where experts are chosen, once a layer.
#pragma once

#include <memory>
#include <vector>

#include "core/checkpoint/model_description.h"
#include "core/engine/torch/decoder.h"
#include "core/engine/torch/memory_check.h"
#include "core/engine/torch/rotary.h"
#include "core/engine/torch/torch_weights.h"

namespace moescope::engine {

/// What all decoders of one model share; outlives them.
struct TorchContext {
  const checkpoint::ModelDescription& description;
  const TorchWeights& weights;
  std::shared_ptr<MemoryTally> tally;
};

class TorchDecoder final : public Decoder {
 public:
  /// LibTorch's exceptions pass through.
  static std::unique_ptr<TorchDecoder> create(const TorchContext& context, std::int64_t capacity);
  static std::int64_t cacheBytes(const checkpoint::ModelDescription& description, std::int64_t capacity,
                                 Storage storage);

  [[nodiscard]] std::int64_t capacity() const override { return m_capacity; }
  Result<void> forward(const DecoderBlock& block, StepBuffers& step) override;
  Result<std::unique_ptr<Decoder>> fork(std::int64_t position) const override;

 private:
  TorchDecoder(const TorchContext& context, std::int64_t capacity);

  [[nodiscard]] at::Tensor uploaded(const at::Tensor& host) const;
  [[nodiscard]] at::Tensor norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) const;
  [[nodiscard]] at::Tensor queryKeyNorm(const at::Tensor& x, const at::Tensor& weight) const;
  [[nodiscard]] at::Tensor rotated(const at::Tensor& x, std::int64_t unrotated) const;
  at::Tensor attention(int layer, const at::Tensor& x, const DecoderBlock& block);
  /// Queries, keys and values of the block, [tokens, heads, dim], rotated.
  struct Projected {
    at::Tensor query, key, value;
  };
  [[nodiscard]] Projected project(int layer, const at::Tensor& x, const DecoderBlock& block) const;
  [[nodiscard]] Projected projectQkv(const TorchLayer& layer, const at::Tensor& x) const;
  [[nodiscard]] Projected projectLatent(const TorchLayer& layer, const at::Tensor& x) const;
  at::Tensor attend(int layer, const at::Tensor& query, const at::Tensor& keys, const at::Tensor& values,
                    std::int64_t position) const;
  [[nodiscard]] at::Tensor hiddenKeys(int layer, std::int64_t position, std::int64_t tokens) const;
  Result<at::Tensor> feedForward(int layer, const at::Tensor& x, const DecoderBlock& block,
                                 StepBuffers& step);
  [[nodiscard]] at::Tensor sharedExpert(const TorchLayer& layer, const at::Tensor& x, float* gates) const;
  [[nodiscard]] at::Tensor mixture(const TorchLayer& layer, const at::Tensor& x,
                                   const RoutedRows& routed) const;
  [[nodiscard]] at::Tensor expertOutput(const TorchExpert& expert, const at::Tensor& x) const;
  void head(const at::Tensor& x, const DecoderBlock& block, StepBuffers& step) const;

  TorchContext m_context;
  std::int64_t m_capacity;
  Rotary m_rotary;
  at::Tensor m_cosines, m_sines;  ///< of the block: [tokens, 1, rotaryDim / 2]
  /// A layer each: [keyValueHeads, capacity, headDim] and [keyValueHeads, capacity, valueDim].
  std::vector<at::Tensor> m_keys, m_values;
  TalliedBytes m_tallied;
};

}  // namespace moescope::engine
