#include "core/tokenizer/split_behavior.h"

#include <algorithm>
#include <utility>

namespace moescope::tokenizer {

namespace {

constexpr std::pair<const char*, SplitBehavior> kBehaviors[] = {
    {"Removed", SplitBehavior::Removed},
    {"Isolated", SplitBehavior::Isolated},
    {"MergedWithPrevious", SplitBehavior::MergedWithPrevious},
    {"MergedWithNext", SplitBehavior::MergedWithNext},
    {"Contiguous", SplitBehavior::Contiguous},
};

/// True if a part joins the piece before it (behind it for MergedWithNext).
bool joins(SplitBehavior behavior, bool match, bool neighbourMatch) {
  switch (behavior) {
    case SplitBehavior::Contiguous: return match == neighbourMatch;
    case SplitBehavior::MergedWithPrevious:
    case SplitBehavior::MergedWithNext: return match && !neighbourMatch;
    case SplitBehavior::Removed:
    case SplitBehavior::Isolated: return false;
  }
  return false;
}

}  // namespace

SplitBehavior readBehavior(const Component& component, SplitBehavior fallback) {
  const Component member = component.at("behavior");
  if (member.isNull()) return fallback;
  for (const auto& [name, behavior] : kBehaviors) {
    if (member.text() == name) return behavior;
  }
  member.refuse("tokenizer.bad_value", "there is no split behaviour " + shownText(member.text()));
}

void appendPieces(const std::vector<PatternPart>& parts, SplitBehavior behavior, std::size_t offset,
                  std::vector<TextRange>& pieces) {
  const auto first = static_cast<std::ptrdiff_t>(pieces.size());
  const bool backwards = behavior == SplitBehavior::MergedWithNext;
  bool neighbourMatch = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const PatternPart& part = parts[backwards ? parts.size() - 1 - i : i];
    if (behavior == SplitBehavior::Removed && part.match) continue;
    const bool neighbour = std::ssize(pieces) > first;
    if (neighbour && joins(behavior, part.match, neighbourMatch)) {
      (backwards ? pieces.back().begin : pieces.back().end) = offset + (backwards ? part.begin : part.end);
    } else {
      pieces.push_back({offset + part.begin, offset + part.end});
    }
    neighbourMatch = part.match;
  }
  if (backwards) std::reverse(pieces.begin() + first, pieces.end());
  const auto empty = [](const TextRange& piece) { return piece.begin == piece.end; };
  pieces.erase(std::remove_if(pieces.begin() + first, pieces.end(), empty), pieces.end());
}

}  // namespace moescope::tokenizer
