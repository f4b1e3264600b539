// EditPopup: a small window under a button with a few fields, a line that says what is wrong with them, and
// Apply. Not modal; the first Esc or a click elsewhere closes it without a change.
#pragma once

#include <QFrame>

#include <functional>

class QFormLayout;
class QLineEdit;
class QPushButton;

namespace moescope::views {

class TextLabel;

class EditPopup : public QFrame {
  Q_OBJECT

 public:
  explicit EditPopup(const QString& title, QWidget* parent);

  void addField(const QString& label, QWidget* field);
  /// A line edit whose changes are checked.
  QLineEdit* addLine(const QString& label, const QString& text, const QString& placeholder);
  /// One sentence on what is wrong, or empty; asked at every change.
  void setCheck(std::function<QString()> check);
  /// What Apply does; called with valid fields only.
  void setApply(const QString& verb, std::function<void()> apply);
  /// Runs the check again: a field changed.
  void recheck();
  /// Shows it under `anchor`, the first field focused; it deletes itself when it is closed.
  void showUnder(QWidget* anchor);

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void applyIfValid();

  QFormLayout* m_fields;
  TextLabel* m_problem;
  QPushButton* m_apply;
  QWidget* m_first = nullptr;
  std::function<QString()> m_check;
  std::function<void()> m_applied;
};

}  // namespace moescope::views
