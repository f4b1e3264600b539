#include "core/engine/generation/corpus_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "core/engine/generation/corpus_plan.h"
#include "core/engine/generation/forwarded_sequence.h"
#include "core/engine/generation/generation.h"
#include "core/engine/generation/run_records.h"

namespace moescope::engine {

namespace {

/// Mean of what has a log-probability. The first token of a window has none, nor has an encoder's input and
/// its decoder's start token; others lack it where the logits are not finite.
struct LogProbMean {
  double sum = 0.0;
  std::int64_t count = 0, undefined = 0;

  void add(float logProb, bool isUnpredicted) {
    if (std::isfinite(logProb)) {
      sum += logProb;
      ++count;
    } else if (!isUnpredicted) {
      ++undefined;
    }
  }
  [[nodiscard]] double value() const {
    return count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
  }
};

/// The corpus run to go on with: the last that is not closed, else the last one. Those of a series belong to
/// its recording.
std::optional<trace::RunRecord> resumable(const trace::TraceStore& store) {
  std::set<trace::RunId> ofSeries;
  for (const auto& series : store.allSeries()) ofSeries.insert(series.runs.begin(), series.runs.end());
  std::optional<trace::RunRecord> found;
  for (auto& run : store.runs()) {
    if (run.kind != trace::RunKind::Corpus || ofSeries.contains(run.id)) continue;
    const bool better =
        !found || run.status != trace::RunStatus::Closed || found->status == trace::RunStatus::Closed;
    if (better) found = std::move(run);
  }
  return found;
}

class CorpusRecording {
 public:
  CorpusRecording(const std::shared_ptr<Model>& model, std::shared_ptr<const tokenizer::Tokenizer> tokenizer,
                  trace::TraceStore& store, const CorpusSettings& settings, CorpusPlan plan)
      : m_model(model),
        m_tokenizer(std::move(tokenizer)),
        m_store(store),
        m_settings(settings),
        m_plan(std::move(plan)) {}

  /// Starts a run or goes on with one; true if something is left to do.
  Result<bool> begin();
  Result<CorpusOutcome> run(ForwardedSequence& sequence, const ProgressCallback& progress,
                            std::stop_token stop);
  [[nodiscard]] trace::RunId id() const { return m_outcome.run; }
  [[nodiscard]] CorpusOutcome outcome();

 private:
  [[nodiscard]] bool isUnpredicted(std::int64_t position) const {
    return position == 0 || m_model->checkpoint().description().encoder.has_value();
  }
  Result<bool> resume(const trace::RunRecord& record, const trace::ModelRecord& model);
  Result<void> record(ForwardedSequence& sequence, const CorpusWindow& window, std::stop_token stop);

