// Plug-in folders: where plug-ins are looked for, in this order. Not for reading them (plugin_host.h).
#pragma once

#include <filesystem>
#include <vector>

namespace moescope::plugin {

struct PluginFolder {
  std::filesystem::path path;
  bool named = false;  ///< by a person: it has to be there
};

/// PREFIX/lib/moescope/plugins beside `programFolder` (PREFIX/bin), moescope/plugins in $XDG_DATA_HOME or
/// ~/.local/share, the folders of $MOESCOPE_PLUGINS (with colons between them), then `more` (--plugins).
std::vector<PluginFolder> pluginFolders(const std::filesystem::path& programFolder,
                                        const std::vector<std::filesystem::path>& more);

}  // namespace moescope::plugin
