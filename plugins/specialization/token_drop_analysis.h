// TokenDropAnalysis: the analysis `token-drop`, what a limited capacity would drop by position.
// Not the rule (core/analysis/token_drop.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::specialization {

class TokenDropAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::specialization
