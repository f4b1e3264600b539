// The part of `moescope inspect` that is about traces. Not for checking them.
#pragma once

#include <filesystem>

namespace moescope::cli {

/// Prints what a trace holds and returns the exit status.
int inspectTrace(const std::filesystem::path& path, bool json);

}  // namespace moescope::cli
