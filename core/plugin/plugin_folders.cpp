#include "core/plugin/plugin_folders.h"

#include <cstdlib>
#include <sstream>
#include <string>

namespace moescope::plugin {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::vector<PluginFolder> pluginFolders(const std::filesystem::path& programFolder,
                                        const std::vector<std::filesystem::path>& more) {
  std::vector<PluginFolder> folders{{(programFolder / "../lib/moescope/plugins").lexically_normal(), false}};
  if (const std::string data = environment("XDG_DATA_HOME"); !data.empty()) {
    folders.push_back({std::filesystem::path(data) / "moescope/plugins", false});
  } else if (const std::string home = environment("HOME"); !home.empty()) {
    folders.push_back({std::filesystem::path(home) / ".local/share/moescope/plugins", false});
  }
  std::istringstream named(environment("MOESCOPE_PLUGINS"));
  for (std::string folder; std::getline(named, folder, ':');) {
    if (!folder.empty()) folders.push_back({folder, true});
  }
  for (const auto& folder : more) folders.push_back({folder, true});
  return folders;
}

}  // namespace moescope::plugin
