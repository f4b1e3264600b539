// Registers the export of results as LaTeX tables (core/figure/latex_table.h).
#include "core/figure/latex_table.h"
#include "core/plugin/plugin_registry.h"

namespace {

class LatexExporter : public moescope::figure::Exporter {
 public:
  [[nodiscard]] const moescope::figure::ExporterInfo& info() const override {
    static const moescope::figure::ExporterInfo info{"latex", "LaTeX tables", ".tex"};
    return info;
  }

  [[nodiscard]] moescope::Result<std::string> writeResult(
      const moescope::analysis::AnalysisResult& result) const override {
    return moescope::figure::latexTables(result);
  }
};

}  // namespace

MOESCOPE_PLUGIN(latex_tables) { registry.add(std::make_unique<LatexExporter>()); }
