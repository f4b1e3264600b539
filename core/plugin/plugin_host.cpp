#include "core/plugin/plugin_host.h"

#include <algorithm>
#include <set>

#include "core/base/mapped_file.h"
#include "core/plugin/guarded_parts.h"

namespace moescope::plugin {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostMetadataBytes = 64 << 10;

/// Keeps what an entry function gives.
class Collector : public PluginRegistry {
 public:
  void add(std::unique_ptr<analysis::Analysis> analysis) override { keep(m_analyses, std::move(analysis)); }
  void add(std::unique_ptr<figure::Exporter> exporter) override { keep(m_exporters, std::move(exporter)); }
  void add(std::unique_ptr<ViewPart> view) override { keep(m_views, std::move(view)); }
  void add(std::unique_ptr<checkpoint::ModelAdapter> adapter) override {
    keep(m_adapters, std::move(adapter));
  }

  std::vector<std::unique_ptr<analysis::Analysis>> m_analyses;
  std::vector<std::unique_ptr<figure::Exporter>> m_exporters;
  std::vector<std::unique_ptr<ViewPart>> m_views;
  std::vector<std::unique_ptr<checkpoint::ModelAdapter>> m_adapters;

 private:
  template <class Part>
  static void keep(std::vector<std::unique_ptr<Part>>& parts, std::unique_ptr<Part> part) {
    if (part) parts.push_back(std::move(part));
  }
};

template <class Parts>
std::string known(const Parts& parts) {
  std::string text;
  for (const auto* part : parts) text += (text.empty() ? "" : ", ") + part->info().id;
  return text.empty() ? "there are none" : "known are " + text;
}

template <class Parts>
auto find(const Parts& parts, const std::string& id) {
  return std::find_if(parts.begin(), parts.end(), [&](const auto* part) { return part->info().id == id; });
}

}  // namespace

struct PluginHost::Plugin {
  PluginMetadata metadata;
  std::string file;
  PluginGuard guard;
  // Below the guard: they refer to it.
  std::vector<std::unique_ptr<analysis::Analysis>> analyses;
  std::vector<std::unique_ptr<figure::Exporter>> exporters;
  std::vector<std::unique_ptr<ViewPart>> views;
  std::vector<ViewInfo> viewInfos;
  checkpoint::AdapterList adapters;

  Plugin(PluginMetadata given, std::string from)
      : metadata(std::move(given)), file(std::move(from)), guard(metadata.id, file) {}

  /// Errors: `plugin.undeclared`.
  Result<void> take(Collector collected) {
    const std::pair<const char*, bool> given[] = {{"analysis", !collected.m_analyses.empty()},
                                                  {"exporter", !collected.m_exporters.empty()},
                                                  {"view", !collected.m_views.empty()},
                                                  {"adapter", !collected.m_adapters.empty()}};
    for (const auto& [word, any] : given) {
      if (any && !metadata.interfaces.contains(word)) {
        return fail("plugin.undeclared", file, "",
                    std::string("registers ") + word +
                        ", which its plugin.json "
                        "does not name",
                    std::string("add \"") + word + "\" to \"interfaces\"");
      }
    }
    for (auto& part : collected.m_analyses) analyses.push_back(guarded(std::move(part), guard));
    for (auto& part : collected.m_exporters) exporters.push_back(guarded(std::move(part), guard));
    for (auto& part : collected.m_views) viewInfos.push_back(part->info());
    views = std::move(collected.m_views);
    for (auto& part : collected.m_adapters) {
      for (const auto& family : part->info().families) {
        if (checkpoint::findFamily(family.modelType) == nullptr) continue;
        return fail("plugin.same_id", file, "", "MoEScope itself reads the model family " + family.modelType,
                    "give the adapter only families that MoEScope does not have");
      }
      adapters.push_back(guarded(std::move(part), guard));
    }
    return {};
  }
};

PluginHost::PluginHost() = default;
PluginHost::~PluginHost() = default;

void PluginHost::load(std::span<const BuiltInPlugin> plugins) {
  for (const BuiltInPlugin& plugin : plugins) {
    const std::string file = "built in";
    auto metadata = pluginMetadata(plugin.metadata, file);
    const auto started = metadata ? start(*metadata, file, plugin.entry) : fail(metadata.error());
    if (!started) m_failures.push_back({file, started.error()});
  }
}

