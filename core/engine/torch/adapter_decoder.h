// AdapterDecoder: a Decoder whose forward pass comes from a family's adapter; on the CPU.
// Not the forward pass (plugins), nor what it is made of (cpu_forward_kit.h).
#pragma once

#include "core/checkpoint/model_adapter.h"
#include "core/engine/torch/cpu_forward_kit.h"
#include "core/engine/torch/decoder.h"
#include "core/engine/torch/memory_check.h"

namespace moescope::engine {

class AdapterDecoder final : public Decoder {
 public:
  /// Errors: `machine.out_of_memory`, those of the adapter.
  static Result<std::unique_ptr<Decoder>> create(const CpuContext& context, std::int64_t capacity);
  /// Bytes of what a sequence of `capacity` tokens keeps, and of activations.
  static Result<std::int64_t> cacheBytes(const checkpoint::ModelDescription& description,
                                         std::int64_t capacity);
  static std::int64_t activationBytes(const checkpoint::ModelDescription& description);

  [[nodiscard]] std::int64_t capacity() const override { return m_kit.capacity(); }
  Result<void> forward(const DecoderBlock& block, StepBuffers& step) override;
  Result<std::unique_ptr<Decoder>> fork(std::int64_t position) const override;

 private:
  AdapterDecoder(const CpuContext& context, std::int64_t capacity, std::int64_t cacheBytes);

  CpuContext m_context;
  CpuForwardKit m_kit;
  std::unique_ptr<ModelForward> m_forward;
  TalliedBytes m_tallied;
};

}  // namespace moescope::engine
