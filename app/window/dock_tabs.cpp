#include "app/window/dock_tabs.h"

#include <QDockWidget>
#include <QEvent>
#include <QMainWindow>
#include <QMenu>
#include <QTabBar>
#include <QTimer>
#include <QToolButton>

#include <algorithm>

#include "views/api/theme.h"

namespace moescope::app {

namespace {

constexpr int kButton = 22;
constexpr int kButtonMargin = 4;
constexpr int kAway = 500;

}  // namespace

DockTabs::DockTabs(QMainWindow* window) : QObject(window), m_window(window) {}

void DockTabs::watch(QDockWidget* dock) {
  auto* none = new QWidget(dock);
  none->setFixedHeight(0);
  none->hide();
  m_titles[dock] = {dock->titleBarWidget(), none};
  connect(dock, &QDockWidget::visibilityChanged, this, &DockTabs::refreshSoon);
  connect(dock, &QDockWidget::topLevelChanged, this, &DockTabs::refreshSoon);
  connect(dock, &QDockWidget::dockLocationChanged, this, &DockTabs::refreshSoon);
}

void DockTabs::refreshSoon() {
  if (m_queued) return;
  m_queued = true;
  // After the window has laid its docks out.
  QTimer::singleShot(0, this, [this] {
    m_queued = false;
    refresh();
  });
}

bool DockTabs::isTabbed(QDockWidget* dock) const {
  if (dock->isFloating() || dock->isHidden()) return false;
  const auto others = m_window->tabifiedDockWidgets(dock);
  return std::ranges::any_of(
      others, [](const QDockWidget* other) { return !other->isHidden() && !other->isFloating(); });
}

void DockTabs::refresh() {
  for (const auto& [dock, titles] : m_titles) {
    QWidget* wanted = isTabbed(dock) ? titles.none : titles.own;
    if (dock->titleBarWidget() == wanted) continue;
    dock->titleBarWidget()->hide();
    dock->setTitleBarWidget(wanted);
    wanted->show();
  }
  for (auto* bar : m_window->findChildren<QTabBar*>(QString(), Qt::FindDirectChildrenOnly)) equip(bar);
}

void DockTabs::equip(QTabBar* bar) {
  if (!m_buttons.contains(bar)) {
    auto* button = new QToolButton(bar);
    button->setObjectName(QStringLiteral("float"));
    button->setIcon(views::themeIcon(QStringLiteral("float")));
    button->setAutoRaise(true);
    button->setFixedSize(kButton, kButton);
    button->setToolTip(tr("Float this panel"));
    button->setAccessibleName(tr("Float this panel"));
    button->setFocusPolicy(Qt::NoFocus);
    connect(button, &QToolButton::clicked, this, [this, bar] {
      if (auto* dock = dockOf(*bar, bar->currentIndex())) dock->setFloating(true);
    });
    bar->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(bar, &QWidget::customContextMenuRequested, this, [this, bar](QPoint at) { openMenu(bar, at); });
    connect(bar, &QObject::destroyed, this, [this, bar] { m_buttons.erase(bar); });
    bar->installEventFilter(this);
    m_buttons[bar] = button;
  }
  placeButton(bar);
}

void DockTabs::placeButton(QTabBar* bar) const {
  // A bar that is not in use stays where it was last, over the panel that is there now.
  if (bar->count() < 2) bar->move(-2 * bar->width() - kAway, -2 * bar->height() - kAway);
  QToolButton* button = m_buttons.at(bar);
  const int right = bar->count() > 0 ? bar->tabRect(bar->count() - 1).right() : 0;
  button->move(bar->width() - kButton - kButtonMargin, (bar->height() - kButton) / 2);
  button->setVisible(bar->count() > 1 && button->x() > right);  // tabs come first
  button->raise();
}

bool DockTabs::eventFilter(QObject* watched, QEvent* event) {
  const bool moved = event->type() == QEvent::Resize || event->type() == QEvent::LayoutRequest ||
                     event->type() == QEvent::Show;
  if (moved) {
    if (auto* bar = qobject_cast<QTabBar*>(watched); bar != nullptr && m_buttons.contains(bar))
      placeButton(bar);
  }
  return QObject::eventFilter(watched, event);
}

QDockWidget* DockTabs::dockOf(const QTabBar& bar, int tab) const {
  for (const auto& [dock, titles] : m_titles) {
    if (tab >= 0 && dock->windowTitle() == bar.tabText(tab) && !dock->isFloating()) return dock;
  }
  return nullptr;
}

void DockTabs::openMenu(QTabBar* bar, QPoint at) {
  QDockWidget* dock = dockOf(*bar, bar->tabAt(at));
  if (dock == nullptr) return;
  auto* menu = new QMenu(bar);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addAction(views::themeIcon(QStringLiteral("float")), tr("Float %1").arg(dock->windowTitle()), dock,
                  [dock] { dock->setFloating(true); });
  menu->addAction(views::themeIcon(QStringLiteral("close")), tr("Close %1").arg(dock->windowTitle()), dock,
                  &QWidget::close);
  menu->popup(bar->mapToGlobal(at));
}

}  // namespace moescope::app
