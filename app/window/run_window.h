// Starts the window and runs it until it is closed.
#pragma once

#include <string>
#include <vector>

namespace moescope::app {

struct WindowOptions {
  bool demo = false;
  std::vector<std::string> paths;
  std::vector<std::string> plugins;  ///< folders (--plugins)
};

/// Returns the exit status of the program.
int runWindow(int argc, char** argv, const WindowOptions& options);

}  // namespace moescope::app
