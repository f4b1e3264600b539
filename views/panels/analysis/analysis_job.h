// AnalysisJob: one analysis running on a thread of its own, with progress and partial results on the GUI
// thread. Not for pictures that panels make all the time (QueryRunner).
#pragma once

#include <QObject>

#include <memory>
#include <thread>
#include <vector>

#include "core/plugin/analysis_runner.h"

namespace moescope::views {

/// GUI thread only. Signals come on the GUI thread, none after cancel(). Destruction stops the work and
/// waits for it.
class AnalysisJob : public QObject {
  Q_OBJECT

 public:
  /// `host` outlives the job.
  explicit AnalysisJob(const plugin::PluginHost& host, QObject* parent = nullptr);
  ~AnalysisJob() override;

  /// Stops what runs and starts this.
  void start(std::shared_ptr<trace::TraceStore> store, plugin::AnalysisRequest request);
  void cancel();
  [[nodiscard]] bool running() const { return m_running; }

 Q_SIGNALS:
  void progressed(const QString& text, qlonglong done, qlonglong total);  ///< at most every 50 ms
  void partialReady(std::shared_ptr<const analysis::AnalysisResult> result);
  void finished(std::shared_ptr<const analysis::AnalysisResult> result);
  void failed(const QString& text);

 private:
  /// Runs `action` later on the GUI thread, unless the work of this number is no longer wanted.
  template <class Action>
  void deliver(int number, Action action);

  const plugin::PluginHost& m_host;
  std::jthread m_thread;
  std::vector<std::jthread> m_stopping;  // cancelled, and perhaps still at work
  int m_number = 0;
  bool m_running = false;
};

}  // namespace moescope::views
