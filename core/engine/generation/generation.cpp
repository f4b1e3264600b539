#include "core/engine/generation/generation.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/engine/generation/forwarded_sequence.h"
#include "core/engine/generation/prompt_tokens.h"
#include "core/engine/generation/run_records.h"
#include "core/engine/generation/stop_text.h"

namespace moescope::engine {

namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class RecordedGeneration final : public Generation {
 public:
  RecordedGeneration(std::shared_ptr<Model> model, std::shared_ptr<const tokenizer::Tokenizer> tokenizer,
                     std::shared_ptr<trace::TraceStore> store, GenerationSettings settings,
                     std::unique_ptr<Session> session, std::vector<std::int32_t> ids,
                     std::int64_t promptLength)
      : m_model(model),
        m_tokenizer(tokenizer),
        m_store(std::move(store)),
        m_settings(std::move(settings)),
        m_sequence(std::move(model), std::move(session), std::move(tokenizer)),
        m_sampler(m_settings.sampler),
        m_decoder(m_tokenizer),
        m_text(m_settings.stopStrings),
        m_given(static_cast<std::int64_t>(ids.size())) {
    m_sequence.start(std::move(ids), promptLength);
    m_sequence.setEffectsRecorded(true);
    for (std::size_t i = 0; i < m_sequence.ids().size(); ++i) {
      GeneratedToken token;
      token.id = m_sequence.ids()[i];
      token.prompt = true;
      token.text = m_decoder.push(token.id);
      m_tokens.push_back(std::move(token));
    }
    startRun(std::nullopt, 0);
  }

  Result<GeneratedToken> step(std::stop_token stop) override;
  Result<void> setProgram(const steering::SteeringProgram& program, SteeringMode mode,
                          std::stop_token stop) override;
  void extend(int moreTokens) override;
  Result<void> continueFrom(std::int64_t row, std::stop_token stop) override;
  Result<void> finish() override;

  [[nodiscard]] FinishReason finished() const override { return m_finish; }
  [[nodiscard]] std::optional<trace::RunId> run() const override { return m_run; }
  [[nodiscard]] const std::vector<GeneratedToken>& tokens() const override { return m_tokens; }
  [[nodiscard]] std::string text() const override { return m_text.text(); }
  [[nodiscard]] std::int64_t promptTokens() const override { return m_sequence.promptLength(); }
  [[nodiscard]] std::int64_t givenTokens() const override { return m_given; }
  [[nodiscard]] double prefillSeconds() const override { return m_prefillSeconds; }
  [[nodiscard]] const std::vector<steering::RuleEffect>& effects() const override {
    return m_sequence.effects();
  }
  [[nodiscard]] std::optional<Error> recordingError() const override {
    return m_startError ? m_startError : m_sequence.recordingError();
  }
  void setProgress(ProgressCallback progress) override { m_sequence.setProgress(std::move(progress)); }
  void setObserver(StepObserver observer) override { m_sequence.setObserver(std::move(observer)); }

 private:
  [[nodiscard]] std::int64_t generated() const {
    return static_cast<std::int64_t>(m_sequence.ids().size()) - m_given;
  }
  void startRun(std::optional<trace::RunId> source, std::int64_t keptRows);
  Result<void> endRun();
  Result<void> forwardTo(std::int64_t end, std::stop_token stop);
  /// Steering of the next rows: into the engine and into the record.
  void apply(const steering::SteeringProgram& program, std::shared_ptr<const steering::SteeringPlan> plan,
             bool counterfactual);
  void updateTokens(std::size_t begin);
  GeneratedToken& appendToken(std::int32_t id);
  FinishReason reasonAfter(std::int32_t id) const;

  std::shared_ptr<Model> m_model;
  std::shared_ptr<const tokenizer::Tokenizer> m_tokenizer;
  std::shared_ptr<trace::TraceStore> m_store;
  GenerationSettings m_settings;
  ForwardedSequence m_sequence;
  Sampler m_sampler;
  tokenizer::StreamDecoder m_decoder;
  StopText m_text;
  std::int64_t m_given;
  std::vector<GeneratedToken> m_tokens;
  FinishReason m_finish = FinishReason::Running;
  bool m_ended = false;
  double m_prefillSeconds = 0.0;

  steering::SteeringProgram m_program;
  bool m_counterfactual = false;
  bool m_programSet = false;  // once it was, the record has an event at m_programRow
  std::int64_t m_programRow = 0;
  std::int64_t m_programSince =
      0;  // rows from here on were forwarded under m_program, or would be no different
  std::optional<trace::RunId> m_run;
  std::unique_ptr<trace::RunRecorder> m_recorder;
  std::optional<Error> m_startError;  // why no run could be started
};

void RecordedGeneration::startRun(std::optional<trace::RunId> source, std::int64_t keptRows) {
  if (m_store == nullptr || m_startError) return;
  auto run = newRunRecord(*m_model, trace::RunKind::Generate, m_settings.capture);
  run.name = m_settings.runName;
  run.seed = m_settings.sampler.seed;
  run.samplerJson = toJson(m_settings.sampler).dump();
  run.twin = source;
  const auto stopRecording = [this](const Error& error) {
    m_startError = error;
    m_recorder.reset();
    m_sequence.record(nullptr, 0, 0);
  };
  auto recorder = m_store->startRun(modelRecord(*m_model, *m_tokenizer), run);
  if (!recorder) return stopRecording(recorder.error());
  m_recorder = *std::move(recorder);
  m_run = m_recorder->run();
  const auto ordinal =
      m_recorder->beginSequence({m_sequence.promptLength(), textHash(m_settings.prompt), {}});
  if (source && keptRows > 0) {
    if (auto copied = m_recorder->copyRows(*source, keptRows); !copied) return stopRecording(copied.error());
    m_recorder->setRuleEffects(m_sequence.effects());  // up to where the rows were copied
  }
  m_sequence.record(m_recorder.get(), ordinal, 0);
}

Result<void> RecordedGeneration::endRun() {
  if (m_recorder == nullptr) return {};
  const auto recorder = std::move(m_recorder);
  const bool intact = m_sequence.recording();
  m_sequence.record(nullptr, 0, 0);
  if (!intact) return {};  // ended by an error that was told already
  if (auto done = recorder->endSequence(true); !done) return done;
  return recorder->end(trace::RunStatus::Closed);
}

Result<void> RecordedGeneration::forwardTo(std::int64_t end, std::stop_token stop) {
  const auto begin = static_cast<std::size_t>(m_sequence.position());
  const auto start = std::chrono::steady_clock::now();
  const bool prefill = m_sequence.position() < m_sequence.promptLength();
  auto done = m_sequence.forwardTo(end, std::move(stop));
  if (prefill) m_prefillSeconds += secondsSince(start);
  updateTokens(begin);
  if (!done && done.error().kind == "cancelled") m_finish = FinishReason::Stopped;
  return done;
}

/// Brings tokens from `begin` on in line with the rows: log-probabilities and places in the run.
void RecordedGeneration::updateTokens(std::size_t begin) {
  for (std::size_t i = begin; i < m_tokens.size(); ++i) {
    m_tokens[i].logProb = m_sequence.rows()[i].logProb;
    m_tokens[i].row = m_sequence.recording() ? static_cast<std::int64_t>(i) : -1;
  }
}

Result<GeneratedToken> RecordedGeneration::step(std::stop_token stop) {
  if (m_finish == FinishReason::Stopped) m_finish = FinishReason::Running;
  if (m_ended || m_finish != FinishReason::Running) {
    return fail("generate.finished", "", "", "the text is finished", "raise the token limit or start anew");
  }
  const auto length = static_cast<std::int64_t>(m_sequence.ids().size());
  if (auto done = forwardTo(length, std::move(stop)); !done) return fail(done.error());
  // The place in the text counts the draws, so that a continued text repeats what was there.
  auto written = std::span(m_sequence.ids());
  if (m_model->checkpoint().description().encoder)  // repeating the source is no repetition
    written = written.subspan(static_cast<std::size_t>(m_sequence.promptLength()));
  const std::int32_t id =
      m_sampler.next(m_sequence.lastLogits(), written, static_cast<std::uint64_t>(length));
  m_sequence.append(id);
  auto& token = appendToken(id);
  m_finish = reasonAfter(id);
  if (m_finish != FinishReason::Running) token.text += m_text.flush();
  return token;
}

GeneratedToken& RecordedGeneration::appendToken(std::int32_t id) {
  GeneratedToken token;
  token.id = id;
  token.text = m_text.push(m_decoder.push(id));
  m_tokens.push_back(std::move(token));
  updateTokens(m_tokens.size() - 1);
  return m_tokens.back();
}

FinishReason RecordedGeneration::reasonAfter(std::int32_t id) const {
  const auto& ends = m_model->checkpoint().description().endTokens;
  if (!m_settings.ignoreEndTokens && std::find(ends.begin(), ends.end(), id) != ends.end()) {
    return FinishReason::EndToken;
  }
  if (m_text.found()) return FinishReason::StopString;
  if (static_cast<std::int64_t>(m_sequence.ids().size()) > m_sequence.capacity()) {
    return FinishReason::ContextFull;  // the pending token has no place left in the cache
  }
  return generated() >= m_settings.maxTokens ? FinishReason::MaxTokens : FinishReason::Running;
}

void RecordedGeneration::apply(const steering::SteeringProgram& program,
                               std::shared_ptr<const steering::SteeringPlan> plan, bool counterfactual) {
  m_sequence.keepEffects([&](std::int64_t id) {
    const auto* before = m_program.find(id);
    const auto* now = program.find(id);
    return before != nullptr && now != nullptr && now->enabled && *before == *now;
  });
  m_program = program;
  m_programSet = true;
  m_programRow = m_sequence.position();
  m_counterfactual = counterfactual;
  m_sequence.setPlan(std::move(plan));
  // Where the file cannot take it, the next rows meet the same error and end the recording.
  if (m_sequence.recording()) {
    m_recorder->setRuleEffects(m_sequence.effects());
    (void)m_recorder->steeringChanged(steering::toJson(program).dump(), counterfactual);
  }
}

Result<void> RecordedGeneration::setProgram(const steering::SteeringProgram& program, SteeringMode mode,
                                            std::stop_token stop) {
  const bool replay = mode == SteeringMode::Counterfactual;
  if (program == m_program && !replay) return {};
  auto plan = steering::compile(program, m_model->checkpoint().description().routers);
  if (!plan) return fail(plan.error());
  const std::int64_t before = m_sequence.firstSteered();
  const std::int64_t after = m_sequence.firstCovered(**plan, m_sequence.position());
  std::int64_t dirty = before < 0 || (after >= 0 && after < before) ? after : before;
  if (program == m_program && (dirty < 0 || dirty >= m_programSince)) return {};  // it was so all along
  if (!replay || dirty < 0) {
    m_programSince = m_sequence.position();
    apply(program, *std::move(plan), replay);
    return {};
  }
  m_programSince = 0;
  dirty = m_sequence.aligned(dirty);
  const auto source = m_run;
  (void)endRun();
  m_sequence.rewind(dirty);
  if (source) startRun(source, dirty);
  apply(program, *std::move(plan), true);
  // The last token stays pending.
  return forwardTo(static_cast<std::int64_t>(m_sequence.ids().size()) - 1, std::move(stop));
}

void RecordedGeneration::extend(int moreTokens) {
  m_settings.maxTokens = static_cast<int>(generated()) + std::max(0, moreTokens);
  if (moreTokens > 0 && (m_finish == FinishReason::MaxTokens || m_finish == FinishReason::Stopped)) {
    m_finish = FinishReason::Running;
  }
}

Result<void> RecordedGeneration::continueFrom(std::int64_t row, std::stop_token) {
  const auto length = static_cast<std::int64_t>(m_tokens.size());
  if (m_ended || row < 0 || row >= length) {
    return fail("generate.no_such_row", "", fmt::format("row {}", row),
                fmt::format("the text has {} tokens", length), "choose one of them");
  }
  if (m_model->checkpoint().description().encoder && row < m_sequence.promptLength()) {
    return fail("generate.inside_source", "", fmt::format("row {}", row),
                "every token of the encoder's input sees all others, so the text cannot go on inside it",
                "choose a token of the decoder, or start anew with another prompt");
  }
  const auto source = m_run;
  (void)endRun();
  m_given = std::min(m_given, row + 1);
  m_sequence.cut(row + 1);
  m_tokens.resize(static_cast<std::size_t>(row) + 1);
  const std::int64_t kept = m_sequence.rewind(row);
  if (source) startRun(source, kept);
  // A change of the program before the cut was copied with the rows.
  if (m_recorder != nullptr && m_programSet && m_programRow >= kept) {
    m_programRow = kept;
    (void)m_recorder->steeringChanged(steering::toJson(m_program).dump(), m_counterfactual);
  }
  m_sequence.recordPending();
  m_decoder = tokenizer::StreamDecoder(m_tokenizer);
  m_text = StopText(m_settings.stopStrings);
  for (std::size_t i = 0; i < m_tokens.size(); ++i) {
    const std::string text = m_decoder.push(m_tokens[i].id);
    if (!m_tokens[i].prompt) m_text.push(text);
  }
  updateTokens(0);
  m_finish = generated() >= m_settings.maxTokens ? FinishReason::MaxTokens : FinishReason::Running;
  return {};
}

Result<void> RecordedGeneration::finish() {
  if (m_ended) return {};
  m_ended = true;
  m_text.push(m_decoder.finish());
  m_text.flush();
  if (m_finish == FinishReason::Running) m_finish = FinishReason::Stopped;
  return endRun();
}

}  // namespace

