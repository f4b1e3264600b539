// Registers the panel. Metrics come from other plug-ins' analyses, figures from core/figure.
#include "core/plugin/plugin_registry.h"
#ifdef MOESCOPE_HAS_GUI
#include "plugins/phases/phases_panel.h"
#include "views/api/view_factory.h"

namespace {

class PhasesView final : public moescope::views::ViewFactory {
 public:
  [[nodiscard]] const moescope::plugin::ViewInfo& info() const override {
    static const moescope::plugin::ViewInfo info{
        "phases", "Phases",
        "Balance, loss, specialization and the congestion fit (R1) over a series of checkpoints"};
    return info;
  }
  [[nodiscard]] std::unique_ptr<QWidget> create(moescope::views::ViewContext& context) override {
    return std::make_unique<moescope::phases::PhasesPanel>(context);
  }
};

}  // namespace
#endif

MOESCOPE_PLUGIN(phases) {
#ifdef MOESCOPE_HAS_GUI
  registry.add(std::make_unique<PhasesView>());
#else
  (void)registry;
#endif
}
