// The analyses of this plug-in, for the program. Not what they compute.
#include "core/plugin/plugin_registry.h"
#include "plugins/specialization/context_independence_analysis.h"
#include "plugins/specialization/early_routing_analysis.h"
#include "plugins/specialization/label_information_analysis.h"
#include "plugins/specialization/specialization_analysis.h"
#include "plugins/specialization/token_drop_analysis.h"
#include "plugins/specialization/vocabulary_analysis.h"

using namespace moescope::specialization;

MOESCOPE_PLUGIN(specialization) {
  registry.add(std::make_unique<SpecializationAnalysis>());
  registry.add(std::make_unique<LabelInformationAnalysis>());
  registry.add(std::make_unique<VocabularyAnalysis>());
  registry.add(std::make_unique<ContextIndependenceAnalysis>());
  registry.add(std::make_unique<EarlyRoutingAnalysis>());
  registry.add(std::make_unique<TokenDropAnalysis>());
}
