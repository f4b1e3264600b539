// The analyses of this plug-in, for the program. Not what they compute.
#include "core/plugin/plugin_registry.h"
#include "plugins/languages/divergence_analysis.h"
#include "plugins/languages/exclusive_analysis.h"

MOESCOPE_PLUGIN(languages) {
  registry.add(std::make_unique<moescope::languages::DivergenceAnalysis>());
  registry.add(std::make_unique<moescope::languages::ExclusiveAnalysis>());
}
