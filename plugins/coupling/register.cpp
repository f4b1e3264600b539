// The analyses of this plug-in, for the program. Not what they compute.
#include "core/plugin/plugin_registry.h"
#include "plugins/coupling/coupling_analysis.h"

MOESCOPE_PLUGIN(coupling) { registry.add(std::make_unique<moescope::coupling::CouplingAnalysis>()); }
