// SpecializationAnalysis: the analysis `specialization`, label x expert rates of one run.
// Not the formulas (core/analysis/specialization.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::specialization {

class SpecializationAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::specialization
