// SparsityAnalysis: the analysis `sparsity`, TLS, CLS and chunk gain of one run.
// Not the formulas (core/analysis/sparsity.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::locality {

class SparsityAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::locality
