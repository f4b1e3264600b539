#include "views/panels/analysis/analysis_job.h"

#include <chrono>

#include "views/api/post_to_gui.h"

namespace moescope::views {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPause = std::chrono::milliseconds(50);

}  // namespace

AnalysisJob::AnalysisJob(const plugin::PluginHost& host, QObject* parent) : QObject(parent), m_host(host) {}

AnalysisJob::~AnalysisJob() {
  cancel();  // the threads are joined by their destructors
}

template <class Action>
void AnalysisJob::deliver(int number, Action action) {
  postToGui(this, [this, number, action = std::move(action)] {
    if (number == m_number) action();
  });
}

void AnalysisJob::start(std::shared_ptr<trace::TraceStore> store, plugin::AnalysisRequest request) {
  cancel();
  m_running = true;
  m_thread = std::jthread([this, store = std::move(store), request = std::move(request),
                           number = m_number](const std::stop_token& stop) {
    plugin::AnalysisCallbacks callbacks;
    callbacks.stop = stop;
    callbacks.progress = [this, number, last = Clock::time_point{}](const Progress& progress) mutable {
      const auto now = Clock::now();
      if (now - last < kPause) return;
      last = now;
      deliver(number, [this, progress] {
        Q_EMIT progressed(QString::fromStdString(progress.activity), progress.done, progress.total);
      });
    };
    callbacks.partial = [this, number](const analysis::AnalysisResult& partial) {
      deliver(number, [this, result = std::make_shared<const analysis::AnalysisResult>(partial)] {
        Q_EMIT partialReady(result);
      });
    };
    auto result = plugin::runAnalysis(m_host, *store, request, callbacks);
    deliver(number, [this, result = std::move(result)] {
      m_running = false;
      if (result) {
        Q_EMIT finished(std::make_shared<const analysis::AnalysisResult>(*result));
      } else {
        Q_EMIT failed(QString::fromStdString(result.error().text()));
      }
    });
  });
}

void AnalysisJob::cancel() {
  ++m_number;  // what is on its way to the GUI thread is dropped there
  m_thread.request_stop();
  // An analysis may take a while to notice; the window does not wait for it.
  if (m_running) m_stopping.push_back(std::move(m_thread));
  m_running = false;
}

}  // namespace moescope::views
