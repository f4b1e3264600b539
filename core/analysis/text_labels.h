// TextLabels: the label of each text of a run, for analyses that compare whole texts.
// Not for labels of single tokens.
#pragma once

#include <string>
#include <vector>

#include "core/analysis/analysed_run.h"
#include "core/analysis/analysis_result.h"

namespace moescope::analysis {

struct TextLabels {
  std::vector<std::string> names;  ///< sorted
  std::vector<int> labelOf;        ///< [sequences] index of its label; -1: none, unfinished or empty
  std::vector<std::string> notes;  ///< what was left out

  [[nodiscard]] std::vector<int> textsOf(int label) const;
};

/// `text` is "corpus" (the key `label`, or the first key where no text has that) or "corpus:KEY". Errors:
/// `analysis.bad_param`, `analysis.one_label` (fewer than two labels occur).
Result<TextLabels> textLabels(const trace::TraceStore& store, const AnalysedRun& run,
                              const std::string& text);

/// The value of a label key of a text; empty if it has none.
std::string labelValue(const trace::SequenceRecord& sequence, const std::string& key);

}  // namespace moescope::analysis
