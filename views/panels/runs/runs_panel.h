// RunsPanel: the runs of the open file, their settings and notes. Not for comparing runs.
#pragma once

#include <QWidget>

#include <memory>

#include "core/trace/trace_store.h"

class QAction;
class QModelIndex;
class QFormLayout;
class QLineEdit;
class QListView;
class QPlainTextEdit;
class QSortFilterProxyModel;
class QStackedWidget;
class QTimer;

namespace moescope::views {

class QueryRunner;
class RunListModel;
class TextLabel;
class ViewContext;

/// GUI thread only. Selecting a row selects the run for all panels.
class RunsPanel : public QWidget {
  Q_OBJECT

 public:
  explicit RunsPanel(ViewContext& context, QWidget* parent = nullptr);
  ~RunsPanel() override;

  [[nodiscard]] RunListModel& model() const { return *m_model; }

 Q_SIGNALS:
  void saveCopyRequested();
  void failed(const QString& text);

 private:
  QWidget* makeList();
  QWidget* makeDetails();
  void followSelection();
  void runSelected();
  void toggleSeries(const QModelIndex& index);
  /// Whether a run of the series of this row of the model is being recorded.
  [[nodiscard]] bool isLive(const QModelIndex& series) const;
  void refreshDetails();
  /// What the recorded programs say needs the file, which the GUI thread does not read.
  void askForSteering(const trace::RunRecord& record);
  void deleteRow();
  void deleteRun();
  void deleteSeries();
  void showNotes(trace::RunId run);
  void saveNotes();

  ViewContext& m_context;
  std::optional<trace::RunId> m_followed;     // the run whose row was shown last
  std::optional<trace::RunId> m_steeringRun;  // the run whose steering is shown or asked for
  QueryRunner* m_steering = nullptr;
  RunListModel* m_model = nullptr;
  QSortFilterProxyModel* m_filtered = nullptr;
  QStackedWidget* m_pages = nullptr;
  QLineEdit* m_filter = nullptr;
  QListView* m_list = nullptr;
  TextLabel* m_noMatch = nullptr;
  QWidget* m_details = nullptr;
  QFormLayout* m_rows = nullptr;
  QPlainTextEdit* m_notes = nullptr;
  TextLabel* m_fileSize = nullptr;
  // Notes are written when the typing pauses, to the run and the file that they were typed for.
  QTimer* m_notesTimer = nullptr;
  std::shared_ptr<trace::TraceStore> m_notesStore;
  trace::RunId m_notesRun = 0;
  bool m_notesTyped = false;
};

}  // namespace moescope::views
