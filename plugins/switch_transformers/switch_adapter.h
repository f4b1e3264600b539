// switch_transformers (Fedus et al. 2021): configuration and tensors of T5 with experts.
// Not its forward pass (switch_forward.h).
#pragma once

#include "core/checkpoint/model_adapter.h"

namespace moescope::switch_transformers {

class SwitchAdapter final : public checkpoint::ModelAdapter {
 public:
  [[nodiscard]] const checkpoint::AdapterInfo& info() const override { return m_info; }
  void describe(checkpoint::ConfigReader& config, checkpoint::ModelDescription& description) const override;
  [[nodiscard]] Result<checkpoint::AdapterNeeds> needs(
      const checkpoint::ModelDescription& description) const override;
  [[nodiscard]] Result<std::unique_ptr<engine::ModelForward>> makeForward(
      engine::ForwardKit& kit) const override;

 private:
  checkpoint::AdapterInfo m_info{"switch_transformers",
                                 "Switch Transformers",
                                 {{"switch_transformers", "SwitchTransformersForConditionalGeneration"}}};
};

}  // namespace moescope::switch_transformers
