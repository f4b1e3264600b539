// TopPAnalysis: the analysis `top-p`, experts that hold the mass p.
// Not the formulas (core/analysis/top_p_counts.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::router_scores {

class TopPAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::router_scores
