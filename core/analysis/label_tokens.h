// Label tokens: the tokens of one label that chose one expert: what lies behind a cell of a specialization
// map. Not for rates of whole labels (specialization.h) or for an expert's tokens whatever their label
// (vocabulary_specialization.h).
#pragma once

#include "core/analysis/label_units.h"
#include "core/analysis/token_contexts.h"
#include "core/analysis/vocabulary_specialization.h"

namespace moescope::analysis {

struct LabelTokens {
  std::int64_t tokens = 0;             ///< of the label, with a decision
  std::int64_t chosen = 0;             ///< of these the expert served
  std::int64_t ids = 0;                ///< different token ids among the served ones
  std::vector<TopToken> top;           ///< occurrences and rate are those in the label
  std::vector<TokenContext> contexts;  ///< places of `top`, all with the label
};

/// Which rows of a run have the label `name`: [rows of the run] the token id there, kNoKey elsewhere. A label
/// that does not occur gives no rows. Errors: as labelUnits().
Result<std::vector<std::int32_t>> labelTokenKeys(const trace::TraceStore& store, const AnalysedRun& run,
                                                 const LabelSource& source, const std::string& name,
                                                 std::stop_token stop);

struct LabelTokenOptions {
  int choices = 0;  ///< 0: every choice of a token counts, 1: the first only
  int most = 15;    ///< ids
  int places = 3;   ///< of each id
  int around = 8;   ///< tokens of context on both sides
  /// True: by rate, of ids that occur `least` times (topTokens()); false: by `chosen`, then rate, both
  /// descending, then id.
  bool byRate = false;
  std::int64_t least = 1;
};

/// Of rows with a key (labelTokenKeys(), or every row's) the ids that a router's expert serves. `router` and
/// `expert` exist. Errors: `cancelled`.
Result<LabelTokens> labelTokens(const trace::TraceStore& store, const AnalysedRun& run, int router,
                                int expert, std::span<const std::int32_t> keyOfToken,
                                const LabelTokenOptions& options, std::stop_token stop);

}  // namespace moescope::analysis
