// qwen3_next: configuration and tensors of a family whose layers are Gated DeltaNet or gated attention.
// Not its forward pass (qwen3_next_forward.h).
#pragma once

#include "core/checkpoint/model_adapter.h"

namespace moescope::qwen3_next {

class Qwen3NextAdapter final : public checkpoint::ModelAdapter {
 public:
  [[nodiscard]] const checkpoint::AdapterInfo& info() const override { return m_info; }
  void describe(checkpoint::ConfigReader& config, checkpoint::ModelDescription& description) const override;
  [[nodiscard]] Result<checkpoint::AdapterNeeds> needs(
      const checkpoint::ModelDescription& description) const override;
  [[nodiscard]] Result<std::unique_ptr<engine::ModelForward>> makeForward(
      engine::ForwardKit& kit) const override;

 private:
  checkpoint::AdapterInfo m_info{"qwen3_next", "Qwen3-Next", {{"qwen3_next", "Qwen3NextForCausalLM"}}};
};

}  // namespace moescope::qwen3_next
