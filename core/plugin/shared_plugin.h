// Shared plug-ins: opening a plug-in's shared object and finding its entry function.
// Not for its metadata, which is read before (plugin_metadata.h).
#pragma once

#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace moescope::plugin {

class PluginRegistry;

using PluginEntry = void (*)(PluginRegistry&);

/// Opens `file` and returns moescope_plugin_ID. It stays open until the program ends: objects of the plug-in
/// may live that long. Errors: `plugin.cannot_load`, `plugin.no_entry`.
Result<PluginEntry> openSharedPlugin(const std::filesystem::path& file, const std::string& id);

}  // namespace moescope::plugin
