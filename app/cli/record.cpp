// moescope record: runs a labelled corpus into a trace.
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/corpus_options.h"
#include "app/cli/run_options.h"
#include "core/engine/generation/corpus_run.h"

namespace moescope::cli {

namespace {

struct RecordOptions {
  ModelOptions model;
  CorpusOptions corpus;
  bool json = false, quiet = false;
};

nlohmann::ordered_json document(const RecordOptions& options, const engine::CorpusOutcome& outcome) {
  return {{"trace", options.corpus.out},          {"run", outcome.run},
          {"sequences", outcome.sequences},       {"tokens", outcome.tokens},
          {"mean_log_prob", outcome.meanLogProb}, {"perplexity", std::exp(-outcome.meanLogProb)},
          {"cancelled", outcome.cancelled}};
}

void showOutcome(const RecordOptions& options, const engine::CorpusOutcome& outcome) {
  if (outcome.run == 0) return note("stopped before anything was recorded");
  note(fmt::format("run {} of {}: {} sequences, {} tokens, {:.4f} nat a token, perplexity {:.2f}",
                   outcome.run, options.corpus.out, outcome.sequences, outcome.tokens, -outcome.meanLogProb,
                   std::exp(-outcome.meanLogProb)));
  if (outcome.cancelled) note("stopped; the same command with --resume goes on");
}

int runRecord(const RecordOptions& options) {
  const auto stop = interruptToken();
  const auto settings = corpusSettings(options.corpus);
  if (!settings) return report(settings.error(), options.json);
  const auto progress = progressPrinter(options.quiet);
  auto loaded = openModel(options.model, options.corpus.steer, progress, stop);
  if (!loaded) return report(loaded.error(), options.json);
  std::error_code ignored;
  const bool isNew = !std::filesystem::exists(options.corpus.out, ignored);
  auto store = openForRecording(options.corpus.out);
  if (!store) return report(store.error(), options.json);
  const auto outcome =
      engine::recordCorpus(loaded->model, loaded->tokenizer, **store, *settings, progress, stop);
  // A file that was made for a run that never started is not left behind.
  const bool isEmpty = isNew && (*store)->runs().empty();
  const auto closed = (*store)->close();
  if (isEmpty) std::filesystem::remove(options.corpus.out, ignored);
  if (!outcome) return report(outcome.error(), options.json);
  if (options.json) print(document(options, *outcome));
  if (!options.quiet) showOutcome(options, *outcome);
  if (!closed) return report(closed.error(), false);
  return outcome->cancelled ? kCancelled : kDone;
}

}  // namespace

void addRecord(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<RecordOptions>();
  auto* command = app.add_subcommand("record", "Run a labelled corpus through a model into a trace");
  addModelOptions(*command, options->model);
  addCorpusOptions(*command, options->corpus);
  command->add_option("--name", options->corpus.settings.runName,
                      "Name of the run; the corpus's name if not given");
  command->add_flag("--resume", options->corpus.settings.resume,
                    "Go on with the corpus run that was stopped");
  command->add_flag("--json", options->json, "One JSON document with the outcome");
  command->add_flag("--quiet", options->quiet, "No progress and no statistics");
  command->footer(
      "Example:\n  moescope record --model resources/demo/model --corpus resources/demo/corpus --context 256 "
      "\\\n"
      "    --max-tokens 4096 --out corpus.moescope");
  command->callback([options, &run] { run = [options] { return runRecord(*options); }; });
}

}  // namespace moescope::cli
