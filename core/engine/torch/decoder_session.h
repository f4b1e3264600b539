// DecoderSession: a sequence on a decoder, whatever its device: checks, blocks, position, plan.
// Not for arithmetic.
#pragma once

#include <memory>

#include "core/engine/api/engine.h"
#include "core/engine/torch/decoder.h"

namespace moescope::engine {

class DecoderSession final : public Session {
 public:
  DecoderSession(std::shared_ptr<const Model> model, std::unique_ptr<Decoder> decoder);

  [[nodiscard]] std::int64_t position() const override { return m_position; }
  [[nodiscard]] std::int64_t capacity() const override { return m_decoder->capacity(); }
  Result<StepOutput> forward(const StepRequest& request) override;
  void rewind(std::int64_t position) override;
  Result<std::unique_ptr<Session>> fork() const override;
  void setPlan(std::shared_ptr<const steering::SteeringPlan> plan) override { m_plan = std::move(plan); }

 private:
  [[nodiscard]] Result<void> check(const StepRequest& request) const;
  Result<StepOutput> forwardBlocks(const StepRequest& request);

  std::shared_ptr<const Model> m_model;  ///< kept alive: the decoder reads its weights
  std::unique_ptr<Decoder> m_decoder;
  StepBuffers m_buffers;
  std::shared_ptr<const steering::SteeringPlan> m_plan;
  std::int64_t m_position = 0;
  std::int64_t m_sourceLength = 0;  ///< of encoder-decoders; 0: no source was forwarded
};

}  // namespace moescope::engine
