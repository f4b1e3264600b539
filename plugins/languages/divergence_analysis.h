// DivergenceAnalysis: the analysis `language-divergence`, each language against a reference.
// Not the formulas (core/analysis/language_divergence.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::languages {

class DivergenceAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::languages
