// The analysis and the panel of this plug-in, for the program. Not what they compute.
#include "core/plugin/plugin_registry.h"
#include "plugins/co_activation/co_activation_analysis.h"
#ifdef MOESCOPE_HAS_GUI
#include "plugins/co_activation/panel/co_activation_panel.h"
#include "views/api/view_factory.h"

namespace {

class CoActivationView final : public moescope::views::ViewFactory {
 public:
  [[nodiscard]] const moescope::plugin::ViewInfo& info() const override {
    static const moescope::plugin::ViewInfo info{"co_activation", "Co-activation",
                                                 "Which experts of a layer serve the same tokens"};
    return info;
  }
  [[nodiscard]] std::unique_ptr<QWidget> create(moescope::views::ViewContext& context) override {
    return std::make_unique<moescope::co_activation::CoActivationPanel>(context);
  }
};

}  // namespace
#endif

MOESCOPE_PLUGIN(co_activation) {
  registry.add(std::make_unique<moescope::co_activation::CoActivationAnalysis>());
#ifdef MOESCOPE_HAS_GUI
  registry.add(std::make_unique<CoActivationView>());
#endif
}
