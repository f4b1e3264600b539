// One logger for the program, to standard error. Not for output that a user asked for.
#pragma once

#include <spdlog/spdlog.h>

namespace moescope {

/// Sends warnings and above to standard error with the prefix `moescope: `; `verbose` adds the rest.
void configureLog(bool verbose);

}  // namespace moescope
