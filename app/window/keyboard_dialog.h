// KeyboardDialog: the keys of all commands, to read and to change. Not for keys inside pictures, which are
// listed only.
#pragma once

#include <QDialog>
#include <QKeySequence>
#include <QList>

class QAction;
class QKeySequenceEdit;
class QPushButton;
class QTableWidget;

namespace moescope::views {
class TextLabel;
}

namespace moescope::app {

/// Gives an action its name in the settings and its keys: those that the user chose, or `keys`.
void nameAction(QAction& action, const QString& name, const QKeySequence& keys);

class KeyboardDialog : public QDialog {
  Q_OBJECT

 public:
  /// `actions` are those that nameAction() was called for.
  explicit KeyboardDialog(const QList<QAction*>& actions, QWidget* parent = nullptr);

 private:
  void addRow(const QString& command, const QString& keys);
  void showRow();
  void change(const QKeySequence& keys);
  void resetAll();

  QList<QAction*> m_actions;
  QTableWidget* m_table;
  QKeySequenceEdit* m_keys;
  QPushButton* m_reset;
  views::TextLabel* m_conflict;
};

}  // namespace moescope::app
