// StabilityAnalysis: the analysis `stability`, saturation, churn and load drift over a series.
// Not the formulas (core/analysis/routing_stability.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::stability {

class StabilityAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::stability
