// DockTitle: the title bar of a dock: name, a short summary, float and close. Dragging and double-clicking
// it are QDockWidget's own.
#pragma once

#include <QWidget>

class QDockWidget;

namespace moescope::views {
class TextLabel;
}

namespace moescope::app {

class DockTitle : public QWidget {
  Q_OBJECT

 public:
  explicit DockTitle(QDockWidget* dock);

  void setSummary(const QString& summary);

 private:
  views::TextLabel* m_summary;
};

}  // namespace moescope::app
