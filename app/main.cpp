// The one program: a subcommand, or the window.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>

#include "app/cli/commands.h"
#include "app/cli/help_formatter.h"
#include "app/plugins.h"
#include "core/base/log.h"
#include "core/engine/api/engine.h"
#ifdef MOESCOPE_HAS_GUI
#include "app/window/run_window.h"
#endif

namespace {

using namespace moescope;

/// "moescope steer new": the subcommand that was being read.
std::string commandLine(const CLI::App& app) {
  std::string line = app.get_name();
  for (const CLI::App* command : app.get_subcommands()) line += " " + commandLine(*command);
  return line;
}

/// One line for what CLI11 says in one or more; what it could not place comes first.
int reportUsage(const CLI::App& app, const CLI::ParseError& error, bool json) {
  std::string message = error.what();
  auto extra = app.remaining(true);
  std::erase(extra, "--json");  // asks for this error as an object, also where there is no such option
  if (!extra.empty()) message = "not known here: " + CLI::detail::join(extra, " ");
  std::replace(message.begin(), message.end(), '\n', ' ');
  message.erase(message.find_last_not_of(" .") + 1);
  return cli::report({"usage.bad_option", "", "", message, "see " + commandLine(app) + " --help"}, json);
}

/// --help and --version; footers end without a new line.
int printAsked(const CLI::App& app, const CLI::Success& asked) {
  std::ostringstream text;
  const int status = app.exit(asked, text, text);
  std::cout << text.str() << (text.str().ends_with('\n') ? "" : "\n");
  return status;
}

/// A word that is neither a subcommand nor something to open.
std::optional<Error> unknownPath(const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) continue;
    return Error{"usage.no_such_path", path, "", "is neither a subcommand nor a file or folder",
                 "see moescope --help"};
  }
  return std::nullopt;
}

#ifdef MOESCOPE_HAS_GUI
/// A library of Qt's loads libgomp, which reads its settings at once, before main: the program starts itself
/// again where they were not set. Without the window loadEngine() sets them in time.
void startWithOpenMpSettings(char** argv) {
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (engine::setOpenMpEnvironment() && !failed) ::execv(program.c_str(), argv);
}
#endif

}  // namespace

int main(int argc, char** argv) {
#ifdef MOESCOPE_HAS_GUI
  startWithOpenMpSettings(argv);
#endif
  CLI::App app("MoEScope: a workbench for mixture-of-experts language models", "moescope");
  app.formatter(std::make_shared<cli::HelpFormatter>());
  app.set_version_flag("--version", std::string("moescope ") + MOESCOPE_VERSION);
  bool verbose = false;
  app.add_flag("--verbose", verbose, "More messages on standard error");
  bool demo = false;
  std::vector<std::string> paths, plugins;
  app.add_flag("--demo", demo, "Open the window on the demo model");
  app.add_option("--plugins", plugins, "Also opens the plug-ins of this folder; repeatable")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.add_option("PATH", paths, "Checkpoint folders, GGUF files, traces or steering programs to open");
  app.require_subcommand(0, 1);
  app.footer(
      "Without a subcommand the window opens.\n\nExamples:\n  moescope --demo\n  moescope inspect "
      "resources/demo/model");

  std::function<int()> run;
  for (const cli::Register add : cli::commands()) add(app, run);

  const bool json =
      std::any_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return printAsked(app, asked);
  } catch (const CLI::ParseError& error) {
    return reportUsage(app, error, json);
  }
  configureLog(verbose);
  app::offerAdapters(plugins);
  if (run) return run();
  if (const auto unknown = unknownPath(paths)) return cli::report(*unknown, json);
#ifdef MOESCOPE_HAS_GUI
  return app::runWindow(argc, argv, {demo, paths, plugins});
#else
  return cli::report({"usage.no_window", "", "", "this build has no window", "see moescope --help"}, json);
#endif
}
