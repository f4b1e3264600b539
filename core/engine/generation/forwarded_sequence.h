// ForwardedSequence: the ids of one sequence, how far the model has seen them, and their record.
// Not for choosing tokens (generation.h) or for texts (corpus_run.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/engine/api/engine.h"
#include "core/engine/generation/sampler.h"
#include "core/tokenizer/tokenizer.h"
#include "core/trace/trace_store.h"

namespace moescope::engine {

/// Sees every forward step: position of its first token, how many, and what came out.
using StepObserver = std::function<void(std::int64_t position, int tokens, const StepOutput& output)>;

/// Prefill goes in fixed chunks aligned to position, decode token by token; so a part that is forwarded again
/// after rewind() meets the same steps and gives the same bits (steering.md, I5). In an encoder-decoder the
/// prompt is the encoder's input, forwarded whole, and what comes after it are the decoder's tokens.
class ForwardedSequence {
 public:
  ForwardedSequence(std::shared_ptr<Model> model, std::unique_ptr<Session> session,
                    std::shared_ptr<const tokenizer::Tokenizer> tokenizer);

  /// Starts a sequence; nothing is forwarded. The recorder must have begun it too. Effects go on counting.
  void start(std::vector<std::int32_t> ids, std::int64_t promptLength);
  /// Records from row position() on, as `ordinal` from row `firstRow` of the run; rows before are there.
  void record(trace::RunRecorder* recorder, std::int32_t ordinal, std::int64_t firstRow);
  void setPlan(std::shared_ptr<const steering::SteeringPlan> plan);  ///< null = no steering
  /// Whether every step tells the recorder what the rules did.
  void setEffectsRecorded(bool recorded) { m_effectsRecorded = recorded; }
  void setEffects(std::vector<RuleEffect> effects) { m_effects = std::move(effects); }
  void setObserver(StepObserver observer) { m_observer = std::move(observer); }
  void leaveOutAlternatives() { m_alternatives = false; }  ///< of the rows that are recorded
  void setProgress(ProgressCallback progress) { m_progress = std::move(progress); }

  /// Forwards ids up to `end` (exclusive) that were not, of an encoder's input all. Errors: `cancelled`, and
  /// those of Session::forward; what was done before stays done.
  Result<void> forwardTo(std::int64_t end, std::stop_token stop);
  /// Adds a token after the last one forwarded; its facts are those of lastFacts().
  void append(std::int32_t id);
  /// Appends rows to the record that are known and not in it, forwarded or not (after a cut).
  void recordPending() { recordRows(static_cast<std::int64_t>(m_rows.size())); }
  /// Forgets what was forwarded from `position` on, or a little before inside the prompt, so that
  /// steps stay aligned. Ids stay. Returns the new position().
  std::int64_t rewind(std::int64_t position);
  /// Where rewind(position) would go.
  [[nodiscard]] std::int64_t aligned(std::int64_t position) const;
  /// Drops ids from `end` on; a prompt that is cut ends there.
  void cut(std::int64_t end);

  /// First position below `end` that the plan covers; -1 if none.
  [[nodiscard]] std::int64_t firstCovered(const steering::SteeringPlan& plan, std::int64_t end) const;
  /// First position that was forwarded under a covering plan; -1 if none.
  [[nodiscard]] std::int64_t firstSteered() const { return m_firstSteered; }

  [[nodiscard]] const std::vector<std::int32_t>& ids() const { return m_ids; }
  [[nodiscard]] const std::vector<trace::TokenRow>& rows() const { return m_rows; }
  [[nodiscard]] std::int64_t position() const { return m_session->position(); }
  [[nodiscard]] std::int64_t capacity() const { return m_session->capacity(); }
  [[nodiscard]] std::int64_t promptLength() const { return m_promptLength; }
  /// Logits after the last token forwarded; valid until the next forward.
  [[nodiscard]] std::span<const float> lastLogits() const { return m_lastLogits; }
  [[nodiscard]] const DistributionFacts& lastFacts() const { return m_lastFacts; }

  /// What the rules did since the object was made, over all sequences.
  [[nodiscard]] const std::vector<RuleEffect>& effects() const { return m_effects; }
  /// Forgets the effects of rules that `keep` refuses.
  void keepEffects(const std::function<bool(std::int64_t ruleId)>& keep);
  /// What stopped the recording; the recorder is not used any more.
  [[nodiscard]] const std::optional<Error>& recordingError() const { return m_recordingError; }
  [[nodiscard]] bool recording() const { return m_recorder != nullptr; }

 private:
  Result<void> forwardStep(std::int64_t end, bool decode);
  void noteFacts(std::int64_t begin, std::int64_t end, std::span<const float> logits);
  void noteSteering(std::int64_t begin, std::int64_t end, bool decode, const StepOutput& output);
  void recordStep(std::int64_t begin, std::int64_t end, const StepOutput& output);
  void recordRows(std::int64_t end);
  void check(Result<void> written);
  [[nodiscard]] bool covers(const steering::SteeringPlan& plan, std::int64_t position) const;

  /// Effects up to a position, to go back to.
  struct EffectMark {
    std::int64_t end = 0;
    std::vector<RuleEffect> effects;
  };

  std::shared_ptr<Model> m_model;
  std::unique_ptr<Session> m_session;
  std::shared_ptr<const tokenizer::Tokenizer> m_tokenizer;
  std::shared_ptr<const steering::SteeringPlan> m_plan;
  StepObserver m_observer;
  ProgressCallback m_progress;
  int m_chunk;
  std::int64_t m_vocabulary;

  std::vector<std::int32_t> m_ids;
  std::vector<trace::TokenRow> m_rows;  // facts of each id, as far as known
  std::int64_t m_promptLength = 0;
  std::span<const float> m_lastLogits;
  DistributionFacts m_lastFacts;
  std::vector<float> m_entropies;  // [tokens of the step]

  trace::RunRecorder* m_recorder = nullptr;
  std::int64_t m_firstRow = 0;
  bool m_alternatives = true;
  std::int64_t m_recordedRows = 0;  // of this sequence
  std::optional<Error> m_recordingError;

  std::int64_t m_firstSteered = -1;
  bool m_effectsRecorded = false;
  std::vector<RuleEffect> m_effects;
  std::vector<EffectMark> m_effectMarks;  // the first is the start of the sequence
};

}  // namespace moescope::engine
