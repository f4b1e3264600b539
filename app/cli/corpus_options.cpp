#include "app/cli/corpus_options.h"

#include "app/cli/run_options.h"

namespace moescope::cli {

namespace {

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

}  // namespace

void addCorpusOptions(CLI::App& command, CorpusOptions& options) {
  auto& settings = options.settings;
  command.add_option("--corpus", settings.corpus, "Folder of LABEL/*.txt or LABEL.txt, or a .jsonl file")
      ->type_name("PATH")
      ->required();
  command.add_option("-o,--out", options.out, "Trace to record into; made if it is not there")
      ->type_name("FILE")
      ->required();
  command
      .add_option("--label-from", options.labelFrom, "Where labels come from: auto, folder, file or field")
      ->check(CLI::IsMember({"auto", "folder", "file", "field"}))
      ->capture_default_str();
  command.add_option("--split", settings.separator, "Text between the documents of a file")
      ->capture_default_str();
  command.add_option("--max-tokens", settings.maxTokensPerLabel, "Tokens of each label at most; 0 is all")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 48))
      ->capture_default_str();
  command
      .add_option(
          "--max-text-tokens", settings.maxTokensPerText,
          "Tokens of each text at most; 0 is all. Few tokens of many texts tell more than many of few")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 48))
      ->capture_default_str();
  command.add_option("--context", settings.contextTokens, "Tokens of a window; 0 is what the model allows")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str();
  addCaptureOption(command, options.capture);
  command.add_option("--steer", options.steer, "Steering programs")->type_name("FILE");
}

Result<engine::CorpusSettings> corpusSettings(const CorpusOptions& options) {
  engine::CorpusSettings settings = options.settings;
  settings.labelFrom = labelSource(options.labelFrom);
  settings.separator = unescaped(settings.separator);
  settings.capture = captureLevel(options.capture);
  auto program = readPrograms(options.steer);
  if (!program) return fail(program.error());
  settings.program = *std::move(program);
  if (const auto texts = engine::readCorpus(settings); !texts) return fail(texts.error());
  return settings;
}

}  // namespace moescope::cli
