// What `record` and `series` share: the corpus and how it is recorded. Not a subcommand.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/engine/generation/corpus_run.h"

namespace moescope::cli {

struct CorpusOptions {
  engine::CorpusSettings settings;
  std::string out, labelFrom = "auto", capture = "weights";
  std::vector<std::string> steer;
};

/// --corpus, --out, --label-from, --split, --max-tokens, --context, --capture and --steer.
void addCorpusOptions(CLI::App& command, CorpusOptions& options);

/// The settings with everything read that the options name: bad corpora and programs are found before a model
/// is loaded or a file is made. Errors: those of readPrograms and readCorpus.
Result<engine::CorpusSettings> corpusSettings(const CorpusOptions& options);

}  // namespace moescope::cli
