// Built-in plug-ins: the list that CMake makes from the folders of plugins/.
// Not for plug-ins that are opened as shared objects (core/plugin/plugin_host.h).
#pragma once

#include <vector>

#include "core/plugin/plugin_host.h"

namespace moescope::plugin {

const std::vector<BuiltInPlugin>& builtInPlugins();

}  // namespace moescope::plugin
