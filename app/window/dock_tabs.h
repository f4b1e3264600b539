// DockTabs: docks that lie behind each other: they lose their title bars, whose work the bar of tabs takes
// over. Not for where docks lie (the main window's layouts).
#pragma once

#include <QObject>

#include <map>

class QDockWidget;
class QMainWindow;
class QTabBar;
class QToolButton;

namespace moescope::app {

/// GUI thread only. Watches the docks that it is given; a bar of tabs gets a button to float the current one
/// and a menu for each.
class DockTabs : public QObject {
  Q_OBJECT

 public:
  explicit DockTabs(QMainWindow* window);

  /// A dock with its title bar for when it stands alone.
  void watch(QDockWidget* dock);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Titles {
    QWidget* own = nullptr;
    QWidget* none = nullptr;
  };
  void refreshSoon();
  void refresh();
  [[nodiscard]] bool isTabbed(QDockWidget* dock) const;
  void equip(QTabBar* bar);
  void placeButton(QTabBar* bar) const;
  void openMenu(QTabBar* bar, QPoint at);
  [[nodiscard]] QDockWidget* dockOf(const QTabBar& bar, int tab) const;

  QMainWindow* m_window;
  std::map<QDockWidget*, Titles> m_titles;
  std::map<QTabBar*, QToolButton*> m_buttons;
  bool m_queued = false;
};

}  // namespace moescope::app
