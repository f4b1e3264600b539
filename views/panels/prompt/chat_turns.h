// ChatTurns: the turns of a conversation as a list that is edited, moved and written to.
// Not for what a model makes of them (chat_mode.h).
#pragma once

#include <QScrollArea>

#include <optional>
#include <utility>
#include <vector>

#include "views/panels/prompt/conversation.h"

class QVBoxLayout;

namespace moescope::views {

class TurnRow;

/// Never without a turn. Alt+Up, Alt+Down, Alt+Delete and Alt+Insert move, remove and add turns; Ctrl+Z
/// brings the turn back that was removed last. GUI thread only.
class ChatTurns : public QScrollArea {
  Q_OBJECT

 public:
  explicit ChatTurns(QWidget* parent = nullptr);

  [[nodiscard]] std::vector<ChatTurn> turns() const;
  void setTurns(const std::vector<ChatTurn>& turns);  ///< emits nothing
  void setReadOnly(bool on);

  /// A new turn behind the one with the focus, else at the end; it gets the focus.
  void addTurn();
  /// Drops what is not sent and opens the turn that the model writes.
  void beginAnswer();
  void appendAnswer(const QString& text);
  /// The user's turn comes next.
  void endAnswer();
  void focusLast();

 Q_SIGNALS:
  void changed();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  TurnRow* insertRow(int index, const ChatTurn& turn);
  void dropRow(int index);
  void move(TurnRow* row, int step);
  void remove(TurnRow* row);
  void restore();
  void refreshPlaces();
  void follow();
  void showCursor(const TurnRow* row);
  [[nodiscard]] int indexOf(const TurnRow* row) const;
  [[nodiscard]] int focusedRow() const;  ///< -1 if none

  QVBoxLayout* m_column;
  std::vector<TurnRow*> m_rows;
  TurnRow* m_answer = nullptr;                        // written by the model, or written last
  std::optional<std::pair<int, ChatTurn>> m_removed;  // until something else is changed
  bool m_readOnly = false;
  bool m_follows = false;  // the end stays in sight while an answer is written
};

}  // namespace moescope::views
