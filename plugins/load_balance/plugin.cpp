// Registers the load balance of runs and series. The formulas are in core/analysis.
#include "core/analysis/load_analysis.h"
#include "core/plugin/plugin_registry.h"

namespace {

class LoadBalanceAnalysis final : public moescope::analysis::Analysis {
 public:
  [[nodiscard]] const moescope::analysis::AnalysisInfo& info() const override {
    return moescope::analysis::loadBalanceInfo();
  }
  [[nodiscard]] moescope::Result<moescope::analysis::AnalysisResult> run(
      const moescope::analysis::AnalysisInput& input) const override {
    return moescope::analysis::analyzeLoadBalance(input);
  }
};

}  // namespace

MOESCOPE_PLUGIN(load_balance) { registry.add(std::make_unique<LoadBalanceAnalysis>()); }
