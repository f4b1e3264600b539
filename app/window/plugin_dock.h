// PluginDock: the dock of a panel from a plug-in; the panel is made when it is first seen, and taken away
// when its plug-in throws. Not for the window's own panels.
#pragma once

#include <QDockWidget>

#include <vector>

#include "core/plugin/plugin_host.h"
#include "views/api/figure_source.h"

namespace moescope::views {
class ViewContext;
}

namespace moescope::app {

/// GUI thread only.
class PluginDock : public QDockWidget {
  Q_OBJECT

 public:
  PluginDock(const plugin::PluginHost::View& view, views::ViewContext& context, QWidget* parent);

  /// What the panel can export now; empty if it has no pictures or was not made yet.
  [[nodiscard]] std::vector<views::NamedFigure> figures() const;
  /// The panel threw `what` in an event: it is replaced by a note, and its plug-in switched off.
  void stop(const QString& what);

 private:
  bool eventFilter(QObject* watched, QEvent* event) override;
  void makePanel();
  void showReason(const Error& reason);

  plugin::PluginHost::View m_view;
  views::ViewContext& m_context;
  bool m_queued = false;  // the panel will be made
  bool m_made = false;
};

}  // namespace moescope::app
