// The analysis of this plug-in, for the program. Not what it computes.
#include "core/plugin/plugin_registry.h"
#include "plugins/co_activation/co_activation_analysis.h"

MOESCOPE_PLUGIN(co_activation) {
  registry.add(std::make_unique<moescope::co_activation::CoActivationAnalysis>());
}
