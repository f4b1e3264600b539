#include "app/plugins.h"

#include "core/base/log.h"
#include "plugins/built_in_plugins.h"

namespace moescope::app {

plugin::PluginHost& plugins(const std::vector<std::string>& folders) {
  // Never destroyed: threads of plug-ins and of Qt may outlive main.
  static plugin::PluginHost* const host = [&] {
    auto* made = new plugin::PluginHost;
    made->load(plugin::builtInPlugins());
    std::error_code ignored;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    const std::vector<std::filesystem::path> more(folders.begin(), folders.end());
    for (const auto& folder : plugin::pluginFolders(program, more)) made->load(folder);
    return made;
  }();
  return *host;
}

void offerAdapters(const std::vector<std::string>& folders) {
  checkpoint::setAdapterSource([folders] {
    const plugin::PluginHost& host = plugins(folders);
    // Once: the family that is looked for may be in one of them.
    static const bool said = [&host] {
      for (const auto& failure : host.failures()) spdlog::warn("plug-in left out: {}", failure.reason.text());
      return true;
    }();
    (void)said;
    return host.adapters();
  });
}

}  // namespace moescope::app
