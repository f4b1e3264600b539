// PluginRegistry: what a plug-in gives to the program, through one entry function a plug-in.
// Not how plug-ins are found and loaded (plugin_host.h).
#pragma once

#include <memory>

#include "core/analysis/analysis.h"
#include "core/checkpoint/model_adapter.h"
#include "core/figure/exporter.h"
#include "core/plugin/view_part.h"

/// The entry function of the plug-in whose metadata has this id (lower case with underscores):
///   MOESCOPE_PLUGIN(co_activation) { registry.add(std::make_unique<CoActivationAnalysis>()); }
#define MOESCOPE_PLUGIN(id)                                                    \
  extern "C" __attribute__((visibility("default"))) void moescope_plugin_##id( \
      moescope::plugin::PluginRegistry& registry)

namespace moescope::plugin {

/// The "api" of plugin.json: a plug-in made for another one is not loaded.
inline constexpr int kPluginApi = 1;

class PluginRegistry {
 public:
  virtual ~PluginRegistry() = default;
  virtual void add(std::unique_ptr<analysis::Analysis> analysis) = 0;
  virtual void add(std::unique_ptr<figure::Exporter> exporter) = 0;
  /// Takes a std::unique_ptr<views::ViewFactory>.
  virtual void add(std::unique_ptr<ViewPart> view) = 0;
  virtual void add(std::unique_ptr<checkpoint::ModelAdapter> adapter) = 0;
};

}  // namespace moescope::plugin
