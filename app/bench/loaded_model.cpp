#include "app/bench/loaded_model.h"

#include "app/bench/measure.h"
#include "core/engine/generation/checkpoint_tokenizer.h"

namespace moescope::bench {

Result<LoadedModel> LoadedModel::load(const BenchOptions& options) {
  auto engine = engine::loadEngine();
  if (!engine) return fail(engine.error());
  LoadedModel loaded;
  loaded.promptTokens = options.context;
  Result<std::shared_ptr<const checkpoint::Checkpoint>> checkpoint;
  loaded.openSeconds = secondsOf([&] { checkpoint = checkpoint::Checkpoint::open(options.model); });
  if (!checkpoint) return fail(checkpoint.error());
  auto tokenizer = engine::openTokenizer(**checkpoint);
  if (!tokenizer) return fail(tokenizer.error());
  loaded.tokenizer = *tokenizer;
  Result<std::shared_ptr<engine::Model>> model;
  loaded.loadSeconds =
      secondsOf([&] { model = (*engine)->load(*checkpoint, options.load, {}, options.stop); });
  if (!model) return fail(model.error());
  loaded.model = *model;
  return loaded;
}

nlohmann::ordered_json LoadedModel::header(const std::string& bench) const {
  return {{"bench", bench},
          {"machine", machineLine()},
          {"model", model->checkpoint().displayName()},
          {"device", model->device().id},
          {"dtype", model->dtypeName()},
          {"threads", model->threads()}};
}

std::vector<std::int32_t> LoadedModel::spreadIds(int count) const {
  const int vocabulary = model->checkpoint().description().vocabularySize;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) ids[static_cast<std::size_t>(i)] = (17 + i * 397) % vocabulary;
  return ids;
}

Result<int> LoadedModel::longestText() const {
  const auto session = model->newSession();
  if (!session) return fail(session.error());
  const std::int64_t tokens = (*session)->capacity() - promptTokens - 1;
  if (tokens < 1) {
    return fail("bench.short_context", model->checkpoint().folder().string(), "",
                "the model's context is too short to measure", "choose another model");
  }
  return static_cast<int>(tokens);
}

Result<std::unique_ptr<engine::Generation>> LoadedModel::startText(std::shared_ptr<trace::TraceStore> store,
                                                                   trace::CaptureLevel capture, int maxTokens,
                                                                   const std::stop_token& stop) const {
  engine::GenerationSettings settings;
  settings.promptIds = spreadIds(promptTokens);
  settings.maxTokens = maxTokens + 1;
  settings.sampler.temperature = 0.0;
  settings.ignoreEndTokens = true;
  settings.capture = capture;
  auto text = engine::Generation::start(model, tokenizer, std::move(store), settings);
  if (!text) return fail(text.error());
  if (auto prefill = (*text)->step(stop); !prefill) return fail(prefill.error());
  return text;
}

Result<StepTimes> timedSteps(engine::Generation& text, int steps, const std::stop_token& stop) {
  Result<void> status;
  StepTimes times;
  const double before = threadSeconds();
  times.wallSeconds = secondsOf([&] {
    for (int i = 0; i < steps && status; ++i) {
      if (auto token = text.step(stop); !token) status = fail(token.error());
    }
  });
  times.threadSeconds = threadSeconds() - before;
  if (!status) return fail(status.error());
  return times;
}

}  // namespace moescope::bench
