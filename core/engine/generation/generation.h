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
  std::vector<std::int32_t> promptIds;  ///< used instead of `prompt` when not empty
  std::string decoderPrefix;            ///< of encoder-decoders: what the text begins with (decoderBegin)
  int maxTokens = 256;
  SamplerSettings sampler;
  std::vector<std::string> stopStrings;
  bool ignoreEndTokens = false;
  trace::CaptureLevel capture = trace::CaptureLevel::Weights;
  std::string runName;  ///< empty: the first words of the prompt
};

enum class FinishReason : std::uint8_t { Running, MaxTokens, EndToken, StopString, ContextFull, Stopped };

/// One token as it became known.
struct GeneratedToken {
  std::int32_t id = 0;
  std::int64_t row = -1;  ///< in the run; -1 when nothing is recorded
  bool prompt = false;    ///< given and not written: the prompt, and what a decoder begins with
  float logProb = trace::kMissing;
  std::string text;  ///< that became complete with it; what may begin a stop string comes later
};

/// A begin token is put before the prompt where the model was trained so (prompt_tokens.h): by the
/// tokenizer's template, tokenizer_config's add_bos_token, or ModelDescription::beginToken. Prompt ids are
/// taken as they are. In an encoder-decoder the prompt is the encoder's input, and the decoder begins with
/// its start token and a prefix.
class Generation {
 public:
  /// Tokenises the prompt and starts the run; nothing is forwarded yet. `store` may be null (nothing
  /// recorded). Errors: `generate.empty_prompt`, `generate.prompt_too_long` (tokens and limit),
  /// `generate.bad_token`, `generate.bad_length`, `generate.no_decoder`, `sampler.bad_value`, `tokenizer.*`,
  /// `machine.out_of_memory`, `cancelled` (while the prompt is tokenised).
  static Result<std::unique_ptr<Generation>> start(std::shared_ptr<Model> model,
                                                   std::shared_ptr<const tokenizer::Tokenizer> tokenizer,
                                                   std::shared_ptr<trace::TraceStore> store,
                                                   const GenerationSettings& settings,
                                                   std::stop_token stop = {});
  virtual ~Generation() = default;

  /// Forwards what is pending and samples one token, which is then pending. The first call forwards the
  /// prompt. Errors: `cancelled` (the next call goes on where this one stopped), `generate.finished`, and
  /// those of Session::forward.
  virtual Result<GeneratedToken> step(std::stop_token stop) = 0;
  /// Rules and mode for the next step. With Counterfactual the same tokens are forwarded again from the
  /// first position that the old or the new rules cover, into a new run of the store; `run()` changes.
  /// After `cancelled` the next step does the rest of it. Errors: `steering.*` (nothing changed).
  virtual Result<void> setProgram(const steering::SteeringProgram& program, SteeringMode mode,
                                  std::stop_token stop) = 0;
  /// Lets it write `moreTokens` more from where it is (Continue).
  virtual void extend(int moreTokens) = 0;
  /// "Continue from here": cuts the sequence after `row` (which becomes pending) into a new run. A prompt
  /// that is cut ends there; its last step is forwarded again with the next token. An encoder's input cannot
  /// be cut. Errors: `generate.no_such_row`, `generate.inside_source`.
  virtual Result<void> continueFrom(std::int64_t row, std::stop_token stop) = 0;
  virtual Result<void> finish() = 0;  ///< closes the run

  [[nodiscard]] virtual FinishReason finished() const = 0;
  [[nodiscard]] virtual std::optional<trace::RunId> run() const = 0;
  /// Prompt and generated; a prompt token has its log-probability once it was forwarded.
  [[nodiscard]] virtual const std::vector<GeneratedToken>& tokens() const = 0;
  [[nodiscard]] virtual std::string text() const = 0;  ///< generated part, cut before a stop string
  [[nodiscard]] virtual std::int64_t promptTokens() const = 0;
  /// promptTokens(), and what a decoder begins with.
  [[nodiscard]] virtual std::int64_t givenTokens() const = 0;
  [[nodiscard]] virtual double prefillSeconds() const = 0;
  [[nodiscard]] virtual const std::vector<steering::RuleEffect>& effects() const = 0;

  /// Why nothing is recorded any more (e.g. `machine.disk_full`); the generation goes on without.
  [[nodiscard]] virtual std::optional<Error> recordingError() const = 0;
  /// Progress of prefill and of replays, from inside step(), setProgram() and continueFrom().
  virtual void setProgress(ProgressCallback progress) = 0;
  /// Sees the taps and logits of every forward step: position of its first token, tokens, output.
  virtual void setObserver(
      std::function<void(std::int64_t position, int tokens, const StepOutput& output)> observer) = 0;
};

/// The model as a trace records it.
trace::ModelRecord modelRecord(const Model& model, const tokenizer::Tokenizer& tokenizer);

}  // namespace moescope::engine
