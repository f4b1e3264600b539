// The analyses of this plug-in, for the program. Not what they compute.
#include "core/plugin/plugin_registry.h"
#include "plugins/locality/consistency_analysis.h"
#include "plugins/locality/sparsity_analysis.h"

MOESCOPE_PLUGIN(locality) {
  registry.add(std::make_unique<moescope::locality::ConsistencyAnalysis>());
  registry.add(std::make_unique<moescope::locality::SparsityAnalysis>());
}
