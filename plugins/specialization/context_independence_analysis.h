// ContextIndependenceAnalysis: the analysis `context-independence` of OpenMoE.
// Not the formulas (core/analysis/context_independence.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::specialization {

class ContextIndependenceAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::specialization
