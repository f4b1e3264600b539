// moescope record: runs a labelled corpus into a trace.
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/run_options.h"
#include "core/engine/generation/corpus_run.h"

namespace moescope::cli {

namespace {

struct RecordOptions {
  ModelOptions model;
  engine::CorpusSettings settings;
  std::string out, labelFrom = "auto", capture = "weights";
  std::vector<std::string> steer;
  bool json = false, quiet = false;
};

/// "\n" and "\t" as people type them in a shell.
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape && text[i + 1] == 'n') {
      result += '\n';
    } else if (escape && text[i + 1] == 't') {
      result += '\t';
    } else {
      result += text[i];
      continue;
    }
    ++i;
  }
  return result;
}

std::optional<engine::LabelSource> labelSource(const std::string& word) {
  if (word == "folder") return engine::LabelSource::Folder;
  if (word == "file") return engine::LabelSource::File;
  if (word == "field") return engine::LabelSource::Field;
  return std::nullopt;
}

nlohmann::ordered_json document(const RecordOptions& options, const engine::CorpusOutcome& outcome) {
  return {{"trace", options.out},
          {"run", outcome.run},
          {"sequences", outcome.sequences},
          {"tokens", outcome.tokens},
          {"mean_log_prob", outcome.meanLogProb},
          {"perplexity", std::exp(-outcome.meanLogProb)},
          {"cancelled", outcome.cancelled}};
}

void showOutcome(const RecordOptions& options, const engine::CorpusOutcome& outcome) {
  if (outcome.run == 0) return note("stopped before anything was recorded");
  note(fmt::format("run {} of {}: {} sequences, {} tokens, {:.4f} nat a token, perplexity {:.2f}",
                   outcome.run, options.out, outcome.sequences, outcome.tokens, -outcome.meanLogProb,
                   std::exp(-outcome.meanLogProb)));
  if (outcome.cancelled) note("stopped; the same command with --resume goes on");
}

int runRecord(RecordOptions options) {
  const auto stop = interruptToken();
  auto& settings = options.settings;
  settings.labelFrom = labelSource(options.labelFrom);
  settings.separator = unescaped(settings.separator);
  settings.capture = captureLevel(options.capture);
  auto program = readPrograms(options.steer);
  if (!program) return report(program.error(), options.json);
  settings.program = *std::move(program);
  // Bad corpora are found before a model is loaded or a file is made.
  if (const auto texts = engine::readCorpus(settings); !texts) return report(texts.error(), options.json);
  const auto progress = progressPrinter(options.quiet);
  auto loaded = openModel(options.model, options.steer, progress, stop);
  if (!loaded) return report(loaded.error(), options.json);
  std::error_code ignored;
  const bool isNew = !std::filesystem::exists(options.out, ignored);
  auto store = openForRecording(options.out);
  if (!store) return report(store.error(), options.json);
  const auto outcome =
      engine::recordCorpus(loaded->model, loaded->tokenizer, **store, settings, progress, stop);
  // A file that was made for a run that never started is not left behind.
  const bool isEmpty = isNew && (*store)->runs().empty();
  const auto closed = (*store)->close();
  if (isEmpty) std::filesystem::remove(options.out, ignored);
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
  auto& settings = options->settings;
  command->add_option("--corpus", settings.corpus, "Folder of LABEL/*.txt or LABEL.txt, or a .jsonl file")
      ->type_name("PATH")
      ->required();
  command->add_option("-o,--out", options->out, "Trace to add the run to; made if it is not there")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--label-from", options->labelFrom, "Where labels come from: auto, folder, file or field")
      ->check(CLI::IsMember({"auto", "folder", "file", "field"}))
      ->capture_default_str();
  command->add_option("--split", settings.separator, "Text between the documents of a file")
      ->capture_default_str();
  command->add_option("--max-tokens", settings.maxTokensPerLabel, "Tokens of each label at most; 0 is all")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 48))
      ->capture_default_str();
  command->add_option("--context", settings.contextTokens, "Tokens of a window; 0 is what the model allows")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str();
  addCaptureOption(*command, options->capture);
  command->add_option("--steer", options->steer, "Steering programs")->type_name("FILE");
  command->add_option("--name", settings.runName, "Name of the run; the corpus's name if not given");
  command->add_flag("--resume", settings.resume, "Go on with the corpus run that was stopped");
  command->add_flag("--json", options->json, "One JSON document with the outcome");
  command->add_flag("--quiet", options->quiet, "No progress and no statistics");
  command->footer(
      "Example:\n  moescope record --model resources/demo/model --corpus resources/demo/corpus --context 256 "
      "\\\n"
      "    --max-tokens 4096 --out corpus.moescope");
  command->callback([options, &run] { run = [options] { return runRecord(*options); }; });
}

}  // namespace moescope::cli
