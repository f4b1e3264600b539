// `moescope inspect`: what a checkpoint or a trace is, without running or changing it.
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/command.h"
#include "app/cli/inspect_trace.h"
#include "app/cli/text_table.h"
#include "core/checkpoint/architecture_text.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/gguf_model.h"
#include "core/engine/generation/checkpoint_tokenizer.h"
#include "core/tokenizer/tokenizer.h"

namespace moescope::cli {

namespace {

using checkpoint::Checkpoint;
using checkpoint::ModelDescription;
using nlohmann::ordered_json;
using OpenedTokenizer = std::optional<Result<std::shared_ptr<const tokenizer::Tokenizer>>>;

OpenedTokenizer tokenizerOf(const Checkpoint& opened) {
  std::error_code ignored;
  const auto file = tokenizer::Tokenizer::fileIn(opened.configFolder());
  if (opened.ggufFile().empty() && !std::filesystem::exists(file, ignored)) return std::nullopt;
  return engine::openTokenizer(opened);
}

std::string storeText(const ModelDescription& description) {
  const auto store = description.experts.store;
  const std::string layout =
      store == checkpoint::ExpertStore::PerExpert ? "one by one"
      : store == checkpoint::ExpertStore::Stacked || store == checkpoint::ExpertStore::StackedInOut
          ? "stacked"
          : "fused";
  const auto kind = description.quantisation.kind;
  return kind == checkpoint::Quantisation::None ? layout : fmt::format("{} in {}", layout, name(kind));
}

std::string dtypesText(const Checkpoint& opened) {
  std::string text = bytesText(opened.weightBytes());
  const auto types = opened.bytesByDType();
  if (types.size() == 1) return types.begin()->first + ", " + text;
  std::string parts;
  for (const auto& [type, bytes] : types)
    parts += (parts.empty() ? "" : ", ") + type + " " + bytesText(bytes);
  return fmt::format("{} ({})", text, parts);
}

std::string tokenizerText(const OpenedTokenizer& tokenizer) {
  if (!tokenizer) return "none, the folder has neither tokenizer.json nor tokenizer.model";
  if (!*tokenizer) return tokenizer->error().text();
  return fmt::format("{} tokens", (**tokenizer)->vocabularySize());
}

std::string decoderStartText(const checkpoint::EncoderSpec& encoder) {
  const std::string start = fmt::format("token {}", encoder.decoderStart);
  return encoder.forcedBegin ? fmt::format("{}, then {}", start, *encoder.forcedBegin) : start;
}

ordered_json encoderJson(const checkpoint::EncoderSpec& encoder) {
  return {{"layers", encoder.layers},
          {"decoder_start", encoder.decoderStart},
          {"forced_begin", encoder.forcedBegin ? ordered_json(*encoder.forcedBegin) : ordered_json(nullptr)}};
}

void printText(const Checkpoint& opened, const OpenedTokenizer& tokenizer) {
  const ModelDescription& description = opened.description();
  const checkpoint::ArchitectureText words = checkpoint::describeInWords(description);
  Facts facts{
      {"kind", "checkpoint"},
      {"family", fmt::format("{} ({})", description.family, description.architecture)},
      {"layers", fmt::format("{}, hidden size {}", words.layers, description.hiddenSize)},
      {"attention", words.attention},
      {"routers", fmt::format("{}: {}", routersText(description.routers), words.router)},
      {"experts", fmt::format("{}, stored {}", words.experts, storeText(description))},
      {"vocabulary", fmt::format("{}{}", description.vocabularySize,
                                 description.tiedHead ? ", output head tied to the embedding" : "")},
      {"context", fmt::format("{} tokens", description.maxPositions)},
      {"parameters", fmt::format("{} total, {} active", parametersText(description.parametersTotal),
                                 parametersText(description.parametersActive))},
      {"weights", dtypesText(opened)},
      {"tokenizer", tokenizerText(tokenizer)},
      {"end tokens",
       description.endTokens.empty() ? "none" : fmt::format("{}", fmt::join(description.endTokens, ", "))},
      {"begin token", description.beginToken ? fmt::to_string(*description.beginToken) : "none"},
      {"fingerprint", opened.fingerprint()}};
  if (description.encoder)
    facts.insert(facts.begin() + 3, {"decoder starts with", decoderStartText(*description.encoder)});
  for (const auto& warning : description.warnings) facts.emplace_back("warning", warning);
  printFacts(opened.displayName(), facts);
}

ordered_json tokenizerJson(const OpenedTokenizer& tokenizer) {
  if (!tokenizer) return nullptr;
  if (!*tokenizer) {
    const Error& error = tokenizer->error();
    return {
        {"error",
         {{"kind", error.kind}, {"file", error.file}, {"where", error.where}, {"message", error.message}}}};
  }
  return {{"vocabulary", (**tokenizer)->vocabularySize()}, {"hash", (**tokenizer)->contentHash()}};
}

ordered_json attentionJson(const checkpoint::AttentionSpec& attention) {
  return {{"heads", attention.heads},
          {"key_value_heads", attention.keyValueHeads},
          {"head_dim", attention.headDim},
          {"clip_qkv", attention.clipQkv ? ordered_json(*attention.clipQkv) : ordered_json(nullptr)},
          {"rope_theta", attention.rope.theta},
          {"rope_scaling", name(attention.rope.scaling)},
          {"rope_factor", attention.rope.factor}};
}

ordered_json document(const std::string& path, const Checkpoint& opened, const OpenedTokenizer& tokenizer) {
  const ModelDescription& description = opened.description();
  return {
      {"kind", "checkpoint"},
      {"path", path},
      {"name", opened.displayName()},
      {"family", description.family},
      {"architecture", description.architecture},
      {"layers", description.layers},
      {"encoder", description.encoder ? encoderJson(*description.encoder) : ordered_json(nullptr)},
      {"hidden_size", description.hiddenSize},
      {"vocabulary", description.vocabularySize},
      {"context", description.maxPositions},
      {"tied_head", description.tiedHead},
      {"attention", attentionJson(description.attention)},
      {"expert",
       {{"intermediate_size", description.experts.intermediateSize},
        {"store", name(description.experts.store)}}},
      {"routers", routersJson(description.routers)},
      {"parameters", {{"total", description.parametersTotal}, {"active", description.parametersActive}}},
      {"tensors", opened.tensors().size()},
      {"bytes", opened.weightBytes()},
      {"bytes_by_dtype", opened.bytesByDType()},
      {"tokenizer", tokenizerJson(tokenizer)},
      {"end_tokens", description.endTokens},
      {"begin_token", description.beginToken ? ordered_json(*description.beginToken) : ordered_json(nullptr)},
      {"fingerprint", opened.fingerprint()},
      {"warnings", description.warnings}};
}

int inspectCheckpoint(const std::string& path, bool json) {
  const auto opened = Checkpoint::open(path);
  if (!opened) return report(opened.error(), json);
  const auto tokenizer = tokenizerOf(**opened);
  if (json) {
    print(document(path, **opened, tokenizer));
  } else {
    printText(**opened, tokenizer);
  }
  return kDone;
}

int runInspect(const std::string& path, bool json) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored) || checkpoint::isGgufPath(path))
    return inspectCheckpoint(path, json);
  return inspectTrace(path, json);
}

}  // namespace

void addInspect(CLI::App& app, std::function<int()>& run) {
  struct Options {
    std::string path;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("inspect", "Show what a checkpoint or a trace is");
  command->add_option("PATH", options->path, "Checkpoint folder, GGUF file or trace")->required();
  command->add_flag("--json", options->json, "One JSON document");
  command->footer(
      "Examples:\n  moescope inspect resources/demo/model\n  moescope inspect corpus.moescope --json");
  command->callback(
      [options, &run] { run = [options] { return runInspect(options->path, options->json); }; });
}

}  // namespace moescope::cli
