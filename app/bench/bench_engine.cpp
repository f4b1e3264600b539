#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "app/bench/bench.h"
#include "app/bench/measure.h"
#include "core/engine/generation/generation.h"

namespace moescope::bench {

namespace {

using nlohmann::ordered_json;

constexpr int kPromptTokens = 32;
constexpr int kPrefillTokens = 512;
constexpr int kRecordPairs = 30;

struct Loaded {
  std::shared_ptr<engine::Model> model;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  double openSeconds = 0.0, loadSeconds = 0.0;
};

Result<Loaded> load(const BenchOptions& options) {
  auto engine = engine::loadEngine();
  if (!engine) return fail(engine.error());
  Loaded loaded;
  Result<std::shared_ptr<const checkpoint::Checkpoint>> checkpoint;
  loaded.openSeconds = secondsOf([&] { checkpoint = checkpoint::Checkpoint::open(options.model); });
  if (!checkpoint) return fail(checkpoint.error());
  auto tokenizer = tokenizer::Tokenizer::open((*checkpoint)->tokenizerFile());
  if (!tokenizer) return fail(tokenizer.error());
  loaded.tokenizer = *tokenizer;
  Result<std::shared_ptr<engine::Model>> model;
  loaded.loadSeconds = secondsOf(
      [&] { model = (*engine)->load(*checkpoint, options.load, [](const Progress&) {}, options.stop); });
  if (!model) return fail(model.error());
  loaded.model = *model;
  return loaded;
}

// Ids spread over the vocabulary by a fixed step, so that prompts touch many experts.
std::vector<std::int32_t> promptIds(const engine::Model& model, int count) {
  const int vocabulary = model.checkpoint().description().vocabularySize;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) ids[static_cast<std::size_t>(i)] = (17 + i * 397) % vocabulary;
  return ids;
}

engine::GenerationSettings greedySettings(const engine::Model& model, int promptTokens, int maxTokens) {
  engine::GenerationSettings settings;
  settings.promptIds = promptIds(model, promptTokens);
  settings.maxTokens = maxTokens;
  settings.sampler.temperature = 0.0;
  settings.ignoreEndTokens = true;
  return settings;
}

// Steps a generation; the first error ends it.
Result<double> timedSteps(engine::Generation& generation, int steps, const std::stop_token& stop) {
  Result<void> status;
  const double seconds = secondsOf([&] {
    for (int i = 0; i < steps && status; ++i) {
      if (auto token = generation.step(stop); !token) status = fail(token.error());
    }
  });
  if (!status) return fail(status.error());
  return seconds;
}

ordered_json header(const std::string& name, const Loaded& loaded) {
  return {{"bench", name},
          {"machine", machineLine()},
          {"model", loaded.model->checkpoint().displayName()},
          {"device", loaded.model->device().id},
          {"dtype", loaded.model->dtypeName()},
          {"threads", loaded.model->threads()}};
}

}  // namespace

Result<ordered_json> benchLoad(const BenchOptions& options) {
  auto loaded = load(options);
  if (!loaded) return fail(loaded.error());
  auto generation = engine::Generation::start(loaded->model, loaded->tokenizer, nullptr,
                                              greedySettings(*loaded->model, kPromptTokens, 1));
  if (!generation) return fail(generation.error());
  const auto first = timedSteps(**generation, 1, options.stop);
  if (!first) return fail(first.error());
  auto result = header("load", *loaded);
  result["open_seconds"] = loaded->openSeconds;
  result["load_seconds"] = loaded->loadSeconds;
  result["first_token_seconds"] = *first;
  return result;
}

Result<ordered_json> benchDecode(const BenchOptions& options) {
  auto loaded = load(options);
  if (!loaded) return fail(loaded.error());
  std::vector<double> rates;
  for (int repetition = 0; repetition <= options.repetitions; ++repetition) {
    auto generation = engine::Generation::start(
        loaded->model, loaded->tokenizer, nullptr,
        greedySettings(*loaded->model, kPromptTokens, options.tokens + 1));
    if (!generation) return fail(generation.error());
    if (auto prefill = timedSteps(**generation, 1, options.stop); !prefill) return fail(prefill.error());
    const auto seconds = timedSteps(**generation, options.tokens, options.stop);
    if (!seconds) return fail(seconds.error());
    if (repetition > 0) rates.push_back(options.tokens / *seconds);  // the first one warms up
  }
  const auto interval = medianInterval(rates);
  auto result = header("decode", *loaded);
  result["tokens"] = options.tokens;
  result["prompt_tokens"] = kPromptTokens;
  result["tokens_per_second"] = interval.median;
  result["low"] = interval.low;
  result["high"] = interval.high;
  return result;
}

Result<ordered_json> benchPrefill(const BenchOptions& options) {
  auto loaded = load(options);
  if (!loaded) return fail(loaded.error());
  auto session = loaded->model->newSession();
  if (!session) return fail(session.error());
  const int tokens = static_cast<int>(std::min<std::int64_t>((*session)->capacity(), kPrefillTokens));
  const auto ids = promptIds(*loaded->model, tokens);
  std::vector<double> rates;
  for (int repetition = 0; repetition <= options.repetitions; ++repetition) {
    (*session)->rewind(0);
    Result<engine::StepOutput> output;
    const double seconds = secondsOf([&] { output = (*session)->forward({.ids = ids}); });
    if (!output) return fail(output.error());
    if (repetition > 0) rates.push_back(tokens / seconds);
  }
  const auto interval = medianInterval(rates);
  auto result = header("prefill", *loaded);
  result["tokens"] = tokens;
  result["tokens_per_second"] = interval.median;
  result["low"] = interval.low;
  result["high"] = interval.high;
  return result;
}

Result<ordered_json> benchRecord(const BenchOptions& options) {
  auto loaded = load(options);
  if (!loaded) return fail(loaded.error());
  const auto file = std::filesystem::temp_directory_path() / fmt::format("moescope-bench-{}.moescope", ::getpid());
  auto result = header("record", *loaded);
  result["tokens_per_block"] = options.tokens;
  for (const auto level : {trace::CaptureLevel::Ids, trace::CaptureLevel::Weights, trace::CaptureLevel::Full}) {
    std::filesystem::remove(file);
    auto store = trace::TraceStore::create(file);
    if (!store) return fail(store.error());
    std::vector<double> overheads;
    for (int pair = 0; pair <= std::max(options.repetitions, kRecordPairs); ++pair) {
      double seconds[2] = {0, 0};
      // Which side goes first alternates, so that drift hits both alike.
      for (const int side : {pair % 2, 1 - pair % 2}) {
        auto settings = greedySettings(*loaded->model, kPromptTokens, options.tokens + 1);
        settings.capture = level;
        auto generation = engine::Generation::start(loaded->model, loaded->tokenizer,
                                                    side == 1 ? *store : nullptr, settings);
        if (!generation) return fail(generation.error());
        if (auto first = timedSteps(**generation, 1, options.stop); !first) return fail(first.error());
        const auto block = timedSteps(**generation, options.tokens, options.stop);
        if (!block) return fail(block.error());
        seconds[side] = *block;
      }
      if (pair > 0) overheads.push_back(100.0 * (seconds[1] / seconds[0] - 1.0));
    }
    if (auto closed = (*store)->close(); !closed) return fail(closed.error());
    const auto interval = medianInterval(overheads);
    result["overhead_percent"][std::string(trace::name(level))] = {
        {"median", interval.median}, {"low", interval.low}, {"high", interval.high},
        {"pairs", overheads.size()}};
  }
  std::filesystem::remove(file);
  return result;
}

}  // namespace moescope::bench
