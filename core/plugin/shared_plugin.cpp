#include "core/plugin/shared_plugin.h"

#include <dlfcn.h>

namespace moescope::plugin {

Result<PluginEntry> openSharedPlugin(const std::filesystem::path& file, const std::string& id) {
  // A path with a slash is taken as it is, never looked up in the system's folders.
  const auto path = std::filesystem::absolute(file);
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    return fail("plugin.cannot_load", file.string(), "",
                std::string("cannot be loaded: ") + (reason != nullptr ? reason : "no reason given"),
                "build the plug-in for this MoEScope");
  }
  const std::string symbol = "moescope_plugin_" + id;
  void* const entry = ::dlsym(library, symbol.c_str());
  if (entry == nullptr) {
    return fail("plugin.no_entry", file.string(), "", "the plug-in has no function " + symbol,
                "write MOESCOPE_PLUGIN(" + id + ") in one of its sources");
  }
  return reinterpret_cast<PluginEntry>(entry);
}

}  // namespace moescope::plugin
