#include "core/engine/generation/record_series.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/engine/generation/checkpoint_tokenizer.h"
#include "core/engine/generation/corpus_plan.h"
#include "core/engine/generation/series_check.h"

namespace moescope::engine {

namespace {

using nlohmann::ordered_json;

/// What is kept with a series, so that it can go on and says how it was made.
ordered_json settingsOf(const CheckpointSeries& series, const SeriesSettings& settings,
                        const CorpusPlan& plan) {
  ordered_json checkpoints = ordered_json::array();
  for (const auto& step : series.checkpoints) {
    checkpoints.push_back({{"label", step.label},
                           {"step", step.step},
                           {"tokens", step.tokens ? ordered_json(*step.tokens) : ordered_json(nullptr)}});
  }
  ordered_json corpus = plan.settings;
  corpus["name"] = settings.corpus.corpus.stem().string();
  corpus["capture"] = trace::name(settings.corpus.capture);
  return {{"corpus", corpus}, {"checkpoints", checkpoints}};
}

/// Names what differs; empty if the series can go on.
std::string differences(const std::string& recordedJson, const ordered_json& wanted) {
  const auto recorded = ordered_json::parse(recordedJson, nullptr, false);
  if (!recorded.is_object() || !recorded.contains("corpus") || !recorded["corpus"].is_object() ||
      !recorded.contains("checkpoints"))
    return "the settings";
  std::vector<std::string> names;
  const auto compare = [&](const char* key, const char* words) {
    if (!recorded["corpus"].contains(key) || recorded["corpus"][key] != wanted["corpus"][key])
      names.emplace_back(words);
  };
  if (recorded["checkpoints"] != wanted["checkpoints"]) names.emplace_back("the checkpoints");
  compare("context", "the context");
  compare("max_tokens_per_label", "the token limit of a label");
  compare("max_tokens_per_text", "the token limit of a text");
  compare("capture", "the capture level");
  compare("program", "the steering program");
  if (names.empty()) {
    for (const char* key : {"windows", "tokens", "begin_token", "separator"}) {
      if (names.empty()) compare(key, "the texts");
    }
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

class SeriesRecording {
 public:
  SeriesRecording(Engine& engine, trace::TraceStore& store, const SeriesSettings& settings,
                  const CheckpointSeries& series, std::int64_t tokensOfRun, const SeriesEvents& events)
      : m_engine(engine),
        m_store(store),
        m_settings(settings),
        m_series(series),
        m_tokensOfRun(tokensOfRun),
        m_events(events) {
    m_outcome.name = settings.name.empty() ? series.name : settings.name;
    m_outcome.checkpoints = series.checkpoints.size();
  }

  /// Starts a series or finds the one to go on with.
  Result<void> begin(const ordered_json& settings);
  Result<SeriesOutcome> run(const ProgressCallback& progress, const std::stop_token& stop);

 private:
  [[nodiscard]] std::optional<trace::RunRecord> recordedRun(const SeriesCheckpoint& step) const;
  Result<bool> keep(const SeriesCheckpoint& step, const checkpoint::Checkpoint& checkpoint);
  Result<CorpusOutcome> record(const SeriesCheckpoint& step, const std::stop_token& stop);
  Result<SeriesOutcome> recordAll(const std::stop_token& stop);
  void tell(std::int64_t tokensOfStep);

  Engine& m_engine;
  trace::TraceStore& m_store;
  const SeriesSettings& m_settings;
  const CheckpointSeries& m_series;
  const std::int64_t m_tokensOfRun;
  const SeriesEvents& m_events;
  ProgressCallback m_progress;
  SeriesOutcome m_outcome;
};

Result<void> SeriesRecording::begin(const ordered_json& settings) {
  const auto all = m_store.allSeries();
  if (m_settings.corpus.resume && !all.empty()) {
    const auto& last = all.back();
    if (const auto differ = differences(last.settingsJson, settings); !differ.empty())
      return fail("series.resume_mismatch", m_store.path().string(), fmt::format("series {}", last.id),
                  "the series cannot be continued, because these differ: " + differ,
                  "record a new series without resume");
    m_outcome.series = last.id;
    m_outcome.name = last.name;
    return {};
  }
  const auto started = m_store.startSeries(m_outcome.name, settings.dump());
  if (!started) return fail(started.error());
  m_outcome.series = *started;
  return {};
}

std::optional<trace::RunRecord> SeriesRecording::recordedRun(const SeriesCheckpoint& step) const {
  for (const auto& series : m_store.allSeries()) {
    if (series.id != m_outcome.series) continue;
    for (const trace::RunId id : series.runs) {
      auto run = m_store.run(id);
      if (run && run->trainStep == step.step) return run;
    }
  }
  return std::nullopt;
}

/// True if the step's run is there already, with the same weights.
Result<bool> SeriesRecording::keep(const SeriesCheckpoint& step, const checkpoint::Checkpoint& checkpoint) {
  const auto run = recordedRun(step);
  if (!run || run->status != trace::RunStatus::Closed) return false;
  const auto model = m_store.model(run->model);
  if (!model || model->weightsFingerprint != checkpoint.fingerprint())
    return fail("series.resume_mismatch", m_store.path().string(), fmt::format("run {}", run->id),
                fmt::format("the weights of {} are not those that were recorded", step.label),
                "record a new series without resume");
  SeriesStep kept{step.label, step.step, step.tokens, {}, true};
  kept.outcome.run = run->id;
  kept.outcome.sequences = run->sequences;
  kept.outcome.tokens = run->tokens;
  m_outcome.steps.push_back(kept);
  if (m_events.finished) m_events.finished(kept);
  return true;
}

void SeriesRecording::tell(std::int64_t tokensOfStep) {
  if (!m_progress) return;
  const auto finished = static_cast<std::int64_t>(m_outcome.steps.size());
  m_progress({"Recording the series", finished * m_tokensOfRun + tokensOfStep,
              static_cast<std::int64_t>(m_series.checkpoints.size()) * m_tokensOfRun, "tokens"});
}

Result<CorpusOutcome> SeriesRecording::record(const SeriesCheckpoint& step, const std::stop_token& stop) {
  const auto checkpoint = step.open();
  if (!checkpoint) return fail(checkpoint.error());
  const auto kept = keep(step, **checkpoint);
  if (!kept) return fail(kept.error());
  if (*kept) return m_outcome.steps.back().outcome;
  const auto tokenizer = openTokenizer(**checkpoint);
  if (!tokenizer) return fail(tokenizer.error());
  LoadOptions load = m_settings.load;
  if (load.contextTokens == 0) load.contextTokens = m_settings.corpus.contextTokens;
  tell(0);
  auto model = m_engine.load(*checkpoint, load, {}, stop);
  if (!model && model.error().kind == "machine.out_of_memory" && m_events.makeRoom &&
      m_events.makeRoom(**checkpoint, load))
    model = m_engine.load(*checkpoint, load, {}, stop);
  if (!model) return fail(model.error());
  CorpusSettings settings = m_settings.corpus;
  settings.runName = step.label;
  settings.alternatives = settings.capture != trace::CaptureLevel::Ids;
  settings.checkpointLabel = step.label;
  settings.trainStep = step.step;
  settings.trainTokens = step.tokens;
  settings.resume = false;
  if (const auto cut = recordedRun(step)) {
    settings.resume = true;
    settings.resumeRun = cut->id;
  }
  Result<void> added;
  auto outcome = recordCorpus(
      *model, *tokenizer, m_store, settings,
      [this](const Progress& progress) {
        if (progress.unit == "tokens") tell(progress.done);
      },
      stop,
      [&](trace::RunId run) {
        if (!settings.resume) added = m_store.addToSeries(m_outcome.series, run);
        if (m_events.started) m_events.started(run);
      });
  if (outcome && !added) return fail(added.error());
  if (!outcome || outcome->cancelled) return outcome;
  if (outcome->undefinedLogProbs > 0) {
    auto noted = m_store.setNotes(
        outcome->run,
        fmt::format("The loss of {} of {} tokens is not a finite number: the training seems to have "
                    "diverged before this checkpoint.",
                    outcome->undefinedLogProbs, outcome->tokens));
    if (!noted) return fail(noted.error());
  }
  m_outcome.steps.push_back({step.label, step.step, step.tokens, *outcome, false});
  if (m_events.finished) m_events.finished(m_outcome.steps.back());
  return outcome;
}

Result<SeriesOutcome> SeriesRecording::recordAll(const std::stop_token& stop) {
  for (const auto& step : m_series.checkpoints) {
    m_outcome.cancelled = stop.stop_requested();
    if (!m_outcome.cancelled) {
      const auto outcome = record(step, stop);  // the model is gone before the next is loaded
      if (!outcome && outcome.error().kind != "cancelled") return fail(outcome.error());
      m_outcome.cancelled = !outcome || outcome->cancelled;
    }
    if (m_outcome.cancelled) break;
  }
  if (!m_outcome.cancelled) tell(0);
  return m_outcome;
}

Result<SeriesOutcome> SeriesRecording::run(const ProgressCallback& progress, const std::stop_token& stop) {
  m_progress = progress;
  auto outcome = recordAll(stop);
  // A series that got no run says nothing.
  for (const auto& series : m_store.allSeries()) {
    if (series.id != m_outcome.series || !series.runs.empty()) continue;
    (void)m_store.deleteSeries(series.id);
    if (outcome) outcome->series = 0;
  }
  return outcome;
}

}  // namespace

Result<SeriesOutcome> recordSeries(Engine& engine, trace::TraceStore& store, const SeriesSettings& settings,
                                   const ProgressCallback& progress, std::stop_token stop,
                                   const SeriesEvents& events) {
  const auto series = findCheckpoints(settings.checkpoints);
  if (!series) return fail(series.error());
  auto plan = checkSeries(*series, settings.corpus, progress, stop);
  if (!plan && plan.error().kind == "cancelled") {
    SeriesOutcome outcome;
    outcome.name = settings.name.empty() ? series->name : settings.name;
    outcome.checkpoints = series->checkpoints.size();
    outcome.cancelled = true;
    return outcome;
  }
  if (!plan) return fail(plan.error());
  SeriesRecording recording(engine, store, settings, *series, plan->tokens, events);
  if (auto begun = recording.begin(settingsOf(*series, settings, *plan)); !begun) return fail(begun.error());
  plan->windows = {};  // each run makes its own
  return recording.run(progress, stop);
}

}  // namespace moescope::engine
