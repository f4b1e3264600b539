#include "views/api/query_runner.h"

#include <QSemaphore>
#include <QThreadPool>

#include <utility>

namespace moescope::views {

namespace {

constexpr int kQueryThreads = 2;

QThreadPool& queryPool() {
  static QThreadPool pool;
  pool.setMaxThreadCount(kQueryThreads);
  return pool;
}

}  // namespace

struct QueryRunner::Job {
  std::stop_source stop;
  Delivery delivery;
  QSemaphore done;
};

QueryRunner::QueryRunner(QObject* parent) : QObject(parent) {}

QueryRunner::~QueryRunner() {
  m_waiting = nullptr;
  if (!m_running) return;
  m_running->stop.request_stop();
  m_running->done.acquire();
}

bool QueryRunner::busy() const { return m_running != nullptr; }

void QueryRunner::request(Work work, Urgency urgency) {
  if (!m_running) {
    start(std::move(work));
    return;
  }
  if (urgency == Urgency::Replace) m_running->stop.request_stop();
  m_waiting = std::move(work);
}

void QueryRunner::cancel() {
  m_waiting = nullptr;
  if (m_running) m_running->stop.request_stop();
}

void QueryRunner::start(Work work) {
  m_running = std::make_shared<Job>();
  queryPool().start([this, job = m_running, work = std::move(work)] {
    job->delivery = work(job->stop.get_token());
    QMetaObject::invokeMethod(
        this, [this, job] { finish(job); }, Qt::QueuedConnection);
    job->done.release();  // last: from here on the runner may be gone
  });
}

void QueryRunner::finish(const std::shared_ptr<Job>& job) {
  m_running.reset();
  const Delivery delivery = job->stop.stop_requested() ? nullptr : std::move(job->delivery);
  if (m_waiting) start(std::exchange(m_waiting, nullptr));
  if (delivery) delivery();
}

}  // namespace moescope::views
