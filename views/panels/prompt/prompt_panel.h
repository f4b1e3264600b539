// PromptPanel: the prompt, the text as it is written, and the sampler's settings.
// Not for running; the main window's actions do that.
#pragma once

#include <QWidget>

#include "core/engine/generation/generation.h"

class QAction;
class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLineEdit;
class QProgressBar;
class QSpinBox;
class QTextEdit;

namespace moescope::views {

class TextLabel;
class ViewContext;

struct PromptActions {
  QAction* generate = nullptr;
  QAction* stop = nullptr;
  QAction* step = nullptr;
  QAction* resume = nullptr;
};

/// Bytes that one token adds to a trace at a capture level, from the model's routers.
std::int64_t captureBytesPerToken(const std::vector<RouterSpec>& routers, trace::CaptureLevel level);

QString captureName(trace::CaptureLevel level);
/// The level that a window starts with; kept in the settings.
[[nodiscard]] trace::CaptureLevel defaultCapture();
void setDefaultCapture(trace::CaptureLevel level);

/// GUI thread only. The prompt is what stands before the generated part; an edit in the generated part
/// makes all of the text the next prompt.
class PromptPanel : public QWidget {
  Q_OBJECT

 public:
  PromptPanel(ViewContext& context, const PromptActions& actions, QWidget* parent = nullptr);

  [[nodiscard]] engine::GenerationSettings settings();  ///< draws a new seed unless it is kept
  [[nodiscard]] QString prompt() const;
  void setPrompt(const QString& text);
  void setCapture(trace::CaptureLevel level);
  void showError(const QString& text);
  void focusEditor();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  QWidget* makeEditorSide(const PromptActions& actions);
  QWidget* makeSettingsSide();
  QWidget* makeMoreSettings();
  void generationStarted();
  void appendToken(const QString& text, bool prompt);
  void refreshState();
  void refreshCaptureSizes();
  void textEdited();

  ViewContext& m_context;
  QTextEdit* m_editor = nullptr;
  QWidget* m_pace = nullptr;
  QProgressBar* m_progress = nullptr;
  TextLabel* m_count = nullptr;
  TextLabel* m_rate = nullptr;
  TextLabel* m_left = nullptr;
  QDoubleSpinBox* m_temperature = nullptr;
  QDoubleSpinBox* m_topP = nullptr;
  QDoubleSpinBox* m_minP = nullptr;
  QDoubleSpinBox* m_repetition = nullptr;
  QSpinBox* m_topK = nullptr;
  QSpinBox* m_seed = nullptr;
  QCheckBox* m_keepSeed = nullptr;
  QSpinBox* m_maxTokens = nullptr;
  QLineEdit* m_stopStrings = nullptr;
  QCheckBox* m_ignoreEnd = nullptr;
  QComboBox* m_capture = nullptr;
  class ErrorBar* m_error = nullptr;
  int m_promptLength = 0;  // characters of the document that are the prompt
  bool m_writing = false;  // the document is changed by the program
};

}  // namespace moescope::views
