// Token contexts: places where an expert served a token, with what stands around them.
// Not for counts (key_counts.h).
#pragma once

#include <span>
#include <stop_token>
#include <string>

#include "core/analysis/token_keys.h"

namespace moescope::analysis {

struct TokenContext {
  std::int32_t key = 0;  ///< the id that was looked for
  std::int64_t row = 0;
  std::int32_t sequence = 0, position = 0;
  std::string before, token, after;  ///< bytes; `token` is the row's own
};

/// For each of `ids` the first `perId` rows with that key where the router's first `choices` (0: all) include
/// the expert, at least `around` rows apart, with `around` tokens of the same text on both sides.
/// Errors: `cancelled`.
Result<std::vector<TokenContext>> tokenContexts(const trace::TraceStore& store, const AnalysedRun& run,
                                                int router, int expert,
                                                std::span<const std::int32_t> keyOfToken, int choices,
                                                std::span<const std::int32_t> ids, int perId, int around,
                                                std::stop_token stop);

}  // namespace moescope::analysis
