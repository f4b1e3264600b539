// KeyCounts: how often each expert of one router was chosen for each token id or position.
// Not for labels with few values and intervals by texts (label_counts.h).
#pragma once

#include <span>
#include <stop_token>

#include "core/analysis/token_keys.h"

namespace moescope::analysis {

/// Decisions of one router sorted by key, kept row by row so that texts can be weighted.
struct KeyedChoices {
  int experts = 0, choices = 0;      ///< choices of a row, as counted (k, or 1)
  std::vector<std::int32_t> keys;    ///< that occur, ascending
  std::vector<std::int32_t> keyOf;   ///< [rows] index into `keys`
  std::vector<std::int32_t> unitOf;  ///< [rows] unit of resampling; empty if not asked for
  std::vector<std::uint16_t> ids;    ///< [rows, choices] kEmptySlot = none
};

/// The rows that have a key and a decision. `choices` 0: every choice, 1: the first only. `unitOfToken` [rows
/// of the run] or empty. Errors: `cancelled`.
Result<KeyedChoices> keyedChoices(const trace::TraceStore& store, const AnalysedRun& run, int router,
                                  std::span<const std::int32_t> keyOfToken,
                                  std::span<const std::int32_t> unitOfToken, int choices,
                                  std::stop_token stop);

struct KeyCounts {
  int experts = 0, choices = 0;
  std::vector<std::int32_t> keys;         ///< ascending
  std::vector<std::int64_t> occurrences;  ///< [keys] decisions: N_x
  std::vector<std::int64_t> counts;       ///< [keys, experts] choices: N_{x,i}

  [[nodiscard]] std::span<const std::int64_t> of(std::size_t key) const {
    const auto width = static_cast<std::size_t>(experts);
    return std::span(counts).subspan(key * width, width);
  }
  [[nodiscard]] std::int64_t tokens() const;
};

/// `multiplicity` [units] weights rows by the draw of their unit; empty: each once.
KeyCounts keyCounts(const KeyedChoices& rows, std::span<const std::uint16_t> multiplicity = {});

/// [rows of the run] the unit of resampling of every row (text_units.h). Errors: `cancelled`.
struct TokenUnits {
  std::vector<std::int32_t> unitOfToken;
  int units = 0;
  std::string description;
};
Result<TokenUnits> unitsOfTokens(const trace::TraceStore& store, const AnalysedRun& run,
                                 std::stop_token stop);
/// "95 %, bootstrap of 200 over 176 texts", or why there is none.
std::string intervalText(const TokenUnits& units, int draws);

}  // namespace moescope::analysis
