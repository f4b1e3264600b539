#include "core/engine/generation/corpus_plan.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/engine/generation/prompt_tokens.h"

namespace moescope::engine {

namespace {

/// A separator that is a special token stands before each text as it did in training.
std::optional<std::int32_t> textBegin(const checkpoint::Checkpoint& checkpoint,
                                      const tokenizer::Tokenizer& tokenizer, const std::string& separator) {
  if (const auto begin = beginToken(checkpoint, tokenizer)) return begin;
  const std::int32_t id = separator.empty() ? -1 : tokenizer.idOf(separator);
  return id >= 0 && tokenizer.isSpecial(id) ? std::optional(id) : std::nullopt;
}

/// `begin`: what stands after the text of every window.
void cutIntoWindows(const CorpusText& text, std::span<const std::int32_t> ids,
                    std::span<const std::int32_t> begin, int context, CorpusPlan& plan) {
  const std::string hash = textHash(text.text);
  const std::size_t length = static_cast<std::size_t>(context) - begin.size();
  std::int64_t number = 0;
  for (std::size_t first = 0; first < ids.size(); first += length) {
    CorpusWindow window;
    const auto part = ids.subspan(first, std::min(length, ids.size() - first));
    window.ids.assign(part.begin(), part.end());
    window.promptLength = static_cast<std::int64_t>(part.size());
    window.ids.insert(window.ids.end(), begin.begin(), begin.end());
    window.textHash = hash;
    window.labels.emplace_back("label", text.label);
    window.labels.insert(window.labels.end(), text.labels.begin(), text.labels.end());
    window.labels.emplace_back("source", text.origin);
    window.labels.emplace_back("document", fmt::format("{}", text.document));
    window.labels.emplace_back("window", fmt::format("{}", number++));
    plan.tokens += static_cast<std::int64_t>(window.ids.size());
    plan.windows.push_back(std::move(window));
  }
}

/// Whether the complete sequences of a run are the first windows of a plan.
bool sameSequences(const std::vector<trace::SequenceRecord>& sequences, const CorpusPlan& plan) {
  const auto sorted = [](auto labels) {
    std::sort(labels.begin(), labels.end());
    return labels;
  };
  if (sequences.size() > plan.windows.size()) return false;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const auto& window = plan.windows[i];
    if (!sequences[i].complete) continue;
    if (sequences[i].textHash != window.textHash || sorted(sequences[i].labels) != sorted(window.labels) ||
        sequences[i].length != static_cast<std::int64_t>(window.ids.size())) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<CorpusPlan> CorpusPlan::make(const checkpoint::Checkpoint& checkpoint,
                                    const tokenizer::Tokenizer& tokenizer, const CorpusSettings& settings,
                                    const ProgressCallback& progress, std::stop_token stop) {
  const auto& description = checkpoint.description();
  const int context = settings.contextTokens > 0 ? settings.contextTokens : description.maxPositions;
  if (context > description.maxPositions) {
    return fail("corpus.context_too_long", "", "",
                fmt::format("windows of {} tokens are asked for, the model has {} positions", context,
                            description.maxPositions),
                "ask for shorter windows");
  }
  std::vector<std::int32_t> decoderIds;
  if (description.encoder) decoderIds.push_back(description.encoder->decoderStart);
  if (context <= static_cast<int>(decoderIds.size())) {
    return fail("corpus.context_too_short", "", "",
                fmt::format("windows of {} tokens hold the decoder's start token alone", context),
                "ask for longer windows");
  }
  const auto texts = readCorpus(settings);
  if (!texts) return fail(texts.error());
  const auto begin = textBegin(checkpoint, tokenizer, settings.separator);
  CorpusPlan plan;
  plan.context = context;
  std::map<std::string, std::int64_t> tokensOfLabel;
  std::int64_t done = 0;
  for (const auto& text : *texts) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "stopped before the end");
    auto& used = tokensOfLabel[text.label];
    const bool full = settings.maxTokensPerLabel > 0 && used >= settings.maxTokensPerLabel;
    if (!full) {
      auto ids = textIds(text.text, tokenizer, begin, stop);
      if (!ids && ids.error().kind == "cancelled") return fail(ids.error());
      if (!ids)
        return fail(Error{ids.error().kind, text.origin, fmt::format("document {}", text.document),
                          ids.error().message, ids.error().advice});
      for (const std::int32_t id : *ids) {
        if (id >= 0 && id < description.vocabularySize) continue;
        return fail("generate.bad_token", text.origin, fmt::format("token id {}", id),
                    fmt::format("the model has {} token ids only", description.vocabularySize),
                    "use the tokenizer that belongs to the model");
      }
      if (settings.maxTokensPerText > 0)
        ids->resize(std::min(ids->size(), static_cast<std::size_t>(settings.maxTokensPerText)));
      if (settings.maxTokensPerLabel > 0) {
        const auto room = static_cast<std::size_t>(settings.maxTokensPerLabel - used);
        if (ids->size() > room) ids->resize(room);
      }
      used += static_cast<std::int64_t>(ids->size());
      cutIntoWindows(text, *ids, decoderIds, context, plan);
    }
    if (progress) progress({"Reading the corpus", ++done, static_cast<std::int64_t>(texts->size()), "texts"});
  }
  plan.settings = {{"context", context},
                   {"separator", settings.separator},
                   {"max_tokens_per_label", settings.maxTokensPerLabel},
                   {"max_tokens_per_text", settings.maxTokensPerText},
                   {"begin_token", begin ? nlohmann::ordered_json(*begin) : nlohmann::ordered_json(nullptr)},
                   {"windows", plan.windows.size()},
                   {"tokens", plan.tokens},
                   {"program", steering::toJson(settings.program)}};
  return plan;
}

std::string resumeDifferences(const trace::TraceStore& store, const trace::RunRecord& run,
                              const trace::ModelRecord& model, trace::CaptureLevel capture,
                              const CorpusPlan& plan) {
  std::vector<std::string> differences;
  const auto recorded = store.model(run.model);
  if (!recorded || recorded->weightsFingerprint != model.weightsFingerprint) {
    differences.emplace_back("the weights fingerprint");
  }
  if (!recorded || recorded->tokenizerHash != model.tokenizerHash) differences.emplace_back("the tokenizer");
  const auto settings = nlohmann::json::parse(run.samplerJson, nullptr, false);
  const nlohmann::json wanted = plan.settings;
  const auto differs = [&](const char* key) {
    return !settings.is_object() || !settings.contains(key) || settings[key] != wanted[key];
  };
  // Runs of version 0.1 do not name the limit of a text: they had none.
  const auto textLimit =
      settings.is_object() ? settings.value("max_tokens_per_text", nlohmann::json(0)) : nlohmann::json(0);
  const bool otherTextLimit = textLimit != wanted["max_tokens_per_text"];
  const bool sameWindows = !differs("context") && !differs("max_tokens_per_label") && !otherTextLimit;
  if (differs("context")) differences.emplace_back("the context");
  if (differs("max_tokens_per_label")) differences.emplace_back("the token limit of a label");
  if (otherTextLimit) differences.emplace_back("the token limit of a text");
  if (run.capture != capture) differences.emplace_back("the capture level");
  if (differs("program")) differences.emplace_back("the steering program");
  // Windows that are cut otherwise tell nothing about the texts.
  const bool sameTotals = !differs("windows") && !differs("tokens") && !differs("begin_token");
  if (sameWindows && !(sameTotals && sameSequences(store.sequences(run.id), plan))) {
    differences.emplace_back("the texts");
  }
  return fmt::format("{}", fmt::join(differences, ", "));
}

}  // namespace moescope::engine
