// RuleEffect: what one steering rule did, as counts, for those who count and those who keep it.
// Not the counting (core/steering).
#pragma once

#include <cstdint>

namespace moescope {

/// Counts over tokens in a rule's scope (one per rule id).
struct RuleEffect {
  std::int64_t ruleId = 0;
  std::int64_t tokensInScope = 0;   ///< token-layer rows that the rule covers
  std::int64_t chosen = 0;          ///< its experts chosen, over those rows
  std::int64_t nativelyChosen = 0;  ///< its experts in the native choice
  std::int64_t choicesAdded = 0;    ///< COUNT
  std::int64_t choicesDropped = 0;  ///< COUNT
  double droppedNativeMass = 0.0;   ///< COUNT: native gate mass of the dropped choices
  double nativeMass = 0.0;          ///< COUNT: all native gate mass in scope
  bool operator==(const RuleEffect&) const = default;
};

}  // namespace moescope
