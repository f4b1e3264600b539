#include "core/engine/generation/series_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/engine/generation/checkpoint_tokenizer.h"
#include "core/engine/generation/prompt_tokens.h"

namespace moescope::engine {

namespace {

/// What differs in shape ("the number of experts"), or nothing. Trained values such as a selection bias may.
std::string modelDifference(const checkpoint::ModelDescription& a, const checkpoint::ModelDescription& b) {
  if (a.family != b.family) return "the model family";
  if (a.vocabularySize != b.vocabularySize) return "the size of the vocabulary";
  if (a.routers.size() != b.routers.size()) return "the number of routers";
  for (std::size_t r = 0; r < a.routers.size(); ++r) {
    const RouterSpec& one = a.routers[r];
    const RouterSpec& other = b.routers[r];
    if (one.layer.value != other.layer.value || one.kind != other.kind) return "the layers with routers";
    if (one.experts != other.experts) return "the number of experts";
    if (one.topK != other.topK) return "the number of chosen experts";
    if (one.score != other.score || one.norm != other.norm || one.scale != other.scale)
      return "how the routers weigh experts";
  }
  return {};
}

/// Where two plans differ first, or nothing.
std::string tokenDifference(const CorpusPlan& a, const CorpusPlan& b) {
  const auto nameOf = [](const CorpusWindow& window) {
    std::string source, document;
    for (const auto& [key, value] : window.labels) {
      if (key == "source") source = value;
      if (key == "document") document = value;
    }
    return fmt::format("document {} of {}", document, source);
  };
  const std::size_t common = std::min(a.windows.size(), b.windows.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a.windows[i].ids != b.windows[i].ids) return nameOf(a.windows[i]);
  }
  return a.windows.size() == b.windows.size() ? "" : "the number of windows";
}

struct OpenedStep {
  std::shared_ptr<const checkpoint::Checkpoint> checkpoint;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  std::optional<std::int32_t> begin;
};

Result<OpenedStep> openStep(const SeriesCheckpoint& step) {
  auto checkpoint = step.open();
  if (!checkpoint) return fail(checkpoint.error());
  auto tokenizer = openTokenizer(**checkpoint);
  if (!tokenizer) return fail(tokenizer.error());
  const auto begin = beginToken(**checkpoint, **tokenizer);
  return OpenedStep{*std::move(checkpoint), *std::move(tokenizer), begin};
}

}  // namespace

Result<CorpusPlan> checkSeries(const CheckpointSeries& series, const CorpusSettings& settings,
                               const ProgressCallback& progress, std::stop_token stop) {
  const auto& first = series.checkpoints.front();
  const auto reference = openStep(first);
  if (!reference) return fail(reference.error());
  auto plan = CorpusPlan::make(*reference->checkpoint, *reference->tokenizer, settings, progress, stop);
  if (!plan) return plan;
  for (std::size_t i = 1; i < series.checkpoints.size(); ++i) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "stopped before the end");
    const auto& step = series.checkpoints[i];
    const auto opened = openStep(step);
    if (!opened) return fail(opened.error());
    const auto& description = opened->checkpoint->description();
    const auto differs = modelDifference(reference->checkpoint->description(), description);
    if (!differs.empty())
      return fail("series.mixed_models", step.folder.string(), step.label,
                  fmt::format("{} is not that of {}, so they are not of one training", differs, first.label),
                  "give the checkpoints of one model");
    const bool sameTokenizer = opened->tokenizer->contentHash() == reference->tokenizer->contentHash() &&
                               opened->begin == reference->begin;
    if (sameTokenizer && (settings.contextTokens > 0 && settings.contextTokens <= description.maxPositions))
      continue;
    // Files that differ may still mean the same.
    const auto other = CorpusPlan::make(*opened->checkpoint, *opened->tokenizer, settings, {}, stop);
    if (!other) return fail(other.error());
    if (const auto where = tokenDifference(*plan, *other); !where.empty())
      return fail("series.different_tokens", step.folder.string(), where,
                  fmt::format("{} and {} give this text different tokens, so their runs cannot be compared",
                              first.label, step.label),
                  "give all checkpoints the same tokenizer");
  }
  return plan;
}

}  // namespace moescope::engine
