// The analyses of this plug-in, for the program. Not what they compute.
#include "core/plugin/plugin_registry.h"
#include "plugins/cross_layer/affinity_analysis.h"
#include "plugins/cross_layer/flow_analysis.h"

MOESCOPE_PLUGIN(cross_layer) {
  registry.add(std::make_unique<moescope::cross_layer::AffinityAnalysis>());
  registry.add(std::make_unique<moescope::cross_layer::FlowAnalysis>());
}
