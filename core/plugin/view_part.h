// ViewPart: what the core knows of a panel that comes from a plug-in: its name. Not for making the panel
// (views/api/view_factory.h): the core sees no Qt.
#pragma once

#include <string>

namespace moescope::plugin {

struct ViewInfo {
  std::string id;       ///< "phases": lower case with underscores; the layout of the window is saved by it
  std::string label;    ///< "Phases": title of the dock and entry of the menu
  std::string summary;  ///< one sentence for the status bar and the tool tip
};

/// views::ViewFactory is the only class to derive from it.
class ViewPart {
 public:
  virtual ~ViewPart() = default;
  [[nodiscard]] virtual const ViewInfo& info() const = 0;
};

}  // namespace moescope::plugin
