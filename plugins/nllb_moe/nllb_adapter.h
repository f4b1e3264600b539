// nllb_moe (NLLB Team 2022): configuration and tensors of the translation models with experts.
// Not its forward pass (nllb_forward.h).
#pragma once

#include "core/checkpoint/model_adapter.h"

namespace moescope::nllb_moe {

class NllbAdapter final : public checkpoint::ModelAdapter {
 public:
  [[nodiscard]] const checkpoint::AdapterInfo& info() const override { return m_info; }
  void describe(checkpoint::ConfigReader& config, checkpoint::ModelDescription& description) const override;
  [[nodiscard]] Result<checkpoint::AdapterNeeds> needs(
      const checkpoint::ModelDescription& description) const override;
  [[nodiscard]] Result<std::unique_ptr<engine::ModelForward>> makeForward(
      engine::ForwardKit& kit) const override;

 private:
  /// Files say "nllb-moe"; the other is how the family is written elsewhere.
  checkpoint::AdapterInfo m_info{
      "nllb_moe",
      "NLLB-MoE",
      {{"nllb-moe", "NllbMoeForConditionalGeneration"}, {"nllb_moe", "NllbMoeForConditionalGeneration"}}};
};

}  // namespace moescope::nllb_moe
