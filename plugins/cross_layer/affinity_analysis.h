// AffinityAnalysis: the analysis `affinity`, adjacent layers of one run.
// Not the formulas (core/analysis/cross_layer_flow.h), and no placement.
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::cross_layer {

class AffinityAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::cross_layer
