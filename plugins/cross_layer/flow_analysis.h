// FlowAnalysis: the analysis `cross-layer-flow`, first, middle and last layer of one run.
// Not the formulas (core/analysis/cross_layer_flow.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::cross_layer {

class FlowAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::cross_layer
