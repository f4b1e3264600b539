// TokenKeys: by what a routing decision is sorted: the token it was made for, the token that follows, the
// token that the model predicts, or the position. Not for counting choices (key_counts.h).
#pragma once

#include <optional>
#include <stop_token>
#include <string_view>

#include "core/analysis/analysed_run.h"

namespace moescope::analysis {

/// The three variants of x of vocabulary specialization (OLMoE, arXiv:2409.02060 section 5.4), and positions.
enum class TokenKey : std::uint8_t {
  Input,      ///< the token of the row
  Next,       ///< the token that follows in its sequence
  Predicted,  ///< argmax of the logits after the row: the first alternative of the row that follows
  Position,   ///< of the row in its sequence
};
std::string_view name(TokenKey key);  ///< "input", "next", "predicted", "position"
std::optional<TokenKey> tokenKeyFrom(std::string_view word);

inline constexpr std::int32_t kNoKey = -1;

/// [rows of the run], kNoKey where there is none (the last row of a sequence has no next token).
/// Errors: `analysis.not_recorded` (predictions, in a run without alternatives), `cancelled`.
Result<std::vector<std::int32_t>> tokenKeys(const trace::TraceStore& store, const AnalysedRun& run,
                                            TokenKey key, std::stop_token stop);

/// The keys in another order: a control in which nothing depends on them. Rows without a key keep none.
std::vector<std::int32_t> shuffledKeys(std::vector<std::int32_t> keys, std::uint64_t seed);

}  // namespace moescope::analysis
