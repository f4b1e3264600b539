#include "core/engine/generation/live_worker.h"

#include <algorithm>

namespace moescope::engine {

namespace {

/// A new model or store ends everything; a new text ends the text before it but waits for a model that
/// is being loaded.
bool interrupts(CommandKind incoming, CommandKind running) {
  switch (incoming) {
    case CommandKind::Load:
    case CommandKind::Unload: return true;
    case CommandKind::Store: return running == CommandKind::Write || running == CommandKind::Corpus;
    case CommandKind::Write:
    case CommandKind::Corpus: return running == CommandKind::Write;
    default: return false;
  }
}

bool isTakenUpBetweenTokens(CommandKind kind) {
  return kind == CommandKind::Program || kind == CommandKind::Extend;
}

bool isTakenBackByStop(CommandKind kind) {
  return kind == CommandKind::Extend || kind == CommandKind::Write || kind == CommandKind::Corpus ||
         kind == CommandKind::Load;
}

}  // namespace

LiveSession::Worker::Worker(EngineFactory factory) : m_factory(std::move(factory)) {
  m_thread = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

LiveSession::Worker::~Worker() {
  m_thread.request_stop();
  {
    const std::lock_guard lock(m_mutex);
    m_activity.request_stop();
  }
  m_thread.join();
}

void LiveSession::Worker::post(CommandKind kind, std::function<void(Worker&, std::stop_token)> action) {
  const std::lock_guard lock(m_mutex);
  if (interrupts(kind, m_running)) m_activity.request_stop();
  if (kind == CommandKind::Program && !m_queue.empty() && m_queue.back().kind == CommandKind::Program) {
    m_queue.back().action = std::move(action);
  } else {
    m_queue.push_back({kind, std::move(action)});
  }
  m_wake.notify_one();
}

std::future<void> LiveSession::Worker::postStore(std::shared_ptr<trace::TraceStore> store) {
  auto taken = std::make_shared<std::promise<void>>();
  auto future = taken->get_future();
  {
    const std::lock_guard lock(m_mutex);
    if (store == m_wantedStore) {
      taken->set_value();
      return future;
    }
    m_wantedStore = store;
  }
  post(CommandKind::Store, [store = std::move(store), taken](Worker& worker, std::stop_token) {
    worker.setStore(store);
    taken->set_value();
  });
  return future;
}

void LiveSession::Worker::stop() {
  const std::lock_guard lock(m_mutex);
  std::erase_if(m_queue, [](const Command& command) { return isTakenBackByStop(command.kind); });
  m_activity.request_stop();
  if (m_status.state == LiveState::Running || m_status.state == LiveState::Loading) {
    m_status.state = LiveState::Stopping;
  }
}

void LiveSession::Worker::run(std::stop_token threadStop) {
  for (;;) {
    Command command;
    std::stop_token activity;
    {
      std::unique_lock lock(m_mutex);
      m_wake.wait(lock, threadStop, [this] { return !m_queue.empty(); });
      if (threadStop.stop_requested()) break;
      command = std::move(m_queue.front());
      m_queue.pop_front();
      m_running = command.kind;
      m_activity = std::stop_source();
      activity = m_activity.get_token();
    }
    command.action(*this, std::move(activity));
    const std::lock_guard lock(m_mutex);
    m_running = CommandKind::None;
  }
  finishGeneration();
}

/// True if the command that waits first ends the writing of this text.
bool LiveSession::Worker::commandWaits() const {
  const std::lock_guard lock(m_mutex);
  return !m_queue.empty() && !isTakenUpBetweenTokens(m_queue.front().kind);
}

void LiveSession::Worker::takeUpBetweenTokens(std::stop_token stop) {
  for (;;) {
    Command command;
    {
      const std::lock_guard lock(m_mutex);
      if (m_queue.empty() || !isTakenUpBetweenTokens(m_queue.front().kind)) return;
      command = std::move(m_queue.front());
      m_queue.pop_front();
    }
    command.action(*this, stop);
  }
}

void LiveSession::Worker::setReceiver(std::function<void(const LiveEvent&)> receiver) {
  auto shared =
      receiver ? std::make_shared<const std::function<void(const LiveEvent&)>>(std::move(receiver)) : nullptr;
  const std::lock_guard lock(m_mutex);
  m_receiver = std::move(shared);
}

LiveStatus LiveSession::Worker::status() const {
  const std::lock_guard lock(m_mutex);
  return m_status;
}

std::shared_ptr<Model> LiveSession::Worker::model() const {
  const std::lock_guard lock(m_mutex);
  return m_model;
}

std::shared_ptr<const tokenizer::Tokenizer> LiveSession::Worker::tokenizer() const {
  const std::lock_guard lock(m_mutex);
  return m_tokenizer;
}

std::vector<steering::RuleEffect> LiveSession::Worker::effects() const {
  const std::lock_guard lock(m_mutex);
  return m_effects;
}

void LiveSession::Worker::enter(LiveState state) {
  change([state](LiveStatus& status) { status.state = state; });
  emit(LiveEvent::Kind::StateChanged);
}

void LiveSession::Worker::leave() {
  {
    const std::lock_guard lock(m_mutex);
    m_status.state = m_model != nullptr ? LiveState::Idle : LiveState::NoModel;
    m_status.progress.reset();
  }
  emit(LiveEvent::Kind::StateChanged);
}

void LiveSession::Worker::emit(LiveEvent::Kind kind) {
  LiveEvent event;
  event.kind = kind;
  emit(event);
}

void LiveSession::Worker::emit(const LiveEvent& event) {
  std::shared_ptr<const std::function<void(const LiveEvent&)>> receiver;
  {
    const std::lock_guard lock(m_mutex);
    receiver = m_receiver;
  }
  if (receiver != nullptr) (*receiver)(event);
}

void LiveSession::Worker::failed(const Error& error) {
  LiveEvent event;
  event.kind = LiveEvent::Kind::Failed;
  event.error = error;
  emit(event);
}

ProgressCallback LiveSession::Worker::progress() {
  return [this](const Progress& progress) {
    change([&](LiveStatus& status) { status.progress = progress; });
    emit(LiveEvent::Kind::StateChanged);
  };
}

}  // namespace moescope::engine
