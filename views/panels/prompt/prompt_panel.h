// PromptPanel: the prompt as a text or as a conversation, what is written to it, and the sampler's settings.
// Not for running; the main window's actions do that.
#pragma once

#include <QWidget>

#include "core/engine/generation/generation.h"
#include "views/panels/prompt/sampler_form.h"

class QAction;
class QLineEdit;
class QProgressBar;
class QStackedWidget;
class QTextEdit;
class QToolButton;

namespace moescope::views {

class ChatMode;
class ErrorBar;
class TextLabel;
class ViewContext;

struct PromptActions {
  QAction* generate = nullptr;
  QAction* stop = nullptr;
  QAction* step = nullptr;
  QAction* resume = nullptr;
};

/// GUI thread only. In Text the prompt is what stands before the generated part; an edit in the generated
/// part makes all of the text the next prompt. In Chat the model's template makes it of the turns, and the
/// answer becomes a turn.
class PromptPanel : public QWidget {
  Q_OBJECT

 public:
  PromptPanel(ViewContext& context, const PromptActions& actions, QWidget* parent = nullptr);

  /// What Generate runs, whose text then comes into the mode that is shown; draws a new seed unless it is
  /// kept. Errors: those of ChatMode::filled, for showRefused.
  [[nodiscard]] Result<engine::GenerationSettings> settings();
  [[nodiscard]] int maxTokens() const { return m_sampler->maxTokens(); }
  [[nodiscard]] QString prompt() const;  ///< of Text
  void setPrompt(const QString& text);
  void setCapture(trace::CaptureLevel level) { m_sampler->setCapture(level); }
  void showError(const QString& text);
  void showRefused(const Error& error);  ///< why there is nothing to generate from
  void clearError();                     ///< of what was tried before
  void focusEditor();

  /// Text, conversation and mode, kept in the settings; what is too long for them is left out.
  void save() const;
  void restore();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  QWidget* makeModes();
  QToolButton* addButton(QLayout& column, const char* name, const QString& text, const QString& toolTip);
  QWidget* makeEditorSide(const PromptActions& actions);
  QWidget* makePrefix();
  QLayout* makeButtons(const PromptActions& actions);
  void chooseMode(bool chat);
  void refreshMode();
  [[nodiscard]] bool isChat() const;
  [[nodiscard]] bool hasEncoder() const;
  void generationStarted();
  void appendToken(const QString& text, bool prompt);
  void refreshState();
  void textEdited();

  ViewContext& m_context;
  ErrorBar* m_error;
  QTextEdit* m_editor;
  ChatMode* m_chat;
  SamplerForm* m_sampler;
  QStackedWidget* m_pages = nullptr;
  QWidget* m_prefixRow = nullptr;  // of encoder-decoders
  QLineEdit* m_prefix = nullptr;
  QToolButton* m_textMode = nullptr;
  QToolButton* m_chatMode = nullptr;
  QToolButton* m_addTurn = nullptr;
  QToolButton* m_preview = nullptr;
  QWidget* m_pace = nullptr;
  QProgressBar* m_progress = nullptr;
  TextLabel* m_count = nullptr;
  TextLabel* m_rate = nullptr;
  TextLabel* m_left = nullptr;
  int m_promptLength = 0;       // characters of the document that are the prompt
  bool m_writing = false;       // the document is changed by the program
  bool m_wantsChat = false;     // chosen, whether the model can or not
  bool m_askedInChat = false;   // what Generate was asked for last
  bool m_writesToChat = false;  // where the tokens of the current generation go
  bool m_answering = false;     // an answer was begun and has not ended
  bool m_busy = false;
};

}  // namespace moescope::views
