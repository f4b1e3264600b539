// ChatMode: a conversation beside the chat template of the loaded model: turns, the filled template on
// demand, and what the template says against them. Not for sampling and not for running.
#pragma once

#include <QWidget>

#include <memory>
#include <optional>

#include "views/panels/prompt/conversation.h"

class QPlainTextEdit;
class QStackedWidget;
class QTimer;

namespace moescope::views {

class ChatTurns;
class ErrorBar;
class QueryRunner;
class TextLabel;
class ViewContext;

/// GUI thread only. A template is filled off it while turns are edited, as templates come from strangers.
class ChatMode : public QWidget {
  Q_OBJECT

 public:
  explicit ChatMode(ViewContext& context, QWidget* parent = nullptr);
  ~ChatMode() override;

  /// Why there is no chatting now; empty where the loaded model has a template, be it a broken one.
  [[nodiscard]] QString unavailable() const;
  /// What Generate sends. Errors: those of fillTemplate, and why the template cannot be read.
  [[nodiscard]] Result<FilledPrompt> filled() const;
  [[nodiscard]] ChatTurns& turns() const { return *m_turns; }
  void setTurns(const std::vector<ChatTurn>& turns);
  void setReadOnly(bool on);
  void endAnswer();
  void showProblem(const Error& error);  ///< what the template says, beside the turns
  void showPreview(bool on);
  void focusEditor();

 Q_SIGNALS:
  void availabilityChanged();

 private:
  using Template = std::shared_ptr<const Result<chat::ChatTemplate>>;

  void readTemplate();
  void refresh();
  void showFilled(const Result<FilledPrompt>& filled);

  ViewContext& m_context;
  ErrorBar* m_problem;
  QStackedWidget* m_pages;
  ChatTurns* m_turns;
  TextLabel* m_previewHead;
  QPlainTextEdit* m_preview;
  QTimer* m_pause;  // while somebody types
  QueryRunner* m_query;
  Template m_template;  // null without a model, or if it has none
};

}  // namespace moescope::views
