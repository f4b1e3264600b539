// moescope series: runs a labelled corpus through the checkpoints of a training into a trace.
#include <cmath>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/corpus_options.h"
#include "app/cli/run_options.h"
#include "core/engine/generation/record_series.h"

namespace moescope::cli {

namespace {

struct SeriesOptions {
  std::filesystem::path checkpoints;
  ModelOptions device;
  CorpusOptions corpus;
  std::string name;
  bool json = false, quiet = false;
};

nlohmann::ordered_json document(const engine::SeriesStep& step) {
  const auto& outcome = step.outcome;
  nlohmann::ordered_json row{
      {"run", outcome.run},
      {"label", step.label},
      {"step", step.step},
      {"tokens_seen", step.tokens ? nlohmann::ordered_json(*step.tokens) : nlohmann::ordered_json(nullptr)},
      {"sequences", outcome.sequences},
      {"tokens", outcome.tokens},
      {"kept", step.kept}};
  if (!step.kept) {
    row["mean_log_prob"] = outcome.meanLogProb;
    row["undefined_log_probs"] = outcome.undefinedLogProbs;
  }
  return row;
}

nlohmann::ordered_json document(const SeriesOptions& options, const engine::SeriesOutcome& outcome) {
  auto steps = nlohmann::ordered_json::array();
  for (const auto& step : outcome.steps) steps.push_back(document(step));
  return {{"trace", options.corpus.out},
          {"series", outcome.series},
          {"name", outcome.name},
          {"checkpoints", outcome.checkpoints},
          {"runs", steps},
          {"cancelled", outcome.cancelled}};
}

void showStep(const engine::SeriesStep& step) {
  const auto& outcome = step.outcome;
  const auto start = fmt::format("{}: run {}, {} tokens", step.label, outcome.run, outcome.tokens);
  if (step.kept) return note(start + ", recorded before");
  const auto loss = std::isnan(outcome.meanLogProb) ? std::string("no loss")
                                                    : fmt::format("{:.4f} nat a token", -outcome.meanLogProb);
  note(start + ", " + loss);
  if (outcome.undefinedLogProbs > 0)
    note(fmt::format("{}: the loss of {} tokens is not a finite number; the training seems to have diverged",
                     step.label, outcome.undefinedLogProbs));
}

void showOutcome(const SeriesOptions& options, const engine::SeriesOutcome& outcome) {
  if (outcome.series == 0) return note("stopped before anything was recorded");
  note(fmt::format("series {} of {}: {} of {} checkpoints", outcome.series, options.corpus.out,
                   outcome.steps.size(), outcome.checkpoints));
  if (outcome.cancelled) note("stopped; the same command with --resume goes on");
}

int runSeries(const SeriesOptions& options) {
  const auto stop = interruptToken();
  engine::SeriesSettings settings;
  settings.checkpoints = options.checkpoints;
  settings.load = loadOptions(options.device);
  settings.name = options.name;
  // What is wrong with the checkpoints or the corpus is found before a file is made.
  if (const auto found = engine::findCheckpoints(settings.checkpoints); !found)
    return report(found.error(), options.json);
  auto corpus = corpusSettings(options.corpus);
  if (!corpus) return report(corpus.error(), options.json);
  settings.corpus = *std::move(corpus);
  const auto engine = engine::loadEngine();
  if (!engine) return report(engine.error(), options.json);
  std::error_code ignored;
  const bool isNew = !std::filesystem::exists(options.corpus.out, ignored);
  auto store = openForRecording(options.corpus.out);
  if (!store) return report(store.error(), options.json);
  engine::SeriesEvents events;
  if (!options.quiet) events.finished = showStep;
  const auto outcome =
      engine::recordSeries(**engine, **store, settings, progressPrinter(options.quiet), stop, events);
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

void addSeries(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<SeriesOptions>();
  options->corpus.capture = "ids";
  auto* command = app.add_subcommand("series", "Run a labelled corpus through the checkpoints of a training");
  command
      ->add_option(
          "--checkpoints", options->checkpoints,
          "Folder with one folder a step, an index file, or models--ORG--NAME of a Hugging Face cache")
      ->type_name("PATH")
      ->required();
  addDeviceOptions(*command, options->device);
  addCorpusOptions(*command, options->corpus);
  command->add_option("--name", options->name, "Name of the series; that of the checkpoints if not given");
  command->add_flag("--resume", options->corpus.settings.resume, "Go on with the series that was stopped");
  command->add_flag("--json", options->json, "One JSON document with the outcome");
  command->add_flag("--quiet", options->quiet, "No progress and no statistics");
  command->footer(
      "Example:\n  moescope series --checkpoints training --corpus resources/demo/corpus --context 256 \\\n"
      "    --max-tokens 1024 --max-text-tokens 256 --out series.moescope");
  command->callback([options, &run] { run = [options] { return runSeries(*options); }; });
}

}  // namespace moescope::cli
