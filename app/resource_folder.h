// Where the demo, themes and fonts are. Not for files that a user names.
#pragma once

#include <filesystem>

namespace moescope::app {

/// The folder with demo, themes and fonts: beside an installed program, or in the source tree.
std::filesystem::path resourceFolder();

}  // namespace moescope::app
