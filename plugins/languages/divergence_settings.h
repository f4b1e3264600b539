// What a run of the analysis of divergence was asked for. Not for the analysis (divergence_analysis.h).
#pragma once

#include <string>

#include "core/analysis/analysed_run.h"
#include "core/analysis/analysis.h"
#include "core/analysis/layer_jobs.h"
#include "core/analysis/text_labels.h"

namespace moescope::languages {

struct DivergenceSettings {
  analysis::LayerSettings layers;
  analysis::TextLabels labels;
  int reference = 0;
  std::string pairKey;  ///< empty: texts are not parallel
  double tau = 0.0;
};

/// Errors: `analysis.*`, of them `analysis.bad_param` for a reference that labels no text.
Result<DivergenceSettings> divergenceSettings(const analysis::AnalysisInput& input,
                                              const analysis::AnalysedRun& run);

}  // namespace moescope::languages
