// LaTeX tables: an analysis result as booktabs tables that can be pasted into a paper.
// Not for figures, which are SVG or PDF.
#pragma once

#include <string>

#include "core/analysis/analysis_result.h"

namespace moescope::figure {

/// One table environment a table and a matrix, with a caption that names sample, baseline and interval, the
/// notes below as a minipage, and units in the head. Needs the package booktabs. Numbers have four
/// significant digits; what is undefined is a dash. Text is escaped; UTF-8 stays, as LaTeX reads it since
/// 2018.
std::string latexTables(const analysis::AnalysisResult& result);

}  // namespace moescope::figure
