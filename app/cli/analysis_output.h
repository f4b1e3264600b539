// How `moescope analyze` prints: results as text or CSV, and the list of analyses.
// Not for JSON, which the result does itself.
#pragma once

#include <span>
#include <string>

#include "core/analysis/analysis.h"

namespace moescope::cli {

/// Sample, baseline and interval, then tables, matrices and notes.
void printResult(const analysis::AnalysisResult& result);

/// Every table and matrix as CSV, or the one called `part`. Where there are several, a line "# id" stands
/// before each. Errors: `analysis.no_such_table`, which names those there are.
Result<void> printCsv(const analysis::AnalysisResult& result, const std::string& part);

/// Id, what it is of, what must be recorded, parameters with their defaults.
void printAnalyses(std::span<const analysis::Analysis* const> analyses);
nlohmann::ordered_json analysesJson(std::span<const analysis::Analysis* const> analyses);

}  // namespace moescope::cli
