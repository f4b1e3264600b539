// Parameter lists: several numbers or words typed for one parameter of an analysis, checked.
// Not for single values (parameter_values.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/analysis_result.h"

namespace moescope::analysis {

/// Parts between commas, without blanks around them; empty parts are left out.
std::vector<std::string> wordsOf(std::string_view text);

// Errors of both: `analysis.bad_param`, naming the parameter and the values that it may have.

/// At least one whole number, comma between them, in ascending order without repeats.
Result<std::vector<int>> wholesParameter(const AnalysisParameters& parameters, std::string_view id, int least,
                                         int most);
/// At least one number, comma between them, in ascending order without repeats.
Result<std::vector<double>> realsParameter(const AnalysisParameters& parameters, std::string_view id,
                                           double least, double most);

}  // namespace moescope::analysis
