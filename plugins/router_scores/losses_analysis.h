// LossesAnalysis: the analysis `auxiliary-losses`, load-balance loss and z-loss of one run.
// Not the formulas (core/analysis/auxiliary_losses.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::router_scores {

class LossesAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::router_scores
