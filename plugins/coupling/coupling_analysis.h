// CouplingAnalysis: the analysis `router-coupling`, ERC of a checkpoint.
// Not the formulas (core/analysis/router_coupling.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::coupling {

class CouplingAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::coupling
