// ModelPanel: what is loaded and how much memory it takes. Not for choosing a model's files.
#pragma once

#include <QWidget>

#include "views/api/progress_pace.h"

class QFormLayout;
class QProgressBar;
class QPushButton;
class QScrollArea;
class QStackedWidget;

namespace moescope::views {

class ErrorBar;
class TextLabel;
class ViewContext;

/// GUI thread only.
class ModelPanel : public QWidget {
  Q_OBJECT

 public:
  explicit ModelPanel(ViewContext& context, QWidget* parent = nullptr);

  void showError(const QString& text);

 Q_SIGNALS:
  void changeRequested();  ///< another device, dtype or number of threads
  void unloadRequested();

 private:
  QWidget* makeLoadedPage();
  QWidget* makeLoadingPage();
  void refresh();
  void refreshLoaded();
  void refreshLoading();
  void setRow(int row, const QString& value);
  void setRow(QFormLayout* rows, int row, const QString& value);

  ViewContext& m_context;
  ErrorBar* m_error = nullptr;
  QStackedWidget* m_pages = nullptr;
  QScrollArea* m_scroll = nullptr;  // around the page of a loaded model
  TextLabel* m_name = nullptr;
  QFormLayout* m_rows = nullptr;
  QFormLayout* m_architecture = nullptr;
  QProgressBar* m_memoryBar = nullptr;
  TextLabel* m_memoryParts = nullptr;
  TextLabel* m_contextSize = nullptr;
  TextLabel* m_warnings = nullptr;
  QProgressBar* m_loadBar = nullptr;
  TextLabel* m_loadText = nullptr;
  TextLabel* m_loadLeft = nullptr;
  ProgressPace m_pace;
};

}  // namespace moescope::views
