// The commands of LiveSession, run on the engine thread.
#include <algorithm>
#include <limits>

#include "core/engine/generation/checkpoint_tokenizer.h"
#include "core/engine/generation/live_worker.h"

namespace moescope::engine {

namespace {

using Clock = std::chrono::steady_clock;

Error noFile() {
  return {"corpus.no_file", "", "", "there is no file to record into", "open or create a trace first"};
}

Error noModel() {
  return {"generate.no_model", "", "", "no model is loaded", "open a checkpoint folder first"};
}

}  // namespace

Result<LiveSession::Worker::Loaded> LiveSession::Worker::load(const std::filesystem::path& folder,
                                                              const LoadOptions& options,
                                                              std::stop_token stop) {
  // Everything that can be wrong with the files is found while the model before is still there.
  auto checkpoint = checkpoint::Checkpoint::open(folder);
  if (!checkpoint) return fail(checkpoint.error());
  auto tokenizer = openTokenizer(**checkpoint);
  if (!tokenizer) return fail(tokenizer.error());
  auto engine = m_factory();
  if (!engine) return fail(engine.error());
  auto loaded = (*engine)->load(*checkpoint, options, progress(), stop);
  if (!loaded && loaded.error().kind == "machine.out_of_memory" &&
      makeRoom(**engine, **checkpoint, options)) {
    enter(LiveState::Loading);
    loaded = (*engine)->load(*checkpoint, options, progress(), stop);
  }
  if (!loaded) return fail(loaded.error());
  return Loaded{*std::move(loaded), *std::move(tokenizer)};
}

/// Unloads the model if its memory is what the checkpoint lacks; false, and it stays, if that is not enough.
bool LiveSession::Worker::makeRoom(const Engine& engine, const checkpoint::Checkpoint& checkpoint,
                                   const LoadOptions& options) {
  if (const auto current = model();
      current == nullptr || !engine.fitsInsteadOf(*current, checkpoint, options))
    return false;
  unloadModel();
  return true;
}

void LiveSession::Worker::loadModel(const std::filesystem::path& folder, const LoadOptions& options,
                                    std::stop_token stop) {
  enter(LiveState::Loading);
  auto loaded = load(folder, options, std::move(stop));
  if (loaded) {
    finishGeneration();
    {
      const std::lock_guard lock(m_mutex);
      m_model = loaded->model;
      m_tokenizer = loaded->tokenizer;
    }
    emit(LiveEvent::Kind::ModelLoaded);
    leave();
    return;
  }
  leave();
  if (loaded.error().kind == "cancelled") return;
  if (model() == nullptr) enter(LiveState::Failed);
  failed(loaded.error());
}

void LiveSession::Worker::unloadModel() {
  finishGeneration();
  {
    const std::lock_guard lock(m_mutex);
    m_model.reset();
    m_tokenizer.reset();
  }
  emit(LiveEvent::Kind::ModelUnloaded);
  leave();
}

void LiveSession::Worker::setStore(std::shared_ptr<trace::TraceStore> store) {
  finishGeneration();
  m_store = std::move(store);
}

void LiveSession::Worker::generate(const GenerationSettings& settings, std::stop_token stop) {
  const auto current = model();
  if (current == nullptr) return failed(noModel());
  finishGeneration();
  // A program that does not fit this model is told before anything is recorded.
  const auto plan = steering::compile(m_program, current->checkpoint().description().routers);
  if (!plan) return failed(plan.error());
  enter(LiveState::Running);  // a long prompt takes its time to be tokenised
  auto started = Generation::start(current, tokenizer(), m_store, settings, stop);
  if (!started) {
    leave();
    if (started.error().kind != "cancelled") failed(started.error());
    return;
  }
  m_generation = *std::move(started);
  m_generation->setProgress(progress());
  if (const auto error = m_generation->recordingError()) failed(*error);
  if (auto set = m_generation->setProgram(m_program, SteeringMode::FromNowOn, stop); !set)
    failed(set.error());
  m_announced = 0;
  change([&](LiveStatus& status) {
    status.maxTokens = settings.maxTokens;
    status.tokensPerSecond = 0.0;
  });
  noteGeneration();
  noteEffects();
  emit(LiveEvent::Kind::GenerationStarted);
  write(std::numeric_limits<std::int64_t>::max(), std::move(stop));
}

void LiveSession::Worker::stepOne(std::stop_token stop) {
  if (m_writing) return;
  if (m_generation == nullptr) {
    return failed({"generate.nothing", "", "", "there is no text to continue", "generate one first"});
  }
  if (m_generation->finished() == FinishReason::MaxTokens) {
    m_generation->extend(1);
    change([](LiveStatus& status) { status.maxTokens = status.generatedTokens + 1; });
  }
  write(1, std::move(stop));
}

void LiveSession::Worker::resume(int moreTokens, std::stop_token stop) {
  if (m_generation == nullptr) {
    return failed({"generate.nothing", "", "", "there is no text to continue", "generate one first"});
  }
  m_generation->extend(moreTokens);
  const auto generated =
      static_cast<std::int64_t>(m_generation->tokens().size()) - m_generation->givenTokens();
  change([&](LiveStatus& status) { status.maxTokens = generated + moreTokens; });
  if (!m_writing) write(std::numeric_limits<std::int64_t>::max(), std::move(stop));
}

void LiveSession::Worker::continueFrom(std::int64_t row, std::stop_token stop) {
  if (m_generation == nullptr) {
    return failed({"generate.nothing", "", "", "there is no text to continue", "generate one first"});
  }
  const auto before = m_generation->run();
  const auto cut = m_generation->continueFrom(row, std::move(stop));
  if (!cut) return failed(cut.error());
  m_announced = std::min(m_announced, m_generation->tokens().size());
  noteGeneration();
  noteEffects();
  if (m_generation->run() != before) emit(LiveEvent::Kind::RunSwitched);
  emit(LiveEvent::Kind::StateChanged);
}

void LiveSession::Worker::endText() {
  finishGeneration();
  emit(LiveEvent::Kind::StateChanged);
}

void LiveSession::Worker::setProgram(const steering::SteeringProgram& program, SteeringMode mode,
                                     std::stop_token stop) {
  const auto current = model();
  if (current != nullptr) {
    const auto plan = steering::compile(program, current->checkpoint().description().routers);
    if (!plan) return failed(plan.error());
  }
  m_program = program;
  if (m_generation == nullptr) return;
  const auto before = m_generation->run();
  if (!m_writing) enter(LiveState::Running);  // a replay may take its time
  const auto set = m_generation->setProgram(program, mode, std::move(stop));
  if (!set && set.error().kind != "cancelled") failed(set.error());
  noteGeneration();
  noteEffects();
  if (m_generation->run() != before) emit(LiveEvent::Kind::RunSwitched);
  if (!m_writing) leave();
}

void LiveSession::Worker::write(std::int64_t maxSteps, std::stop_token stop) {
  m_writing = true;
  m_tokenTimes.clear();
  enter(LiveState::Running);
  bool stopped = false;
  for (std::int64_t i = 0; i < maxSteps; ++i) {
    takeUpBetweenTokens(stop);
    const auto reason = m_generation->finished();
    if (reason != FinishReason::Running && reason != FinishReason::Stopped) break;
    stopped = stop.stop_requested() || commandWaits();
    if (stopped) break;
    if (!writeOne(stop)) {
      stopped = stop.stop_requested();
      break;
    }
  }
  m_writing = false;
  noteGeneration();
  if (stopped && m_generation->finished() == FinishReason::Running) {
    change([](LiveStatus& status) { status.finish = FinishReason::Stopped; });
  }
  emit(LiveEvent::Kind::GenerationEnded);
  leave();
}

/// One token; false if there was none.
bool LiveSession::Worker::writeOne(std::stop_token stop) {
  const auto token = m_generation->step(std::move(stop));
  if (!token) {
    if (token.error().kind != "cancelled") failed(token.error());
    return false;
  }
  const auto now = Clock::now();
  m_tokenTimes.push_back(now);
  while (now - m_tokenTimes.front() > std::chrono::seconds(1)) m_tokenTimes.pop_front();
  noteGeneration();
  const auto& tokens = m_generation->tokens();
  for (; m_announced < tokens.size(); ++m_announced) {
    LiveEvent event;
    event.kind = LiveEvent::Kind::TokenAppended;
    event.token = m_announced + 1 == tokens.size() ? *token : tokens[m_announced];
    emit(event);
  }
  if (!m_generation->effects().empty()) noteEffects();
  return true;
}

void LiveSession::Worker::finishGeneration() {
  if (m_generation == nullptr) return;
  if (const auto done = m_generation->finish(); !done) failed(done.error());
  m_generation.reset();
  change([](LiveStatus& status) { status.canContinue = false; });
}

/// The status of the generation as it is now.
void LiveSession::Worker::noteGeneration() {
  const auto reason = m_generation->finished();
  const std::int64_t prompt = m_generation->promptTokens();
  const auto total = static_cast<std::int64_t>(m_generation->tokens().size());
  double rate = 0.0;
  if (m_tokenTimes.size() > 1) {
    const double seconds = std::chrono::duration<double>(m_tokenTimes.back() - m_tokenTimes.front()).count();
    if (seconds > 0) rate = static_cast<double>(m_tokenTimes.size() - 1) / seconds;
  }
  change([&](LiveStatus& status) {
    status.run = m_generation->run();
    status.finish = reason;
    status.promptTokens = prompt;
    status.generatedTokens = total - m_generation->givenTokens();
    status.prefillSeconds = m_generation->prefillSeconds();
    status.progress.reset();
    if (rate > 0) status.tokensPerSecond = rate;
    status.canContinue = reason == FinishReason::Running || reason == FinishReason::Stopped ||
                         reason == FinishReason::MaxTokens;
  });
}

void LiveSession::Worker::noteEffects() {
  {
    const std::lock_guard lock(m_mutex);
    m_effects = m_generation->effects();
  }
  emit(LiveEvent::Kind::EffectsChanged);
}

void LiveSession::Worker::recordCorpus(const CorpusSettings& settings, std::stop_token stop) {
  const auto current = model();
  if (current == nullptr) return failed(noModel());
  if (m_store == nullptr) return failed(noFile());
  finishGeneration();
  change([this](LiveStatus&) { m_effects.clear(); });  // the run's own are in the trace
  emit(LiveEvent::Kind::EffectsChanged);
  enter(LiveState::Running);
  const auto outcome = engine::recordCorpus(current, tokenizer(), *m_store, settings, progress(),
                                            std::move(stop), [this](trace::RunId run) {
                                              change([run](LiveStatus& status) { status.run = run; });
                                              emit(LiveEvent::Kind::StateChanged);
                                            });
  if (outcome) {
    change([&](LiveStatus& status) {
      status.run = outcome->run;
      status.finish = outcome->cancelled ? FinishReason::Stopped : FinishReason::MaxTokens;
    });
    emit(LiveEvent::Kind::CorpusEnded);
  } else {
    failed(outcome.error());
  }
  leave();
}

void LiveSession::Worker::recordSeries(const SeriesSettings& settings, std::stop_token stop) {
  if (m_store == nullptr) return failed(noFile());
  const auto engine = m_factory();
  if (!engine) return failed(engine.error());
  finishGeneration();
  enter(LiveState::Running);
  SeriesEvents events;
  events.started = [&](trace::RunId run) {
    change([run](LiveStatus& status) { status.run = run; });
    emit(LiveEvent::Kind::StateChanged);
  };
  events.makeRoom = [&](const checkpoint::Checkpoint& checkpoint, const LoadOptions& options) {
    if (!makeRoom(**engine, checkpoint, options)) return false;
    enter(LiveState::Running);
    return true;
  };
  const auto outcome = engine::recordSeries(**engine, *m_store, settings, progress(), stop, events);
  if (outcome) {
    change([&](LiveStatus& status) {
      status.finish = outcome->cancelled ? FinishReason::Stopped : FinishReason::MaxTokens;
    });
    emit(LiveEvent::Kind::CorpusEnded);
  } else {
    failed(outcome.error());
  }
  leave();
}

}  // namespace moescope::engine
