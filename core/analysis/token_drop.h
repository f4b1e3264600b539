// Token drop: which choices a limited capacity of the experts would drop (OpenMoE, arXiv:2402.01739,
// "drop-towards-the-end"). A what-if over recorded choices, not what the model did.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

enum class DropOrder : std::uint8_t {
  Sequence,      ///< tokens in order, each with all its choices
  FirstChoices,  ///< all first choices in order, then all second ones (GShard)
};

/// C = ceil(factor * K * N / M) choices that each expert takes of a routing group of N tokens.
std::int64_t expertCapacity(double factor, int choices, std::int64_t tokens, int experts);

/// [tokens, choices] 1 where the expert is full: `ids` [tokens, choices] of one routing group in order,
/// kEmptySlot = none (never dropped, never counted).
std::vector<std::uint8_t> droppedChoices(std::span<const std::uint16_t> ids, int choices, int experts,
                                         std::int64_t capacity, DropOrder order);

}  // namespace moescope::analysis
