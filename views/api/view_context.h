// ViewContext: what a panel may use: the open trace, the live session, the selection, the steering
// program. Panels do not know each other.
#pragma once

#include <QElapsedTimer>
#include <QObject>

#include <memory>
#include <vector>

#include "core/steering/steering_program.h"
#include "core/trace/trace_store.h"

namespace moescope::plugin {
class PluginHost;
}

class QTimer;
class QUndoStack;

namespace moescope::engine {
class LiveSession;
struct LiveEvent;
}  // namespace moescope::engine

namespace moescope::views {

class SelectionModel;

/// The program being edited, with undo. GUI thread only; every change reaches the engine at once.
class SteeringDocument : public QObject {
  Q_OBJECT

 public:
  explicit SteeringDocument(QObject* parent = nullptr);
  ~SteeringDocument() override;

  [[nodiscard]] const steering::SteeringProgram& program() const { return m_program; }
  [[nodiscard]] bool masterOn() const { return m_masterOn; }
  [[nodiscard]] bool counterfactual() const { return m_counterfactual; }
  /// What the engine gets: the program, or an empty one while the master switch is off.
  [[nodiscard]] steering::SteeringProgram effectiveProgram() const;
  [[nodiscard]] QUndoStack* undoStack() const { return m_undoStack.get(); }

  /// One undo step named `title`; edits with the same non-zero `mergeId` that follow each other merge.
  void edit(steering::SteeringProgram program, const QString& title, int mergeId = 0);
  void setMasterOn(bool on);
  void setCounterfactual(bool on);

 Q_SIGNALS:
  void programChanged();  ///< program, master switch or mode

 private:
  friend class ProgramEdit;
  void apply(const steering::SteeringProgram& program);

  steering::SteeringProgram m_program;
  bool m_masterOn = true;
  bool m_counterfactual = false;
  std::unique_ptr<QUndoStack> m_undoStack;
};

/// GUI thread only. Owned by the main window; outlives the panels.
class ViewContext : public QObject {
  Q_OBJECT

 public:
  ViewContext(std::shared_ptr<engine::LiveSession> session, QObject* parent = nullptr);
  ~ViewContext() override;

  [[nodiscard]] SelectionModel& selection() const { return *m_selection; }
  [[nodiscard]] SteeringDocument& steering() const { return *m_steering; }
  [[nodiscard]] engine::LiveSession& session() const { return *m_session; }
  [[nodiscard]] std::shared_ptr<trace::TraceStore> store() const { return m_store; }  ///< may be null
  void setStore(std::shared_ptr<trace::TraceStore> store);

  /// Whose analyses panels run (core/plugin/analysis_runner.h); null in tests that have none.
  [[nodiscard]] const plugin::PluginHost* plugins() const { return m_plugins; }
  void setPlugins(const plugin::PluginHost* plugins) { m_plugins = plugins; }  ///< outlives the panels

  /// True while `run` is being written. A finished text that can still be continued is not live.
  [[nodiscard]] bool isLive(trace::RunId run) const;

 Q_SIGNALS:
  void storeReplaced();
  /// Merged store events, at most every 33 ms: rows or records of these runs changed.
  void runsChanged();
  void rowsChanged(qlonglong run);
  void recordingFailed(const QString& text);
  // From the live session, on the GUI thread.
  void liveStateChanged();
  void modelChanged();
  void generationStarted();
  void tokenAppended(const QString& text, bool prompt);
  void effectsChanged();
  void runSwitched(qlonglong run);
  void sessionFailed(const QString& text);

 private:
  struct Pending;
  void flushEvents();
  void deliver(const std::vector<engine::LiveEvent>& events);

  std::shared_ptr<engine::LiveSession> m_session;
  std::shared_ptr<trace::TraceStore> m_store;
  const plugin::PluginHost* m_plugins = nullptr;
  int m_subscription = 0;
  SelectionModel* m_selection;
  SteeringDocument* m_steering;
  std::shared_ptr<Pending> m_pending;
  QTimer* m_flushTimer;
  QElapsedTimer m_sinceFlush;
};

}  // namespace moescope::views
