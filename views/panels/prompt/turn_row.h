// TurnRow: one turn of a conversation: role, text, and buttons to move and remove it.
// Not for the order of turns (chat_turns.h).
#pragma once

#include <QWidget>

#include "views/panels/prompt/conversation.h"

class QComboBox;
class QTextEdit;
class QToolButton;

namespace moescope::views {

/// As high as its text; the list around it scrolls. GUI thread only.
class TurnRow : public QWidget {
  Q_OBJECT

 public:
  explicit TurnRow(const ChatTurn& turn, QWidget* parent = nullptr);

  [[nodiscard]] ChatTurn turn() const;
  /// Text of the model, shown dimmer until somebody edits it.
  void appendGenerated(const QString& text);
  void setReadOnly(bool on);
  void setPlace(int index, int count);  ///< names it, and says which moves there are
  [[nodiscard]] QTextEdit* editor() const { return m_editor; }

 Q_SIGNALS:
  void changed();  ///< by the user
  void moveRequested(int step);
  void removeRequested();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  QToolButton* addButton(const char* name, const QString& icon, const QString& toolTip);
  void edited();
  void refreshButtons();

  QComboBox* m_role;
  QTextEdit* m_editor;
  QToolButton* m_up = nullptr;
  QToolButton* m_down = nullptr;
  QToolButton* m_remove = nullptr;
  int m_index = 0, m_count = 1;
  bool m_generated = false;
  bool m_readOnly = false;
  bool m_writing = false;  // the text is changed by the program
};

}  // namespace moescope::views
