#include "core/figure/exporter.h"

namespace moescope::figure {

Result<std::string> Exporter::writeResult(const analysis::AnalysisResult&) const {
  return fail("export.unsupported", "", info().id, "this format holds figures, not results",
              "choose another format");
}

Result<std::string> Exporter::writeFigure(const FigureSpec&) const {
  return fail("export.unsupported", "", info().id, "this format holds results, not figures",
              "choose another format");
}

}  // namespace moescope::figure