  std::shared_ptr<Model> m_model;
  std::shared_ptr<const tokenizer::Tokenizer> m_tokenizer;
  trace::TraceStore& m_store;
  const CorpusSettings& m_settings;
  CorpusPlan m_plan;
  std::unique_ptr<trace::RunRecorder> m_recorder;
  LogProbMean m_mean;
  CorpusOutcome m_outcome;
};

Result<bool> CorpusRecording::begin() {
  const auto model = modelRecord(*m_model, *m_tokenizer);
  if (m_settings.resume) {
    const auto found = m_settings.resumeRun ? m_store.run(*m_settings.resumeRun) : resumable(m_store);
    if (found) return resume(*found, model);
  }
  auto record = newRunRecord(*m_model, trace::RunKind::Corpus, m_settings.capture);
  record.name = m_settings.runName.empty() ? m_settings.corpus.stem().string() : m_settings.runName;
  record.samplerJson = m_plan.settings.dump();
  record.checkpointLabel = m_settings.checkpointLabel;
  record.trainStep = m_settings.trainStep;
  record.trainTokens = m_settings.trainTokens;
  auto recorder = m_store.startRun(model, record);
  if (!recorder) return fail(recorder.error());
  m_recorder = *std::move(recorder);
  m_outcome.run = m_recorder->run();
  if (!m_settings.program.rules.empty()) {
    auto told = m_recorder->steeringChanged(steering::toJson(m_settings.program).dump(), false);
    if (!told) return fail(told.error());
  }
  return true;
}

Result<bool> CorpusRecording::resume(const trace::RunRecord& record, const trace::ModelRecord& model) {
  const auto differences = resumeDifferences(m_store, record, model, m_settings.capture, m_plan);
  if (!differences.empty()) {
    return fail("corpus.resume_mismatch", m_store.path().string(), fmt::format("run {}", record.id),
                "the run cannot be continued, because these differ: " + differences,
                "record a new run without resume");
  }
  m_outcome.run = record.id;
  if (record.status == trace::RunStatus::Closed) {
    m_outcome.sequences = record.sequences;
  } else {
    auto recorder = m_store.resumeRun(record.id);
    if (!recorder) return fail(recorder.error());
    m_recorder = *std::move(recorder);
    const auto kept = m_store.sequences(record.id);
    m_outcome.sequences = static_cast<std::int64_t>(kept.size());
  }
  const auto rows = m_store.run(record.id);
  m_outcome.tokens = m_recorder != nullptr ? m_recorder->tokens() : rows ? rows->tokens : 0;
  for (std::int64_t block = 0; block * trace::kBlockTokens < m_outcome.tokens; ++block) {
    const auto tokens = m_store.tokenBlock(record.id, block);
    if (tokens == nullptr) continue;
    for (std::size_t i = 0; i < tokens->logProbs.size(); ++i)
      m_mean.add(tokens->logProbs[i], isUnpredicted(tokens->positions[i]));
  }
  return m_recorder != nullptr;
}

Result<void> CorpusRecording::record(ForwardedSequence& sequence, const CorpusWindow& window,
                                     std::stop_token stop) {
  const auto length = static_cast<std::int64_t>(window.ids.size());
  const std::int64_t firstRow = m_recorder->tokens();
  sequence.start(window.ids, window.promptLength);
  const auto ordinal = m_recorder->beginSequence({window.promptLength, window.textHash, window.labels});
  sequence.record(m_recorder.get(), ordinal, firstRow);
  auto done = sequence.forwardTo(length, std::move(stop));
  if (sequence.recordingError()) return fail(*sequence.recordingError());
  if (!done) {
    (void)m_recorder->endSequence(false);  // kept, and cut off by a resume
    return done;
  }
  // A resume cuts back to the last complete sequence, so the record counts complete ones only.
  if (!m_settings.program.rules.empty()) m_recorder->setRuleEffects(sequence.effects());
  if (auto ended = m_recorder->endSequence(true); !ended) return ended;
  for (const auto& row : sequence.rows()) m_mean.add(row.logProb, isUnpredicted(row.position));
  return {};
}

Result<CorpusOutcome> CorpusRecording::run(ForwardedSequence& sequence, const ProgressCallback& progress,
                                           std::stop_token stop) {
  auto status = trace::RunStatus::Closed;
  for (auto i = static_cast<std::size_t>(m_outcome.sequences); i < m_plan.windows.size(); ++i) {
    if (progress) progress({"Recording the corpus", m_outcome.tokens, m_plan.tokens, "tokens"});
    auto done = record(sequence, m_plan.windows[i], stop);
    if (!done && done.error().kind != "cancelled") return fail(done.error());
    if (!done) {
      m_outcome.cancelled = true;
      status = trace::RunStatus::Aborted;
      break;
    }
    ++m_outcome.sequences;
    m_outcome.tokens += static_cast<std::int64_t>(m_plan.windows[i].ids.size());
  }
  if (auto ended = m_recorder->end(status); !ended) return fail(ended.error());
  if (progress) progress({"Recording the corpus", m_outcome.tokens, m_plan.tokens, "tokens"});
  return outcome();
}

CorpusOutcome CorpusRecording::outcome() {
  m_outcome.meanLogProb = m_mean.value();
  m_outcome.undefinedLogProbs = m_mean.undefined;
  return m_outcome;
}

}  // namespace

Result<CorpusOutcome> recordCorpus(const std::shared_ptr<Model>& model,
                                   const std::shared_ptr<const tokenizer::Tokenizer>& tokenizer,
                                   trace::TraceStore& store, const CorpusSettings& settings,
                                   const ProgressCallback& progress, std::stop_token stop,
                                   const std::function<void(trace::RunId)>& started) {
  // Whatever can be wrong is found before a run is started.
  auto steering = steering::compile(settings.program, model->checkpoint().description().routers);
  if (!steering) return fail(steering.error());
  auto plan = CorpusPlan::make(model->checkpoint(), *tokenizer, settings, progress, stop);
  if (!plan && plan.error().kind == "cancelled") {
    CorpusOutcome outcome;
    outcome.cancelled = true;
    return outcome;
  }
  if (!plan) return fail(plan.error());
  auto session = model->newSession();
  if (!session) return fail(session.error());
  const std::int64_t capacity = (*session)->capacity();
  if (plan->context > capacity) {
    return fail(
        "corpus.context_too_long", "", "",
        fmt::format("windows of {} tokens are asked for, the context holds {}", plan->context, capacity),
        "ask for shorter windows or load the model with a longer context");
  }
  ForwardedSequence sequence(model, *std::move(session), tokenizer);
  if (!settings.alternatives) sequence.leaveOutAlternatives();
  sequence.setPlan(*std::move(steering));
  CorpusRecording recording(model, tokenizer, store, settings, *std::move(plan));
  const auto left = recording.begin();
  if (!left) return fail(left.error());
  sequence.setEffects(store.ruleEffects(recording.id()));  // of a resumed run
  if (started) started(recording.id());
  return *left ? recording.run(sequence, progress, std::move(stop)) : recording.outcome();
}

}  // namespace moescope::engine
