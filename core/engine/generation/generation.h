// Generation: one sequence being written, token by token, and recorded. Runs on the engine thread.
// Not a thread itself (live_session.h) and not for corpora (corpus_run.h).
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/engine/api/engine.h"
#include "core/engine/generation/sampler.h"
#include "core/tokenizer/tokenizer.h"
#include "core/trace/trace_store.h"

namespace moescope::engine {

enum class SteeringMode : std::uint8_t {
  FromNowOn,       ///< keep the cache; a change acts on the next token
  Counterfactual,  ///< cut the cache to the first scoped position and replay the rest under the new rules
};

struct GenerationSettings {
  std::string prompt;
  std::vector<std::int32_t> promptIds;   ///< used instead of `prompt` when not empty
  int maxTokens = 256;
  SamplerSettings sampler;
  std::vector<std::string> stopStrings;
  bool ignoreEndTokens = false;
  trace::CaptureLevel capture = trace::CaptureLevel::Weights;
  std::string runName;                   ///< empty: the first words of the prompt
};

enum class FinishReason : std::uint8_t { Running, MaxTokens, EndToken, StopString, ContextFull, Stopped };

/// One token as it became known.
struct GeneratedToken {
  std::int32_t id = 0;
  std::int64_t row = -1;       ///< in the run; -1 when nothing is recorded
  bool prompt = false;
  float logProb = trace::kMissing;
  std::string text;            ///< that became complete with it
};

/// The end-of-text token is put before the prompt where the model was trained so: the tokenizer's
/// template, add_bos_token, or the model card's rule in generation_config ("bos_token_id").
class Generation {
 public:
  /// Tokenises the prompt; nothing runs yet. `store` may be null (nothing recorded).
  /// Errors: `generate.empty_prompt`, `generate.prompt_too_long` (tokens and limit), `tokenizer.*`.
  static Result<std::unique_ptr<Generation>> start(std::shared_ptr<Model> model,
                                                   std::shared_ptr<const tokenizer::Tokenizer> tokenizer,
                                                   std::shared_ptr<trace::TraceStore> store,
                                                   const GenerationSettings& settings);
  virtual ~Generation() = default;

  /// Forwards what is pending and samples one token, which is then pending. The first call forwards the prompt.
  virtual Result<GeneratedToken> step(std::stop_token stop) = 0;
  /// Rules and mode for the next step. With Counterfactual the rewind and replay happen here, into a
  /// new run of the store; `run()` changes.
  virtual Result<void> setProgram(const steering::SteeringProgram& program, SteeringMode mode,
                                  std::stop_token stop) = 0;
  /// Raises the token limit (Continue).
  virtual void extend(int moreTokens) = 0;
  /// "Continue from here": cuts the sequence after `row` (which becomes pending) into a new run.
  virtual Result<void> continueFrom(std::int64_t row, std::stop_token stop) = 0;
  virtual Result<void> finish() = 0;  ///< closes the run

  [[nodiscard]] virtual FinishReason finished() const = 0;
  [[nodiscard]] virtual std::optional<trace::RunId> run() const = 0;
  [[nodiscard]] virtual const std::vector<GeneratedToken>& tokens() const = 0;
  [[nodiscard]] virtual std::string text() const = 0;            ///< generated part
  [[nodiscard]] virtual std::int64_t promptTokens() const = 0;
  [[nodiscard]] virtual double prefillSeconds() const = 0;
  [[nodiscard]] virtual const std::vector<steering::RuleEffect>& effects() const = 0;
};

/// The model as a trace records it.
trace::ModelRecord modelRecord(const Model& model, const tokenizer::Tokenizer& tokenizer);

}  // namespace moescope::engine
