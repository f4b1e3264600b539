// Loading, decoding and prefill.
#include <algorithm>
#include <filesystem>

#include "app/bench/bench.h"
#include "app/bench/loaded_model.h"
#include "app/bench/measure.h"
#include "app/resource_folder.h"

namespace moescope::bench {

namespace {

using nlohmann::ordered_json;

constexpr int kPrefillTokens = 512;
// Short blocks are repeated until the median stands on this much.
constexpr double kEnoughSeconds = 1.0;
constexpr std::size_t kMostBlocks = 200;

/// Calls `block`, which gives its seconds, often enough; the first call warms up. Rates of `tokens` a block.
template <class Block>
Result<MedianInterval> medianRate(int repetitions, int tokens, const Block& block) {
  std::vector<double> rates;
  double total = 0.0;
  if (auto warm = block(); !warm) return fail(warm.error());
  while (rates.size() < static_cast<std::size_t>(repetitions) ||
         (total < kEnoughSeconds && rates.size() < kMostBlocks)) {
    const Result<double> seconds = block();
    if (!seconds) return fail(seconds.error());
    total += *seconds;
    rates.push_back(tokens / *seconds);
  }
  return medianInterval(std::move(rates));
}

void addRate(ordered_json& result, int tokens, const MedianInterval& rate) {
  result["tokens"] = tokens;
  result["tokens_per_second"] = rate.median;
  result["tokens_per_second_low"] = rate.low;
  result["tokens_per_second_high"] = rate.high;
}

/// Weights that one token touches: those of its experts and all others, but for an embedding that is not the
/// head as well, of which it needs a row.
double bytesPerToken(const engine::Model& model) {
  const auto& description = model.checkpoint().description();
  auto active = static_cast<double>(description.parametersActive);
  if (!description.tiedHead)
    active -= static_cast<double>(description.vocabularySize) * description.hiddenSize;
  return static_cast<double>(model.memory().weights) * active /
         static_cast<double>(description.parametersTotal);
}

}  // namespace

bool isDemo(const std::filesystem::path& model) {
  std::error_code ignored;
  return std::filesystem::equivalent(model, app::resourceFolder() / "demo" / "model", ignored);
}

Result<ordered_json> benchLoad(const BenchOptions& options) {
  auto loaded = LoadedModel::load(options);
  if (!loaded) return fail(loaded.error());
  Result<std::unique_ptr<engine::Generation>> text;
  const double seconds =
      secondsOf([&] { text = loaded->startText(nullptr, trace::CaptureLevel::None, 1, options.stop); });
  if (!text) return fail(text.error());
  auto result = loaded->header("load");
  result["open_seconds"] = loaded->openSeconds;
  result["load_seconds"] = loaded->loadSeconds;
  result["first_token_seconds"] = seconds;
  result["weights_bytes"] = loaded->model->memory().weights;
  result["peak_bytes"] = peakBytes();
  return result;
}

Result<ordered_json> benchDecode(const BenchOptions& options) {
  auto loaded = LoadedModel::load(options);
  if (!loaded) return fail(loaded.error());
  const auto longest = loaded->longestText();
  if (!longest) return fail(longest.error());
  const int tokens = std::min(options.tokens, *longest);
  const auto rate = medianRate(options.repetitions, tokens, [&]() -> Result<double> {
    auto text = loaded->startText(nullptr, trace::CaptureLevel::None, tokens, options.stop);
    if (!text) return fail(text.error());
    const auto times = timedSteps(**text, tokens, options.stop);
    if (!times) return fail(times.error());
    return times->wallSeconds;
  });
  if (!rate) return fail(rate.error());
  auto result = loaded->header("decode");
  result["prompt_tokens"] = loaded->promptTokens;
  addRate(result, tokens, *rate);
  const double touched = bytesPerToken(*loaded->model);
  result["weights_bytes_per_token"] = touched;
  result["share_of_memory_stream"] = touched * rate->median / streamBytesPerSecond(loaded->model->threads());
  return result;
}

Result<ordered_json> benchPrefill(const BenchOptions& options) {
  auto loaded = LoadedModel::load(options);
  if (!loaded) return fail(loaded.error());
  auto session = loaded->model->newSession();
  if (!session) return fail(session.error());
  const int tokens = static_cast<int>(std::min<std::int64_t>((*session)->capacity(), kPrefillTokens));
  const auto ids = loaded->spreadIds(tokens);
  const auto rate = medianRate(options.repetitions, tokens, [&]() -> Result<double> {
    if (options.stop.stop_requested()) return fail("cancelled", "", "", "the measurement was cancelled");
    (*session)->rewind(0);
    engine::StepRequest request;
    request.ids = ids;
    Result<engine::StepOutput> output;
    const double seconds = secondsOf([&] { output = (*session)->forward(request); });
    if (!output) return fail(output.error());
    return seconds;
  });
  if (!rate) return fail(rate.error());
  auto result = loaded->header("prefill");
  addRate(result, tokens, *rate);
  return result;
}

}  // namespace moescope::bench
