// The one program: a subcommand, or the window.
#include <functional>

#include <CLI/CLI.hpp>

#include "app/cli/commands.h"
#include "core/base/log.h"
#ifdef MOESCOPE_HAS_GUI
#include "app/window/run_window.h"
#endif

int main(int argc, char** argv) {
  using namespace moescope;
  CLI::App app("MoEScope: a workbench for mixture-of-experts language models", "moescope");
  app.set_version_flag("--version", std::string("moescope ") + MOESCOPE_VERSION);
  app.failure_message(CLI::FailureMessage::simple);
  bool verbose = false;
  app.add_flag("--verbose", verbose, "More messages on standard error");
  bool demo = false;
  std::vector<std::string> paths;
  app.add_flag("--demo", demo, "Open the window on the demo model");
  app.add_option("PATH", paths, "Checkpoint folders, traces or steering programs to open");
  app.require_subcommand(0, 1);

  std::function<int()> run;
  for (const cli::Register add : cli::commands()) add(app, run);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kDone : cli::kBadInput;
  }
  configureLog(verbose);
  if (run) return run();
#ifdef MOESCOPE_HAS_GUI
  return app::runWindow(argc, argv, {demo, paths});
#else
  return cli::report({"usage.no_window", "", "", "this build has no window", "see moescope --help"}, false);
#endif
}
