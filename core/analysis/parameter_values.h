// Parameter values: what people typed for the parameters of an analysis, checked.
// Not for which parameters there are (AnalysisInfo).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/analysis/analysis.h"
#include "core/base/router_spec.h"

namespace moescope::analysis {

/// What was given, and the defaults of what was not.
AnalysisParameters withDefaults(std::span<const ParameterInfo> infos, const AnalysisParameters& given);

// All errors: `analysis.bad_param`, naming the parameter and the values that it may have.

Result<std::int64_t> wholeParameter(const AnalysisParameters& parameters, std::string_view id,
                                    std::int64_t least, std::int64_t most);
Result<double> realParameter(const AnalysisParameters& parameters, std::string_view id, double least,
                             double most);
/// One of the words.
Result<std::string> wordParameter(const AnalysisParameters& parameters, std::string_view id,
                                  std::span<const std::string_view> words);
/// "all" or model layers such as "0,7,15" to indices of `routers`; "7 attention" is the router of the
/// attention where a layer has two (router_label.h).
Result<std::vector<int>> layersParameter(const AnalysisParameters& parameters, std::string_view id,
                                         std::span<const RouterSpec> routers);
/// "all" is every choice of a token (the router's k, given as 0), "1" the first only.
Result<int> choicesParameter(const AnalysisParameters& parameters, std::string_view id);

}  // namespace moescope::analysis
