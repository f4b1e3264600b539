// ViewFactory: the interface through which a plug-in gives the window a panel.
// Not for what a panel may use: that is ViewContext.
#pragma once

#include <memory>

#include "core/plugin/view_part.h"

class QWidget;

namespace moescope::views {

class ViewContext;

/// GUI thread only.
class ViewFactory : public plugin::ViewPart {
 public:
  /// Makes the panel; called once a window, when the panel is first shown. `context` outlives it. The title
  /// bar and the place are the window's. A panel that also is a FigureSource offers its figures for export.
  [[nodiscard]] virtual std::unique_ptr<QWidget> create(ViewContext& context) = 0;
};

}  // namespace moescope::views
