// The words of programs: primitives, operations, renormalisations and phases as they stand in JSON.
// Not for texts that a user reads.
#pragma once

#include <optional>
#include <string_view>

#include "core/steering/steering_program.h"

namespace moescope::steering {

std::string_view word(Primitive primitive);              ///< "LOGIT"
std::string_view word(Operation operation);              ///< "pin+"
std::string_view word(Renormalisation renormalisation);  ///< "keep_mass"
std::string_view word(PhaseScope phase);                 ///< "decode"

std::optional<Primitive> primitiveFrom(std::string_view word);
/// An operation of that primitive; "set" is Set for LOGIT and KEY and SetWeights for WEIGHT.
std::optional<Operation> operationFrom(Primitive primitive, std::string_view word);
std::optional<Renormalisation> renormalisationFrom(std::string_view word);
std::optional<PhaseScope> phaseFrom(std::string_view word);

}  // namespace moescope::steering
