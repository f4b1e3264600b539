// The analyses of this plug-in, for the program. Not what they compute.
#include "core/plugin/plugin_registry.h"
#include "plugins/router_scores/losses_analysis.h"
#include "plugins/router_scores/similarity_analysis.h"
#include "plugins/router_scores/top_p_analysis.h"

MOESCOPE_PLUGIN(router_scores) {
  registry.add(std::make_unique<moescope::router_scores::LossesAnalysis>());
  registry.add(std::make_unique<moescope::router_scores::SimilarityAnalysis>());
  registry.add(std::make_unique<moescope::router_scores::TopPAnalysis>());
}
