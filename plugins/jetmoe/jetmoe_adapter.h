// jetmoe (Shen et al. 2024): configuration and tensors of a family whose attention heads are experts.
// Not its forward pass (jetmoe_forward.h).
#pragma once

#include "core/checkpoint/model_adapter.h"

namespace moescope::jetmoe {

class JetMoeAdapter final : public checkpoint::ModelAdapter {
 public:
  [[nodiscard]] const checkpoint::AdapterInfo& info() const override { return m_info; }
  void describe(checkpoint::ConfigReader& config, checkpoint::ModelDescription& description) const override;
  [[nodiscard]] Result<checkpoint::AdapterNeeds> needs(
      const checkpoint::ModelDescription& description) const override;
  [[nodiscard]] Result<std::unique_ptr<engine::ModelForward>> makeForward(
      engine::ForwardKit& kit) const override;

 private:
  checkpoint::AdapterInfo m_info{"jetmoe", "JetMoE", {{"jetmoe", "JetMoeForCausalLM"}}};
};

}  // namespace moescope::jetmoe
