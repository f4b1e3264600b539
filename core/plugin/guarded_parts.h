// Guarded parts: the analyses, exporters and adapters of plug-ins as the program sees them, with what they
// throw turned into errors. Not for panels, which the window guards.
#pragma once

#include <memory>

#include "core/plugin/plugin_guard.h"
#include "core/plugin/plugin_registry.h"

namespace moescope::plugin {

/// `inner` is asked for its info once, here. `guard` outlives it.
std::unique_ptr<analysis::Analysis> guarded(std::unique_ptr<analysis::Analysis> inner, PluginGuard& guard);
std::unique_ptr<figure::Exporter> guarded(std::unique_ptr<figure::Exporter> inner, PluginGuard& guard);
std::shared_ptr<const checkpoint::ModelAdapter> guarded(std::unique_ptr<checkpoint::ModelAdapter> inner,
                                                        PluginGuard& guard);

}  // namespace moescope::plugin
