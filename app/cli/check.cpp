// `moescope check`: validates a checkpoint or a trace without running anything.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/text_table.h"
#include "core/base/shown_text.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/gguf_model.h"
#include "core/engine/generation/checkpoint_tokenizer.h"
#include "core/tokenizer/tokenizer.h"
#include "core/trace/trace_store.h"

namespace moescope::cli {

namespace {

using nlohmann::ordered_json;

struct Options {
  std::string path;
  bool json = false;
  bool repair = false;
  bool quiet = false;
};

/// What `check` found in a checkpoint that opened.
struct Findings {
  std::vector<Error> problems;
  std::vector<std::string> warnings;
  std::string tokenizer;  ///< for people
};

Result<Findings> checkTokenizer(const checkpoint::Checkpoint& opened) {
  Findings findings;
  findings.warnings = opened.description().warnings;
  std::error_code ignored;
  const auto file = tokenizer::Tokenizer::fileIn(opened.configFolder());
  if (opened.ggufFile().empty() && !std::filesystem::exists(file, ignored)) {
    findings.tokenizer = "none";
    findings.warnings.emplace_back(
        "the folder has neither tokenizer.json nor tokenizer.model: the model runs on token ids only");
    return findings;
  }
  const auto tokenizer = engine::openTokenizer(opened);
  if (!tokenizer) return fail(tokenizer.error());
  const int tokens = (*tokenizer)->vocabularySize();
  const int rows = opened.description().vocabularySize;
  findings.tokenizer = fmt::format("{} tokens", tokens);
  if (tokens > rows) {
    findings.problems.push_back({"tokenizer.vocabulary_mismatch", "tokenizer.json",
                                 fmt::format("{} tokens", tokens),
                                 fmt::format("has ids that the embedding of {} rows lacks", rows),
                                 "use the tokenizer that belongs to the checkpoint"});
  } else if (tokens < rows) {
    // Usual: embeddings are padded to a round size.
    findings.tokenizer += fmt::format(", the embedding has {} rows", rows);
  }
  return findings;
}

int checkCheckpoint(const Options& options) {
  if (options.repair) {
    return report(
        {"usage.check", options.path, "--repair", "only traces can be repaired", "leave --repair out"},
        options.json);
  }
  const auto opened = checkpoint::Checkpoint::open(options.path);
  if (!opened) return report(opened.error(), options.json);
  const auto findings = checkTokenizer(**opened);
  if (!findings) return report(findings.error(), options.json);
  const int status = findings->problems.empty() ? kDone : kFailed;
  if (options.json) {
    ordered_json problems = ordered_json::array();
    for (const Error& problem : findings->problems) {
      problems.push_back({{"kind", problem.kind},
                          {"file", problem.file},
                          {"where", problem.where},
                          {"message", problem.message},
                          {"advice", problem.advice}});
    }
    print({{"kind", "checkpoint"},
           {"path", options.path},
           {"ok", status == kDone},
           {"problems", problems},
           {"warnings", findings->warnings}});
    return status;
  }
  const auto& description = (*opened)->description();
  Facts facts{{"config", fmt::format("{}, {}", description.family, routersText(description.routers))},
              {"weights", fmt::format("{} tensors, {}", (*opened)->tensors().size(),
                                      bytesText((*opened)->weightBytes()))},
              {"tokenizer", findings->tokenizer}};
  for (const auto& warning : findings->warnings) facts.emplace_back("warning", warning);
  for (const Error& problem : findings->problems) facts.emplace_back("problem", problem.text());
  facts.emplace_back("result", status == kDone ? "no problem found" : "problems found");
  printFacts((*opened)->displayName(), facts);
  return status;
}

int checkTraceFile(const Options& options) {
  const auto issues =
      trace::checkTrace(options.path, options.repair, progressPrinter(options.quiet), interruptToken());
  if (!issues) return report(issues.error(), options.json);
  const auto left =
      std::count_if(issues->begin(), issues->end(), [](const auto& issue) { return !issue.repaired; });
  const int status = left == 0 ? kDone : kFailed;
  if (options.json) {
    ordered_json problems = ordered_json::array();
    for (const auto& issue : *issues) {
      problems.push_back({{"place", issue.place}, {"message", issue.message}, {"repaired", issue.repaired}});
    }
    print({{"kind", "trace"}, {"path", options.path}, {"ok", status == kDone}, {"problems", problems}});
    return status;
  }
  Facts facts;
  for (const auto& issue : *issues) {
    facts.emplace_back(issue.repaired ? "repaired" : "problem",
                       shown(issue.place + ": " + issue.message, 400));
  }
  if (issues->empty()) {
    facts.emplace_back("result", "no problem found");
  } else {
    facts.emplace_back("result", fmt::format("{} found, {} repaired", issues->size(),
                                             issues->size() - static_cast<std::size_t>(left)));
  }
  printFacts(options.path, facts);
  return status;
}

int runCheck(const Options& options) {
  std::error_code ignored;
  return std::filesystem::is_directory(options.path, ignored) || checkpoint::isGgufPath(options.path)
             ? checkCheckpoint(options)
             : checkTraceFile(options);
}

}  // namespace

void addCheck(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "Validate a checkpoint or a trace without running it");
  command->add_option("PATH", options->path, "Checkpoint folder or trace")->required();
  command->add_flag("--repair", options->repair, "Set the counts of a trace right; nothing is deleted");
  command->add_flag("--json", options->json, "One JSON document");
  command->add_flag("--quiet", options->quiet, "No progress");
  command->footer(
      "Exit status 1 if something is wrong that was not repaired, 2 if the checkpoint or trace cannot be "
      "opened.\n\n"
      "Examples:\n  moescope check resources/demo/model\n  moescope check corpus.moescope --repair");
  command->callback([options, &run] { run = [options] { return runCheck(*options); }; });
}

}  // namespace moescope::cli
