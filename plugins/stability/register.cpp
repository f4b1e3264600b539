// The analyses of this plug-in, for the program. Not what they compute.
#include "core/plugin/plugin_registry.h"
#include "plugins/stability/margin_analysis.h"
#include "plugins/stability/stability_analysis.h"

using namespace moescope::stability;

MOESCOPE_PLUGIN(stability) {
  registry.add(std::make_unique<StabilityAnalysis>());
  registry.add(std::make_unique<MarginAnalysis>());
}
