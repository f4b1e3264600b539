#include "views/api/view_context.h"

#include <QTimer>

#include <mutex>
#include <set>
#include <vector>

#include "core/engine/generation/live_session.h"
#include "views/api/post_to_gui.h"
#include "views/api/selection_model.h"

namespace moescope::views {

namespace {

constexpr int kMergeMs = 33;

}  // namespace

/// What other threads reported since the last flush. They hold it too, so that it outlives the context.
struct ViewContext::Pending {
  std::mutex mutex;
  ViewContext* context = nullptr;  ///< null once it is gone
  bool posted = false;
  int store = 0;                 ///< serial number of the open store; events of an older one do not count
  std::uint64_t lastNumber = 0;  ///< of the store's events; 0: none yet
  bool runsChanged = false, allRowsChanged = false;
  std::set<trace::RunId> rows;
  std::vector<QString> failures;
  std::vector<engine::LiveEvent> live;

  /// With the mutex held.
  void post() {
    if (posted || context == nullptr) return;
    posted = true;
    postToGui(context, [context = context] { context->flushEvents(); });
  }

  void add(int serial, const trace::StoreEvent& event) {
    const std::lock_guard lock(mutex);
    if (serial != store) return;
    // A missed number: nobody knows what it was about, so everything is read again.
    if (lastNumber != 0 && event.number > lastNumber + 1) runsChanged = allRowsChanged = true;
    lastNumber = std::max(lastNumber, event.number);
    switch (event.kind) {
      case trace::StoreEvent::Kind::TokensAppended: rows.insert(event.run); break;
      case trace::StoreEvent::Kind::SteeringChanged: rows.insert(event.run); break;
      case trace::StoreEvent::Kind::RecordingFailed:
        runsChanged = true;
        if (event.error) failures.push_back(QString::fromStdString(event.error->text()));
        break;
      case trace::StoreEvent::Kind::RunAdded:
      case trace::StoreEvent::Kind::RunChanged:
      case trace::StoreEvent::Kind::RunDeleted:
      case trace::StoreEvent::Kind::SeriesChanged: runsChanged = true; break;
    }
    post();
  }

  void add(const engine::LiveEvent& event) {
    const std::lock_guard lock(mutex);
    live.push_back(event);
    post();
  }
};

ViewContext::ViewContext(std::shared_ptr<engine::LiveSession> session, QObject* parent)
    : QObject(parent),
      m_session(std::move(session)),
      m_selection(new SelectionModel(this)),
      m_steering(new SteeringDocument(this)),
      m_pending(std::make_shared<Pending>()),
      m_flushTimer(new QTimer(this)) {
  m_pending->context = this;
  m_flushTimer->setSingleShot(true);
  connect(m_flushTimer, &QTimer::timeout, this, &ViewContext::flushEvents);
  m_session->setReceiver([pending = m_pending](const engine::LiveEvent& event) { pending->add(event); });
}

ViewContext::~ViewContext() {
  m_session->setReceiver(nullptr);
  if (m_store) m_store->unsubscribe(m_subscription);
  const std::lock_guard lock(m_pending->mutex);
  m_pending->context = nullptr;
}

void ViewContext::setStore(std::shared_ptr<trace::TraceStore> store) {
  if (store == m_store) return;
  if (m_store) m_store->unsubscribe(m_subscription);
  int serial = 0;
  {
    const std::lock_guard lock(m_pending->mutex);
    serial = ++m_pending->store;
    m_pending->lastNumber = 0;
    m_pending->rows.clear();
    m_pending->runsChanged = m_pending->allRowsChanged = false;
    m_pending->failures.clear();
  }
  m_store = std::move(store);
  if (m_store) {
    m_subscription = m_store->subscribe(
        [pending = m_pending, serial](const trace::StoreEvent& event) { pending->add(serial, event); });
  }
  // Runs, tokens and cells of another file mean nothing in this one.
  m_selection->setRun(std::nullopt);
  m_selection->clear();
  Q_EMIT storeReplaced();
}

bool ViewContext::isLive(trace::RunId run) const {
  const auto status = m_session->status();
  const bool writing =
      status.state == engine::LiveState::Running || status.state == engine::LiveState::Stopping;
  return writing && status.run == run && m_store && m_store->writable();
}

void ViewContext::flushEvents() {
  if (m_sinceFlush.isValid() && m_sinceFlush.elapsed() < kMergeMs) {
    if (!m_flushTimer->isActive()) m_flushTimer->start(kMergeMs - static_cast<int>(m_sinceFlush.elapsed()));
    return;
  }
  m_sinceFlush.start();
  bool runs = false, all = false;
  std::set<trace::RunId> rows;
  std::vector<QString> failures;
  std::vector<engine::LiveEvent> live;
  {
    const std::lock_guard lock(m_pending->mutex);
    m_pending->posted = false;
    runs = std::exchange(m_pending->runsChanged, false);
    all = std::exchange(m_pending->allRowsChanged, false);
    rows.swap(m_pending->rows);
    failures.swap(m_pending->failures);
    live.swap(m_pending->live);
  }
  // A slot may replace the store; then what follows is about a file that is gone.
  const auto store = m_store;
  if (runs) Q_EMIT runsChanged();
  if (all && store) {
    for (const auto& run : store->runs()) rows.insert(run.id);
  }
  deliver(live);
  for (const trace::RunId run : rows) {
    if (store == m_store) Q_EMIT rowsChanged(run);
  }
  for (const QString& text : failures) Q_EMIT recordingFailed(text);
}

void ViewContext::deliver(const std::vector<engine::LiveEvent>& events) {
  using Kind = engine::LiveEvent::Kind;
  bool state = false, effects = false;
  for (const auto& event : events) {
    state = true;  // every event may have changed the status
    switch (event.kind) {
      case Kind::ModelLoaded:
      case Kind::ModelUnloaded: Q_EMIT modelChanged(); break;
      case Kind::GenerationStarted: Q_EMIT generationStarted(); break;
      case Kind::TokenAppended:
        if (event.token) Q_EMIT tokenAppended(QString::fromStdString(event.token->text), event.token->prompt);
        break;
      case Kind::RunSwitched:
        if (const auto run = m_session->status().run) Q_EMIT runSwitched(*run);
        break;
      case Kind::EffectsChanged: effects = true; break;
      case Kind::Failed:
        if (event.error) Q_EMIT sessionFailed(QString::fromStdString(event.error->text()));
        break;
      case Kind::StateChanged:
      case Kind::GenerationEnded:
      case Kind::CorpusEnded: break;
    }
  }
  if (effects) Q_EMIT effectsChanged();
  if (state) Q_EMIT liveStateChanged();
}

}  // namespace moescope::views
