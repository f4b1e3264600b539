// Segments: a choice of a few shown side by side as joined buttons. Not for commands.
#pragma once

#include <QStringList>
#include <QWidget>

class QButtonGroup;

namespace moescope::views {

class Segments : public QWidget {
  Q_OBJECT

 public:
  /// The first choice is checked.
  Segments(const QString& name, const QStringList& choices, QWidget* parent = nullptr);

  [[nodiscard]] int choice() const;
  void setChoice(int index);  ///< emits nothing

 Q_SIGNALS:
  void chosen(int index);

 private:
  QButtonGroup* m_group;
};

}  // namespace moescope::views