void PluginHost::load(const PluginFolder& folder) {
  std::error_code failed;
  std::set<fs::path> found;
  for (auto entry = fs::directory_iterator(folder.path, failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    std::error_code ignored;
    if (fs::exists(entry->path() / "plugin.json", ignored)) found.insert(entry->path());
  }
  if (failed && folder.named) {
    const std::string file = folder.path.string();
    m_failures.push_back({file, Error{"plugin.no_folder", file, "",
                                      "the folder of plug-ins cannot be read: " + failed.message(),
                                      "see --plugins and MOESCOPE_PLUGINS"}});
  }
  for (const fs::path& plugin : found) loadFolder(plugin);
}

void PluginHost::loadFolder(const fs::path& folder) {
  const auto loaded = [&]() -> Result<void> {
    const std::string file = (folder / "plugin.json").string();
    const auto text = readTextFile(file, kMostMetadataBytes);
    if (!text) return fail(text.error());
    auto metadata = pluginMetadata(*text, file);
    if (!metadata) return fail(metadata.error());
    // Before any code of a second one runs.
    for (const auto& other : m_plugins) {
      if (other->metadata.id != metadata->id) continue;
      return fail("plugin.same_id", file, "key id",
                  "the plug-in " + metadata->id + " is there already, from " + other->file,
                  "remove one of the two");
    }
    const auto entry = openSharedPlugin(folder / (metadata->id + ".so"), metadata->id);
    if (!entry) return fail(entry.error());
    return start(std::move(*metadata), folder.string(), *entry);
  }();
  if (!loaded) m_failures.push_back({folder.string(), loaded.error()});
}

Result<void> PluginHost::start(PluginMetadata metadata, std::string file, PluginEntry entry) {
  auto plugin = std::make_unique<Plugin>(std::move(metadata), std::move(file));
  auto taken = plugin->guard.call("plugin.failed", [&]() -> Result<void> {
    Collector collector;
    entry(collector);
    return plugin->take(std::move(collector));
  });
  if (!taken) return taken;
  if (auto unique = checkIds(*plugin, plugin->file); !unique) return unique;
  m_plugins.push_back(std::move(plugin));
  return {};
}

Result<void> PluginHost::checkIds(const Plugin& plugin, const std::string& file) const {
  std::set<std::pair<char, std::string>> ids;
  const auto add = [&](const Plugin& of) -> Result<void> {
    const auto insert = [&](char kind, const std::string& id) -> Result<void> {
      if (ids.emplace(kind, id).second) return {};
      return fail("plugin.same_id", file, "",
                  "an analysis, exporter, view or model family " + id + " is there already",
                  "give it another id");
    };
    Result<void> done;
    for (const auto& part : of.analyses)
      if (done) done = insert('a', part->info().id);
    for (const auto& part : of.exporters)
      if (done) done = insert('e', part->info().id);
    for (const auto& info : of.viewInfos)
      if (done) done = insert('v', info.id);
    for (const auto& adapter : of.adapters) {
      for (const auto& family : adapter->info().families)
        if (done) done = insert('m', family.modelType);
    }
    return done;
  };
  for (const auto& other : m_plugins) (void)add(*other);
  return add(plugin);
}

std::vector<PluginStatus> PluginHost::plugins() const {
  std::vector<PluginStatus> list;
  for (const auto& plugin : m_plugins)
    list.push_back({plugin->metadata, plugin->file, plugin->guard.reason()});
  return list;
}

std::vector<PluginFailure> PluginHost::failures() const {
  std::vector<PluginFailure> list = m_failures;
  for (const auto& plugin : m_plugins) {
    if (const auto reason = plugin->guard.reason()) list.push_back({plugin->file, *reason});
  }
  return list;
}

std::vector<const analysis::Analysis*> PluginHost::analyses() const {
  std::vector<const analysis::Analysis*> list;
  for (const auto& plugin : m_plugins) {
    for (const auto& part : plugin->analyses) list.push_back(part.get());
  }
  return list;
}

std::vector<const figure::Exporter*> PluginHost::exporters() const {
  std::vector<const figure::Exporter*> list;
  for (const auto& plugin : m_plugins) {
    for (const auto& part : plugin->exporters) list.push_back(part.get());
  }
  return list;
}

checkpoint::AdapterList PluginHost::adapters() const {
  checkpoint::AdapterList list;
  for (const auto& plugin : m_plugins)
    list.insert(list.end(), plugin->adapters.begin(), plugin->adapters.end());
  return list;
}

std::vector<PluginHost::View> PluginHost::views() const {
  std::vector<View> list;
  for (const auto& plugin : m_plugins) {
    for (std::size_t i = 0; i < plugin->views.size(); ++i)
      list.push_back({plugin->views[i].get(), plugin->viewInfos[i], &plugin->guard});
  }
  return list;
}

Result<const analysis::Analysis*> PluginHost::findAnalysis(const std::string& id) const {
  const auto list = analyses();
  if (const auto found = find(list, id); found != list.end()) return *found;
  return fail("analysis.unknown", "", id, "there is no such analysis", known(list));
}

std::string PluginHost::versionOf(const std::string& analysis) const {
  for (const auto& plugin : m_plugins) {
    for (const auto& part : plugin->analyses) {
      if (part->info().id == analysis) return plugin->metadata.version;
    }
  }
  return {};
}

Result<const figure::Exporter*> PluginHost::findExporter(const std::string& id) const {
  const auto list = exporters();
  if (const auto found = find(list, id); found != list.end()) return *found;
  return fail("export.unknown", "", id, "there is no such export format", known(list));
}

}  // namespace moescope::plugin
