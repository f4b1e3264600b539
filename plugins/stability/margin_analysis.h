// MarginAnalysis: the analysis `margins`, how close the choices of a run were.
// Not the formula (core/analysis/routing_margin.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::stability {

class MarginAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::stability
