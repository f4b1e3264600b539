// What `steer new` reads from its options: rules written as LAYERS:EXPERTS=VALUE. Not for JSON programs
// (core/steering/steering_program.h).
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/steering/steering_program.h"

namespace moescope::cli {

/// The texts of the options as they were given.
struct RuleOptions {
  std::vector<std::string> ban, pin, add, scale;  ///< LAYERS:EXPERTS, the last two with =VALUE
  std::vector<std::string> topK;                  ///< N or LAYERS=N
  std::vector<std::string> uniform;               ///< LAYERS, or "true" for all
  std::string name, phase = "both", positions = "all", port = "native", router = "all";
};

/// The program that the options describe. LAYERS and EXPERTS are `*`, or numbers and ranges with commas
/// ("0-2,5"); positions are `all`, N, or FROM:TO[:EVERY] with TO exclusive. Errors: `usage.steer`.
Result<steering::SteeringProgram> programFrom(const RuleOptions& options);

}  // namespace moescope::cli
