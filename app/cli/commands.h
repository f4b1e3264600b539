// The list of subcommands, in the order of --help.
#pragma once

#include <vector>

#include "app/cli/command.h"

namespace moescope::cli {

std::vector<Register> commands();

}  // namespace moescope::cli
