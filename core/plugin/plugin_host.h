// PluginHost: finds plug-ins, reads their metadata, loads them and stands between them and the program.
// Not for what they compute or draw; a plug-in that fails is listed and never ends the program.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/plugin/plugin_folders.h"
#include "core/plugin/plugin_guard.h"
#include "core/plugin/plugin_metadata.h"
#include "core/plugin/plugin_registry.h"
#include "core/plugin/shared_plugin.h"

namespace moescope::plugin {

/// A plug-in that is linked with the program.
struct BuiltInPlugin {
  std::string_view metadata;  ///< its plugin.json
  PluginEntry entry;
};

/// One loaded plug-in, for lists.
struct PluginStatus {
  PluginMetadata metadata;
  std::string file;          ///< its folder; "built in"
  std::optional<Error> off;  ///< why it was switched off
};

struct PluginFailure {
  std::string file;
  Error reason;
};

/// Loading on one thread, before anything is asked; then any thread. Analyses, exporters and adapters are
/// wrapped: what they throw becomes `analysis.plugin_failed`, `export.plugin_failed` or
/// `adapter.plugin_failed`, and the plug-in stays off until the program ends. Objects live as long as the
/// host, ids are unique.
class PluginHost {
 public:
  PluginHost();
  ~PluginHost();
  PluginHost(const PluginHost&) = delete;
  PluginHost& operator=(const PluginHost&) = delete;

  void load(std::span<const BuiltInPlugin> plugins);
  /// Every FOLDER/ID that has a plugin.json and ID.so, in the order of the names.
  void load(const PluginFolder& folder);

  [[nodiscard]] std::vector<PluginStatus> plugins() const;
  /// What could not be loaded, then what was switched off.
  [[nodiscard]] std::vector<PluginFailure> failures() const;

  [[nodiscard]] std::vector<const analysis::Analysis*> analyses() const;
  [[nodiscard]] std::vector<const figure::Exporter*> exporters() const;
  /// For checkpoint::setAdapterSource; the host outlives them and what was made with them.
  [[nodiscard]] checkpoint::AdapterList adapters() const;
  /// Errors: `analysis.unknown`, which names the known ones; `analysis.plugin_failed` once it is off.
  [[nodiscard]] Result<const analysis::Analysis*> findAnalysis(const std::string& id) const;
  /// Version of the plug-in that gave an analysis; empty if there is none.
  [[nodiscard]] std::string versionOf(const std::string& analysis) const;
  /// Errors: `export.unknown`, which names the known ones.
  [[nodiscard]] Result<const figure::Exporter*> findExporter(const std::string& id) const;

  struct View {
    ViewPart* part;
    ViewInfo info;
    PluginGuard* guard;  ///< the window makes and runs panels under it
  };
  [[nodiscard]] std::vector<View> views() const;

 private:
  struct Plugin;
  void loadFolder(const std::filesystem::path& folder);
  /// Runs the entry function and takes over what it registers.
  Result<void> start(PluginMetadata metadata, std::string file, PluginEntry entry);
  [[nodiscard]] Result<void> checkIds(const Plugin& plugin, const std::string& file) const;

  std::vector<std::unique_ptr<Plugin>> m_plugins;
  std::vector<PluginFailure> m_failures;
};

}  // namespace moescope::plugin
