// The analyses and the panel of this plug-in, for the program. Not what they compute.
#include "core/plugin/plugin_registry.h"
#include "plugins/specialization/context_independence_analysis.h"
#include "plugins/specialization/early_routing_analysis.h"
#include "plugins/specialization/label_information_analysis.h"
#include "plugins/specialization/specialization_analysis.h"
#include "plugins/specialization/token_drop_analysis.h"
#include "plugins/specialization/vocabulary_analysis.h"
#ifdef MOESCOPE_HAS_GUI
#include "plugins/specialization/panel/specialization_panel.h"
#include "views/api/view_factory.h"

namespace {

class SpecializationView final : public moescope::views::ViewFactory {
 public:
  [[nodiscard]] const moescope::plugin::ViewInfo& info() const override {
    static const moescope::plugin::ViewInfo info{"specialization", "Specialization",
                                                 "Which labels choose which experts, what a layer tells "
                                                 "about the label, and the top tokens of an expert"};
    return info;
  }
  [[nodiscard]] std::unique_ptr<QWidget> create(moescope::views::ViewContext& context) override {
    return std::make_unique<moescope::specialization::SpecializationPanel>(context);
  }
};

}  // namespace
#endif

using namespace moescope::specialization;

MOESCOPE_PLUGIN(specialization) {
  registry.add(std::make_unique<SpecializationAnalysis>());
  registry.add(std::make_unique<LabelInformationAnalysis>());
  registry.add(std::make_unique<VocabularyAnalysis>());
  registry.add(std::make_unique<ContextIndependenceAnalysis>());
  registry.add(std::make_unique<EarlyRoutingAnalysis>());
  registry.add(std::make_unique<TokenDropAnalysis>());
#ifdef MOESCOPE_HAS_GUI
  registry.add(std::make_unique<SpecializationView>());
#endif
}
