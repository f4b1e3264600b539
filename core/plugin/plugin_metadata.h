// PluginMetadata: what a plug-in says of itself in plugin.json, which is read before any of its code.
// Not for loading the code (shared_plugin.h).
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace moescope::plugin {

struct PluginMetadata {
  std::string id;  ///< "co_activation": letter, then letters, digits and underscores, all lower case
  std::string name, version, description;
  int api = 0;
  std::set<std::string> interfaces;  ///< of "analysis", "exporter", "view", "adapter"
};

/// Reads plugin.json. "api" is looked at first: a file of another API may have other keys. `file` is named
/// in errors. Errors: `plugin.bad_metadata`, `plugin.other_api`.
Result<PluginMetadata> pluginMetadata(std::string_view json, const std::string& file);

}  // namespace moescope::plugin
