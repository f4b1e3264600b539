// Exporter: the interface through which results and figures leave in formats of plug-ins.
// Not for SVG, PDF and PNG, which the window's painter writes (views/figure).
#pragma once

#include <string>

#include "core/analysis/analysis_result.h"
#include "core/figure/figure_spec.h"

namespace moescope::figure {

struct ExporterInfo {
  std::string id;      ///< "latex": the word on the command line
  std::string label;   ///< "LaTeX tables": in menus
  std::string suffix;  ///< ".tex"
};

/// Any thread, and several at once. An exporter overrides what it can write.
class Exporter {
 public:
  virtual ~Exporter() = default;
  [[nodiscard]] virtual const ExporterInfo& info() const = 0;
  /// Bytes of the file. Errors: `export.unsupported` and the exporter's own.
  [[nodiscard]] virtual Result<std::string> writeResult(const analysis::AnalysisResult& result) const;
  [[nodiscard]] virtual Result<std::string> writeFigure(const FigureSpec& figure) const;
};

}  // namespace moescope::figure
