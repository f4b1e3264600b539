// ExclusiveAnalysis: the analysis `exclusive-experts`, experts that serve one language.
// Not the formulas (core/analysis/exclusive_experts.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::languages {

class ExclusiveAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::languages
