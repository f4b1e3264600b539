#include "app/window/plugin_dock.h"

#include <QEvent>
#include <QTimer>

#include "app/window/dock_title.h"
#include "views/api/panel_widgets.h"
#include "views/api/view_factory.h"

namespace moescope::app {

namespace {

constexpr const char* kFailed = "plugin.failed";

}  // namespace

PluginDock::PluginDock(const plugin::PluginHost::View& view, views::ViewContext& context, QWidget* parent)
    : QDockWidget(QString::fromStdString(view.info.label), parent), m_view(view), m_context(context) {
  // Layouts are saved by this name; no panel of the window has the prefix.
  setObjectName(QStringLiteral("plugin_") + QString::fromStdString(view.info.id));
  setTitleBarWidget(new DockTitle(this));
  auto* notYet = new QWidget;
  notYet->setMinimumSize(1, 1);  // without a title bar a dock of nothing would have a negative size
  // What lies behind another tab is visible to Qt, but is not painted.
  notYet->installEventFilter(this);
  setWidget(notYet);
}

bool PluginDock::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::Paint && watched == widget() && !m_queued) {
    m_queued = true;
    // Not in the middle of painting, and only if it is still in front then.
    QTimer::singleShot(0, this, [this] {
      m_queued = false;
      if (!m_made && !visibleRegion().isEmpty()) makePanel();
    });
  }
  return QDockWidget::eventFilter(watched, event);
}

void PluginDock::makePanel() {
  if (m_made) return;
  m_made = true;
  auto made = m_view.guard->call(kFailed, [this]() -> Result<std::unique_ptr<QWidget>> {
    auto* factory = dynamic_cast<views::ViewFactory*>(m_view.part);
    auto panel = factory != nullptr ? factory->create(m_context) : nullptr;
    if (panel == nullptr) return fail(kFailed, "", m_view.info.id, "the plug-in made no panel", "");
    return panel;
  });
  if (!made) {
    showReason(made.error());
    return;
  }
  delete widget();
  setWidget(made->release());
}

std::vector<views::NamedFigure> PluginDock::figures() const {
  auto* source = dynamic_cast<views::FigureSource*>(widget());
  if (source == nullptr) return {};
  auto list = m_view.guard->call(kFailed, [&]() -> Result<std::vector<views::NamedFigure>> {
    auto figures = source->figures();
    for (views::NamedFigure& one : figures) {
      one.figure = [guard = m_view.guard, make = std::move(one.figure)] {
        return guard->call(kFailed, make);
      };
    }
    return figures;
  });
  return list.value_or(std::vector<views::NamedFigure>{});
}

void PluginDock::stop(const QString& what) {
  const Error reason = m_view.guard->switchOff(kFailed, what.toStdString());
  // Not now: the panel is still in the middle of its event.
  QTimer::singleShot(0, this, [this, reason] { showReason(reason); });
}

void PluginDock::showReason(const Error& reason) {
  QWidget* before = widget();
  setWidget(new views::EmptyState(QStringLiteral("warning"), tr("%1 was stopped").arg(windowTitle()),
                                  QString::fromStdString(reason.text())));
  delete before;
}

}  // namespace moescope::app
