// LabelInformationAnalysis: the analysis `label-information`, mutual information of expert and label over a
// series. Not the formula (core/analysis/label_information.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::specialization {

class LabelInformationAnalysis : public analysis::Analysis {
 public:
  [[nodiscard]] const analysis::AnalysisInfo& info() const override;
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override;
};

}  // namespace moescope::specialization
