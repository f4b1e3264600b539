// What a split does with the parts that its pattern matched. Not for finding them (pattern.h).
#pragma once

#include <vector>

#include "core/tokenizer/component.h"
#include "core/tokenizer/pattern.h"
#include "core/tokenizer/pre_tokenizer.h"

namespace moescope::tokenizer {

enum class SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

/// Reads the member "behavior"; `fallback` if it is missing. Errors: `tokenizer.bad_value`.
SplitBehavior readBehavior(const Component& component, SplitBehavior fallback);

/// Appends the pieces that are left of `parts`, which begin at `offset` of the text; empty ones are dropped.
void appendPieces(const std::vector<PatternPart>& parts, SplitBehavior behavior, std::size_t offset,
                  std::vector<TextRange>& pieces);

}  // namespace moescope::tokenizer
