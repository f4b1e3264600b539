// Rule drafts: new rules from a verb and cells or layers. Not for editing rules that are there.
#pragma once

#include <QString>

#include <set>
#include <vector>

#include "core/steering/steering_program.h"

namespace moescope::views {

enum class Verb : std::uint8_t { Ban, Boost, Dampen, Pin, Scale, TopK, Uniform };

/// "Ban", "Boost", … "Uniform weights".
QString verbText(Verb verb);
/// Name of its icon.
QString verbIconName(Verb verb);
/// True for verbs on experts, false for those on whole layers.
bool isExpertVerb(Verb verb);

/// The first strength of a new rule, in the unit of the verb: +1, −1, 2.
double firstStrength(Verb verb);

/// `layers` and `experts` as in Rule: empty = all. `value` is a strength, or the count of TopK.
steering::Rule draftRule(const steering::SteeringProgram& program, Verb verb,
                         std::vector<std::int32_t> layers, std::vector<std::int32_t> experts, double value);

/// The program with the verb on these cells. A single cell keeps one rule a verb, as in the pictures; of
/// several, those layers of a kind of router that share the same experts become one rule. The verb must be
/// one on experts.
steering::SteeringProgram withVerb(steering::SteeringProgram program, Verb verb,
                                   const std::set<ExpertCell>& cells);

}  // namespace moescope::views
