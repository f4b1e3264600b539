// minimax (MiniMax-01, Li et al. 2025): configuration and tensors of a family with lightning attention.
// Not its forward pass (minimax_forward.h).
#pragma once

#include "core/checkpoint/model_adapter.h"

namespace moescope::minimax {

class MiniMaxAdapter final : public checkpoint::ModelAdapter {
 public:
  [[nodiscard]] const checkpoint::AdapterInfo& info() const override { return m_info; }
  void describe(checkpoint::ConfigReader& config, checkpoint::ModelDescription& description) const override;
  [[nodiscard]] Result<checkpoint::AdapterNeeds> needs(
      const checkpoint::ModelDescription& description) const override;
  [[nodiscard]] Result<std::unique_ptr<engine::ModelForward>> makeForward(
      engine::ForwardKit& kit) const override;

 private:
  checkpoint::AdapterInfo m_info{"minimax", "MiniMax", {{"minimax", "MiniMaxForCausalLM"}}};
};

}  // namespace moescope::minimax
