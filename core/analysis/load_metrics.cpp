#include "core/analysis/load_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace moescope::analysis {

namespace {

/// An expert below this part of the mean load counts as nearly dead (analyses.md section 7).
constexpr double kNearlyDead = 0.01;

LoadMetrics undefinedMetrics(std::size_t experts) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  LoadMetrics out;
  for (double* value :
       {&out.maxVio, &out.peakFactor, &out.minFactor, &out.mri, &out.cv, &out.gini, &out.normalizedEntropy,
        &out.effectiveExperts, &out.inverseSimpson, &out.klToUniform, &out.l1ToUniform}) {
    *value = nan;
  }
  out.deadExperts = static_cast<int>(experts);
  return out;
}

/// 2 sum r n_(r) / (M sum n) - (M + 1) / M over counts sorted ascending.
double giniOf(std::span<const std::int64_t> counts, double total) {
  std::vector<std::int64_t> sorted(counts.begin(), counts.end());
  std::ranges::sort(sorted);
  double ranked = 0.0;
  double rank = 1.0;
  for (const std::int64_t n : sorted) ranked += rank++ * static_cast<double>(n);
  const double experts = static_cast<double>(counts.size());
  return 2.0 * ranked / (experts * total) - (experts + 1.0) / experts;
}

}  // namespace

LoadMetrics loadMetrics(std::span<const std::int64_t> counts, std::int64_t tokens) {
  const double total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  if (counts.empty() || total <= 0.0 || tokens <= 0) return undefinedMetrics(counts.size());

  const double experts = static_cast<double>(counts.size());
  const double mean = total / experts;
  double squares = 0.0;
  double entropy = 0.0;
  double simpson = 0.0;
  LoadMetrics out;
  for (const std::int64_t count : counts) {
    const double n = static_cast<double>(count);
    const double share = n / total;
    squares += (n - mean) * (n - mean);
    if (count > 0) entropy -= share * std::log(share);
    simpson += share * share;
    out.l1ToUniform += std::abs(share - 1.0 / experts);
    if (count == 0) ++out.deadExperts;
    if (n < kNearlyDead * mean) ++out.nearlyDeadExperts;
  }
  const auto [least, most] = std::ranges::minmax(counts);
  out.peakFactor = static_cast<double>(most) / mean;
  out.maxVio = out.peakFactor - 1.0;
  out.minFactor = static_cast<double>(least) / mean;
  out.mri = static_cast<double>(most) / static_cast<double>(tokens);
  out.cv = std::sqrt(squares / experts) / mean;
  out.gini = giniOf(counts, total);
  out.normalizedEntropy = counts.size() > 1 ? entropy / std::log(experts) : 1.0;
  out.effectiveExperts = std::exp(entropy);
  out.inverseSimpson = 1.0 / simpson;
  out.klToUniform = std::log(experts) - entropy;
  return out;
}

}  // namespace moescope::analysis
