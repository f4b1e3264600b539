// LabelUnits: which tokens of a run have which label and belong to which unit of resampling.
// Not for what their router chose (label_counts.h).
#pragma once

#include <stop_token>

#include "core/analysis/analysed_run.h"
#include "core/analysis/label_source.h"

namespace moescope::analysis {

struct LabelUnits {
  /// The tokens of one unit with one label: a whole sequence, or what `entryOfToken` says.
  struct Entry {
    int unit = 0, label = 0;
    std::int32_t sequence = -1;  ///< its ordinal if the entry is a whole sequence, else -1
  };
  std::vector<std::string> labels;  ///< corpus: sorted; positions: ascending; else as given, `other` last
  bool perText = true;
  std::vector<int> strata;  ///< units of each stratum, in order of the units: each is resampled by itself
  std::vector<Entry> entries;
  std::vector<std::int32_t> entryOfToken;  ///< [rows of the run], -1: no label; empty if all are whole
  std::vector<std::string> resampled;      ///< [labels] or one for all: "22 texts"
  std::vector<std::string> notes;
};

/// Labels per text are strata, each resampled by itself; labels per token are resampled together. With
/// `byToken` entries are token by token also where sequences are whole (needed for k = 1).
/// Errors: `analysis.one_label` (fewer than two labels occur), `analysis.bad_param` (an expression does not
/// get through a token, more than kMostLabels bins of positions), `cancelled`.
Result<LabelUnits> labelUnits(const trace::TraceStore& store, const AnalysedRun& run,
                              const LabelSource& source, bool byToken, std::stop_token stop);

}  // namespace moescope::analysis
