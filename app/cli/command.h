// What every subcommand shares: output of results and errors, exit status, cancelling, progress.
// One file a subcommand; none of them holds logic that a test would want.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "core/base/progress.h"
#include "core/base/result.h"

namespace moescope::cli {

/// Exit status of the program (docs/cli.md).
enum ExitStatus : int { kDone = 0, kFailed = 1, kBadInput = 2, kMachine = 3, kCancelled = 130 };

/// Prints `moescope: FILE: what (where); what to do` to standard error, or {"error": ...} to standard
/// output with `json`, and returns the exit status of the error's area.
int report(const Error& error, bool json);

/// Prints a line to standard error, below a progress line that is not finished.
void note(const std::string& line);

/// Prints one JSON document and a newline to standard output.
void print(const nlohmann::ordered_json& document);

/// Stop token that Ctrl-C requests (the first time; the second ends the program).
std::stop_token interruptToken();

/// Progress to standard error: one line that is rewritten on a terminal, a line every few seconds
/// when piped, nothing when quiet.
ProgressCallback progressPrinter(bool quiet);

/// Registers a subcommand; `run` gives the exit status and is called after parsing.
using Register = void (*)(CLI::App& app, std::function<int()>& run);

void addInspect(CLI::App& app, std::function<int()>& run);
void addCheck(CLI::App& app, std::function<int()>& run);
void addVerify(CLI::App& app, std::function<int()>& run);
void addTokenize(CLI::App& app, std::function<int()>& run);
void addGenerate(CLI::App& app, std::function<int()>& run);
void addRecord(CLI::App& app, std::function<int()>& run);
void addSeries(CLI::App& app, std::function<int()>& run);
void addQuery(CLI::App& app, std::function<int()>& run);
void addFigure(CLI::App& app, std::function<int()>& run);
void addAnalyze(CLI::App& app, std::function<int()>& run);
void addSteer(CLI::App& app, std::function<int()>& run);
void addDevices(CLI::App& app, std::function<int()>& run);
void addBench(CLI::App& app, std::function<int()>& run);

}  // namespace moescope::cli
