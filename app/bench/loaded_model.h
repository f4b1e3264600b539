// LoadedModel: a model ready to be measured, and the text that measurements write with it.
// Not a measurement.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/bench/bench.h"
#include "core/engine/generation/generation.h"

namespace moescope::bench {

struct LoadedModel {
  std::shared_ptr<engine::Model> model;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  int promptTokens = 32;
  double openSeconds = 0.0, loadSeconds = 0.0;

  /// Errors: those of the checkpoint, the tokenizer and the engine.
  static Result<LoadedModel> load(const BenchOptions& options);

  /// The fields that every document of a measurement starts with.
  [[nodiscard]] nlohmann::ordered_json header(const std::string& bench) const;
  /// Ids spread over the vocabulary by a fixed step, so that they touch many experts.
  [[nodiscard]] std::vector<std::int32_t> spreadIds(int count) const;
  /// A text of promptTokens and `maxTokens` greedy ones, past end tokens; recorded where `store` is given.
  /// The prompt is forwarded already. Errors: those of Generation.
  [[nodiscard]] Result<std::unique_ptr<engine::Generation>> startText(
      std::shared_ptr<trace::TraceStore> store, trace::CaptureLevel capture, int maxTokens,
      const std::stop_token& stop) const;
  /// Tokens that such a text can have after its first one.
  [[nodiscard]] Result<int> longestText() const;
};

/// What `steps` tokens of a text took.
struct StepTimes {
  double wallSeconds = 0.0;
  double threadSeconds = 0.0;  ///< processor time of the calling thread: other load shows less
};
Result<StepTimes> timedSteps(engine::Generation& text, int steps, const std::stop_token& stop);

}  // namespace moescope::bench
