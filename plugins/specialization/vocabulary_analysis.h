// VocabularyAnalysis: the analysis `vocabulary`, how far tokens tell the expert, and the top tokens of an
// expert. Not the formulas (core/analysis/vocabulary_specialization.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::specialization {

class VocabularyAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::specialization
