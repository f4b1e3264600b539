// AnalysisDialog: every analysis that the program has, with its parameters, run off the GUI thread and shown
// as tables. Not modal, and not for the pictures of one analysis (its own panel).
#pragma once

#include <QDialog>

#include <map>

#include "core/plugin/analysis_runner.h"

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QStackedWidget;

namespace moescope::views {

class AnalysisJob;
class ErrorBar;
class ResultView;
class TextLabel;
class ViewContext;

/// GUI thread only. Deletes itself when it is closed; closing stops what runs.
class AnalysisDialog : public QDialog {
  Q_OBJECT

 public:
  /// `host` outlives the dialog.
  AnalysisDialog(ViewContext& context, const plugin::PluginHost& host, QWidget* parent = nullptr);
  ~AnalysisDialog() override;

  /// Empty until something has been computed.
  [[nodiscard]] std::shared_ptr<const analysis::AnalysisResult> result() const;
  [[nodiscard]] bool running() const;

 private:
  QWidget* makeFormSide();
  QWidget* makeResultSide();
  void connectJob();
  void showForm();     ///< of the chosen analysis
  void refreshRuns();  ///< of the open trace
  void chooseCheckpoint();
  void run();
  void stop();
  void refreshButtons();
  [[nodiscard]] const analysis::AnalysisInfo* info() const;
  [[nodiscard]] plugin::AnalysisRequest request() const;

  ViewContext& m_context;
  const plugin::PluginHost& m_host;
  AnalysisJob* m_job;
  ErrorBar* m_error = nullptr;
  QComboBox* m_analysis = nullptr;
  TextLabel* m_summary = nullptr;
  QFormLayout* m_form = nullptr;
  QComboBox* m_runs = nullptr;
  QWidget* m_checkpointRow = nullptr;
  QLineEdit* m_checkpoint = nullptr;
  std::map<std::string, QLineEdit*> m_parameters;
  int m_fixedRows = 0;  ///< of the form, above the parameters
  QPushButton* m_run = nullptr;
  QPushButton* m_cancel = nullptr;
  QLabel* m_activity = nullptr;
  QProgressBar* m_progress = nullptr;
  QStackedWidget* m_pages = nullptr;
  ResultView* m_result = nullptr;
};

}  // namespace moescope::views
