// The plug-ins of this program: built-in ones and those of the folders, loaded once, when first asked for.
// Not for what they are (core/plugin/plugin_host.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/plugin/plugin_host.h"

namespace moescope::app {

/// Loads them at the first call, then always gives the same host; `folders` (--plugins) counts at the first.
/// One thread. It lives until the program ends.
plugin::PluginHost& plugins(const std::vector<std::string>& folders = {});

/// From now on checkpoints find the adapters of the plug-ins, which are loaded when a model_type asks for
/// them.
void offerAdapters(const std::vector<std::string>& folders);

}  // namespace moescope::app
