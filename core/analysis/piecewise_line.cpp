#include "core/analysis/piecewise_line.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace moescope::analysis {

namespace {

using Matrix = std::vector<std::vector<double>>;

/// Solves a symmetric system by Gaussian elimination with pivots; empty if it is singular.
std::vector<double> solved(Matrix a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t r = k + 1; r < n; ++r) {
      if (std::abs(a[r][k]) > std::abs(a[pivot][k])) pivot = r;
    }
    if (!(std::abs(a[pivot][k]) > 1e-12)) return {};
    std::swap(a[k], a[pivot]);
    std::swap(b[k], b[pivot]);
    for (std::size_t r = k + 1; r < n; ++r) {
      const double factor = a[r][k] / a[k][k];
      for (std::size_t c = k; c < n; ++c) a[r][c] -= factor * a[k][c];
      b[r] -= factor * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t c = k + 1; c < n; ++c) b[k] -= a[k][c] * b[c];
    b[k] /= a[k][k];
  }
  return b;
}

/// 1, x, and a ramp after each bend, at x.
std::vector<double> basis(double x, std::span<const double> bends) {
  std::vector<double> out{1.0, x};
  for (const double bend : bends) out.push_back(std::max(0.0, x - bend));
  return out;
}

double bic(const PiecewiseLine& line, std::size_t points, double spread) {
  const double n = static_cast<double>(points);
  // A perfect fit is no better than rounding of y allows, so that more bends cannot win by it.
  const double residual = std::max(line.residual, 1e-12 * spread);
  return n * std::log(residual / n) + (2.0 + 2.0 * static_cast<double>(line.breaks.size())) * std::log(n);
}

}  // namespace

PiecewiseLine fitPiecewiseLine(std::span<const double> x, std::span<const double> y,
                               std::vector<std::size_t> breaks) {
  PiecewiseLine line{std::move(breaks), {}, std::numeric_limits<double>::infinity()};
  std::vector<double> bends;
  // x is shifted so that the normal equations stay well conditioned.
  const double origin = x.empty() ? 0.0 : x[0];
  for (const std::size_t b : line.breaks) bends.push_back(x[b] - origin);
  const std::size_t size = 2 + bends.size();
  Matrix normal(size, std::vector<double>(size, 0.0));
  std::vector<double> right(size, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto row = basis(x[i] - origin, bends);
    for (std::size_t a = 0; a < size; ++a) {
      for (std::size_t b = 0; b < size; ++b) normal[a][b] += row[a] * row[b];
      right[a] += row[a] * y[i];
    }
  }
  const auto coefficients = x.size() < size ? std::vector<double>{} : solved(normal, right);
  line.slopes.assign(size - 1, std::numeric_limits<double>::quiet_NaN());
  if (coefficients.empty()) return line;
  double slope = 0.0;
  for (std::size_t s = 0; s + 1 < size; ++s) line.slopes[s] = slope += coefficients[s + 1];
  line.residual = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto row = basis(x[i] - origin, bends);
    double fitted = 0.0;
    for (std::size_t a = 0; a < size; ++a) fitted += coefficients[a] * row[a];
    line.residual += (y[i] - fitted) * (y[i] - fitted);
  }
  return line;
}

PiecewiseLine bestPiecewiseLine(std::span<const double> x, std::span<const double> y) {
  PiecewiseLine best = fitPiecewiseLine(x, y, {});
  double mean = 0.0, spread = 0.0;
  for (const double value : y) mean += value / static_cast<double>(y.size());
  for (const double value : y) spread += (value - mean) * (value - mean);
  if (!(spread > 0.0)) return best;
  double lowest = bic(best, x.size(), spread);
  const auto consider = [&](std::vector<std::size_t> breaks) {
    PiecewiseLine line = fitPiecewiseLine(x, y, std::move(breaks));
    // With as many coefficients as points nothing is left to judge by.
    if (!std::isfinite(line.residual) || x.size() < 2 * line.breaks.size() + 3) return;
    if (const double value = bic(line, x.size(), spread); value < lowest) {
      lowest = value;
      best = std::move(line);
    }
  };
  for (std::size_t a = 2; a + 2 < x.size(); ++a) {
    consider({a});
    for (std::size_t b = a + 2; b + 2 < x.size(); ++b) consider({a, b});
  }
  return best;
}

}  // namespace moescope::analysis
