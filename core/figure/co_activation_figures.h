// Figure of co-activation: which experts of a layer serve the same tokens.
// Not for computing it: it reads the result of the analysis `co-activation`.
#pragma once

#include "core/analysis/analysis_result.h"
#include "core/base/indices.h"
#include "core/figure/figure_spec.h"

namespace moescope::figure {

enum class PairOrder : std::uint8_t {
  Number,
  Cluster,  ///< the clustering order of the analysis
};

/// Experts x experts of one layer, the diagonal left out. Errors: `figure.no_such_layer`,
/// `figure.bad_result`.
Result<FigureSpec> coActivationFigure(const analysis::AnalysisResult& result, const RouterKey& router,
                                      PairOrder order);

/// The experts of rows and columns of that figure.
std::vector<int> pairExperts(const analysis::AnalysisResult& result, const RouterKey& router,
                             PairOrder order);

}  // namespace moescope::figure
