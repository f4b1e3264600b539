// `moescope analyze`: an analysis of a trace or a checkpoint, printed with its sample, baseline and notes.
#include <iostream>
#include <memory>

#include "app/cli/analysis_output.h"
#include "app/cli/command.h"
#include "app/plugins.h"
#include "core/plugin/analysis_runner.h"

namespace moescope::cli {

namespace {

struct Options {
  std::string file, analysis, run, series, checkpoint, table, exporter;
  std::vector<std::string> parameters, plugins;
  bool list = false, json = false, csv = false, keep = false, quiet = false;
};

void noteFailures(const plugin::PluginHost& host) {
  for (const auto& failure : host.failures()) note("moescope: plug-in left out: " + failure.reason.text());
}

Result<plugin::AnalysisRequest> requestOf(const Options& options) {
  if (options.file.empty() || options.analysis.empty()) {
    return fail("usage.analyze", "", "", "a trace and --analysis are needed",
                "see moescope analyze --list for the analyses");
  }
  plugin::AnalysisRequest request{options.analysis, options.run, options.series, {}, {}};
  if (!options.checkpoint.empty()) request.checkpoint = options.checkpoint;
  for (const std::string& text : options.parameters) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail("analysis.bad_param", "", text, "a parameter is written as name=value",
                  "see moescope analyze --list");
    }
    request.parameters[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return request;
}

Result<void> printAs(const analysis::AnalysisResult& result, const Options& options,
                     const plugin::PluginHost& host) {
  if (options.json) {
    print(toJson(result));
  } else if (options.csv) {
    return printCsv(result, options.table);
  } else if (!options.exporter.empty()) {
    const auto exporter = host.findExporter(options.exporter);
    if (!exporter) return fail(exporter.error());
    const auto bytes = (*exporter)->writeResult(result);
    if (!bytes) return fail(bytes.error());
    std::cout << *bytes;
  } else {
    printResult(result);
  }
  return {};
}

Result<void> analyze(const Options& options, const plugin::PluginHost& host) {
  const auto request = requestOf(options);
  if (!request) return fail(request.error());
  // Before minutes of work.
  if (!options.exporter.empty()) {
    if (const auto exporter = host.findExporter(options.exporter); !exporter) return fail(exporter.error());
  }
  const auto mode = options.keep ? trace::OpenMode::ReadWrite : trace::OpenMode::ReadOnly;
  const auto store = trace::TraceStore::open(options.file, mode);
  if (!store) return fail(store.error());
  const auto result =
      plugin::runAnalysis(host, **store, *request, {progressPrinter(options.quiet), {}, interruptToken()});
  if (!result) return fail(result.error());
  if (auto closed = (*store)->close(); !closed) return fail(closed.error());
  return printAs(*result, options, host);
}

int runAnalyze(const Options& options) {
  const plugin::PluginHost& host = app::plugins(options.plugins);
  noteFailures(host);
  if (options.list) {
    const auto analyses = host.analyses();
    if (options.json) {
      print(analysesJson(analyses));
    } else {
      printAnalyses(analyses);
    }
    return kDone;
  }
  if (const auto done = analyze(options, host); !done) return report(done.error(), options.json);
  std::cout.flush();
  if (!std::cout) return report({"machine.io", "", "", "standard output cannot be written", ""}, false);
  return kDone;
}

}  // namespace

void addAnalyze(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("analyze", "Run an analysis and print its tables with notes");
  command->add_option("FILE", options->file, "Trace");
  command->add_option("--analysis", options->analysis, "Which one, see --list");
  command->add_option("--run", options->run, "Number or name; by default the last run that fits");
  command->add_option("--series", options->series, "Number or name of a series of checkpoints");
  command->add_option("--param", options->parameters, "Parameter of the analysis, name=value; repeatable")
      ->allow_extra_args(false);
  command->add_option("--checkpoint", options->checkpoint, "Checkpoint folder, for analyses of weights")
      ->type_name("DIR");
  command->add_flag("--list", options->list, "Lists the analyses with what they need");
  auto* json = command->add_flag("--json", options->json, "Print one JSON document");
  auto* csv = command->add_flag("--csv", options->csv, "Print the tables as CSV")->excludes(json);
  command->add_option("--table", options->table, "With --csv: only this table or matrix")->needs(csv);
  command->add_option("--export", options->exporter, "Print in the format of an exporter, such as latex")
      ->excludes(json)
      ->excludes(csv);
  command->add_option("--plugins", options->plugins, "Also opens the plug-ins of this folder; repeatable")
      ->type_name("DIR")
      ->allow_extra_args(false);
  command->add_flag("--keep", options->keep,
                    "Keep the result in the trace, so that it need not be computed again");
  command->add_flag("--quiet", options->quiet, "No progress");
  command->footer(
      "Examples:\n"
      "  moescope analyze --list\n"
      "  moescope analyze corpus.moescope --analysis load-balance\n"
      "  moescope analyze corpus.moescope --analysis co-activation --param layer=3 --csv");
  command->callback([options, &run] { run = [options] { return runAnalyze(*options); }; });
}

}  // namespace moescope::cli
