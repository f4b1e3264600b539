// SimilarityAnalysis: the analysis `expert-similarity`, experts alike in their logits.
// Not the formulas (core/analysis/expert_similarity.h), and no merging.
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::router_scores {

class SimilarityAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::router_scores
