// ConsistencyAnalysis: the analysis `routing-consistency`, SRP and SCH of one run.
// Not the formulas (core/analysis/routing_consistency.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::locality {

class ConsistencyAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::locality
