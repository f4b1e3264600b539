// Registers the congestion fit. The formulas are in core/analysis.
#include "core/analysis/congestion_analysis.h"
#include "core/plugin/plugin_registry.h"

namespace {

class CongestionFitAnalysis final : public moescope::analysis::Analysis {
 public:
  [[nodiscard]] const moescope::analysis::AnalysisInfo& info() const override {
    return moescope::analysis::congestionInfo();
  }
  [[nodiscard]] moescope::Result<moescope::analysis::AnalysisResult> run(
      const moescope::analysis::AnalysisInput& input) const override {
    return moescope::analysis::analyzeCongestion(input);
  }
};

}  // namespace

MOESCOPE_PLUGIN(congestion_fit) { registry.add(std::make_unique<CongestionFitAnalysis>()); }
