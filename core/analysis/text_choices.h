// TextChoices: the experts that one router chose along a text, token after token.
// Not for sums over texts (sequence_stats) or for logits.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/routed_tokens.h"

namespace moescope::analysis {

/// Neighbouring routed tokens of one text. A row without routing (damaged block, or a token that was never
/// forwarded) ends a piece, so that no window runs across a gap.
struct TextChoices {
  int text = 0;  ///< index in the run's sequences
  int width = 0;
  std::vector<std::uint16_t> ids;  ///< [tokens, width] in selection order; kEmptySlot = none

  [[nodiscard]] int tokens() const { return width > 0 ? static_cast<int>(ids.size()) / width : 0; }
  [[nodiscard]] std::span<const std::uint16_t> row(int token) const {
    const auto slots = static_cast<std::size_t>(width);
    return std::span(ids).subspan(static_cast<std::size_t>(token) * slots, slots);
  }
};

/// Pieces in order of the texts; texts without a routed token have none. Errors: `cancelled`.
Result<std::vector<TextChoices>> textChoices(const trace::TraceStore& store, trace::RunId run, int router,
                                             std::span<const trace::SequenceRecord> sequences,
                                             std::stop_token stop);

/// Every n-th text, so that about `mostTokens` tokens or fewer are left; at least one text.
std::vector<trace::SequenceRecord> spreadTexts(std::span<const trace::SequenceRecord> sequences,
                                               std::int64_t mostTokens);

/// The same texts with `topK` different experts of `experts` drawn for every token, seeded: the random
/// control. At most `mostTokens` tokens, whole pieces only (the first one always).
std::vector<TextChoices> randomChoices(std::span<const TextChoices> like, int experts, int topK,
                                       std::int64_t mostTokens, std::uint64_t seed);

}  // namespace moescope::analysis
