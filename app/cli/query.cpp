// `moescope query`: read-only SQL over a trace, virtual tables included.
#include <iostream>
#include <memory>

#include "app/cli/command.h"
#include "app/cli/query_output.h"
#include "core/base/shown_text.h"
#include "core/trace/trace_sql.h"

namespace moescope::cli {

namespace {

struct Options {
  std::string path, sql;
  std::string format = "table";
  double timeoutSeconds = 0.0;
};

int runQuery(const Options& options) {
  const auto format = rowFormatFrom(options.format).value_or(RowFormat::Table);
  const auto printer = RowPrinter::make(format, std::cout);
  bool begun = false;
  trace::SqlReceiver receiver;
  receiver.columns = [&](const std::vector<std::string>& columns) {
    begun = true;
    printer->begin(columns);
  };
  receiver.row = [&](const std::vector<trace::SqlValue>& row) {
    printer->row(row);
    return std::cout.good();
  };
  receiver.warning = [](const std::string& warning) {
    std::cerr << "moescope: " << shown(warning, 400) << '\n';
  };
  const auto done =
      trace::runQuery(options.path, options.sql, static_cast<int>(options.timeoutSeconds * 1000.0), receiver,
                      interruptToken());
  if (begun) printer->end();
  std::cout.flush();
  // Rows that are printed already make an error object a second document.
  if (!done) return report(done.error(), format == RowFormat::Json && !begun);
  if (!std::cout) return report({"machine.io", "", "", "standard output cannot be written", ""}, false);
  return kDone;
}

}  // namespace

void addQuery(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("query", "Ask a trace in SQL, without changing it");
  command->add_option("FILE", options->path, "Trace")->required();
  command->add_option("SQL", options->sql, "One SELECT")->required();
  command->add_option("--format", options->format, "table, csv, json or jsonl (one object a line)")
      ->check(CLI::IsMember({"table", "csv", "json", "jsonl"}))
      ->capture_default_str();
  command
      ->add_option("--timeout", options->timeoutSeconds,
                   "Seconds after which the query is given up; 0 is never")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command->footer(
      "Tables: routing (one row a choice), tokens, expert_load, router_logits, and those of the file\n"
      "(docs/file_format.md). Conditions on run, layer, router, sequence, expert and token_index are "
      "fast.\n\n"
      "Examples:\n"
      "  moescope query corpus.moescope \"SELECT id, name, status, tokens FROM run\"\n"
      "  moescope query corpus.moescope --format csv \\\n"
      "    \"SELECT layer, expert, share FROM expert_load WHERE run = 1 ORDER BY share DESC LIMIT 10\"\n"
      "  moescope query corpus.moescope --format jsonl \\\n"
      "    \"SELECT token_index, token, rank, expert, weight FROM routing WHERE run = 1 AND layer = 3 AND "
      "token_index < 20\"");
  command->callback([options, &run] { run = [options] { return runQuery(*options); }; });
}

}  // namespace moescope::cli
