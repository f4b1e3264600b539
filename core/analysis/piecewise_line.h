// PiecewiseLine: least squares of a continuous line with bends. Not for finding more than two bends.
#pragma once

#include <span>
#include <vector>

namespace moescope::analysis {

struct PiecewiseLine {
  std::vector<std::size_t> breaks;  ///< indices of the points where it bends, ascending
  std::vector<double> slopes;       ///< one a segment
  double residual = 0.0;            ///< sum of squares
};

/// `x` ascending and different, `y` of the same length; bends at x[breaks]. Slopes are NaN if there are fewer
/// points than coefficients.
PiecewiseLine fitPiecewiseLine(std::span<const double> x, std::span<const double> y,
                               std::vector<std::size_t> breaks);

/// The line with 0 to 2 bends with the smallest BIC = n log(residual / n) + p log n, p = 2 + 2 a bend (where
/// and how much). Every segment spans at least three points, so that it is more than a join.
PiecewiseLine bestPiecewiseLine(std::span<const double> x, std::span<const double> y);

}  // namespace moescope::analysis
