// EarlyRoutingAnalysis: the analysis `early-routing`, when tokens get the experts that they keep.
// Not the formula (core/analysis/context_independence.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::specialization {

class EarlyRoutingAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::specialization
