// CoActivationAnalysis: the analysis `co-activation`, pairs of experts that serve the same tokens.
// Not the formulas (core/analysis/co_activation.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::co_activation {

class CoActivationAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::co_activation