Result<std::unique_ptr<Generation>> Generation::start(std::shared_ptr<Model> model,
                                                      std::shared_ptr<const tokenizer::Tokenizer> tokenizer,
                                                      std::shared_ptr<trace::TraceStore> store,
                                                      const GenerationSettings& settings,
                                                      std::stop_token stop) {
  if (auto valid = validate(settings.sampler); !valid) return fail(valid.error());
  if (settings.maxTokens < 1) {
    return fail("generate.bad_length", "", "", fmt::format("{} tokens cannot be written", settings.maxTokens),
                "ask for at least one");
  }
  const auto empty = [] {
    return fail("generate.empty_prompt", "", "", "the prompt is empty", "give some text");
  };
  auto ids = settings.promptIds;
  if (ids.empty()) {
    if (settings.prompt.empty()) return empty();
    auto encoded =
        textIds(settings.prompt, *tokenizer, beginToken(model->checkpoint(), *tokenizer), std::move(stop));
    if (!encoded) return fail(encoded.error());
    ids = *std::move(encoded);
    if (ids.empty()) return empty();
  }
  const auto promptLength = static_cast<std::int64_t>(ids.size());
  const auto begin = decoderBegin(model->checkpoint().description(), *tokenizer, settings.decoderPrefix);
  if (!begin) return fail(begin.error());
  ids.insert(ids.end(), begin->begin(), begin->end());
  const std::int32_t vocabulary = model->checkpoint().description().vocabularySize;
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < vocabulary) continue;
    return fail("generate.bad_token", "", fmt::format("token id {}", id),
                fmt::format("the model has {} token ids only", vocabulary),
                "use the tokenizer that belongs to the model");
  }
  auto session = model->newSession();
  if (!session) return fail(session.error());
  const std::int64_t limit = (*session)->capacity();
  if (static_cast<std::int64_t>(ids.size()) > limit) {
    return fail("generate.prompt_too_long", "", "",
                fmt::format("the prompt has {} tokens, the context holds {}", ids.size(), limit),
                "shorten the prompt");
  }
  GenerationSettings kept = settings;
  if (kept.prompt.empty()) kept.prompt = tokenizer->decode({ids.begin(), ids.begin() + promptLength}, true);
  if (kept.runName.empty()) kept.runName = firstWords(kept.prompt);
  return std::make_unique<RecordedGeneration>(std::move(model), std::move(tokenizer), std::move(store),
                                              std::move(kept), *std::move(session), std::move(ids),
                                              promptLength);
}

}  // namespace moescope::engine
