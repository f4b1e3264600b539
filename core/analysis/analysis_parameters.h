// Reading the parameters of an analysis as typed by people. Not for their names, which the caller has
// checked against AnalysisInfo.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/analysis/analysis_result.h"
#include "core/base/result.h"

namespace moescope::analysis {

/// The word of a parameter, `fallback` where it is not given.
std::string parameterText(const AnalysisParameters& parameters, const std::string& id, std::string fallback);
/// Errors: `analysis.bad_param`, naming the parameter and what it may be.
Result<std::int64_t> parameterInteger(const AnalysisParameters& parameters, const std::string& id,
                                      std::int64_t fallback, std::int64_t least, std::int64_t most);
Result<double> parameterNumber(const AnalysisParameters& parameters, const std::string& id, double fallback,
                               double least, double most);
/// The error for a word that is not one of those allowed.
tl::unexpected<Error> badParameter(const std::string& id, std::string_view value, std::string_view allowed);

}  // namespace moescope::analysis
