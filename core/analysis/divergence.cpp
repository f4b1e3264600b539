#include "core/analysis/divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace moescope::analysis {

namespace {

constexpr double kShareFloor = 1e-9;  // analyses.md 8.1

/// Empty if the sum is not positive.
std::vector<double> shares(std::span<const double> p) {
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  std::vector<double> out;
  if (!(sum > 0.0)) return out;
  out.reserve(p.size());
  for (const double value : p) out.push_back(value / sum);
  return out;
}

double entropyOfShares(std::span<const double> p) {
  double sum = 0.0;
  for (const double value : p)
    if (value > 0.0) sum -= value * std::log(value);
  return sum;
}

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double entropy(std::span<const double> p) {
  const std::vector<double> normalised = shares(p);
  return normalised.empty() ? kUndefined : entropyOfShares(normalised);
}

double jensenShannon(std::span<const double> p, std::span<const double> q) {
  const std::vector<double> a = shares(p);
  const std::vector<double> b = shares(q);
  if (a.empty() || b.empty()) return kUndefined;
  std::vector<double> middle(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) middle[i] = (a[i] + b[i]) / 2.0;
  const double value = entropyOfShares(middle) - (entropyOfShares(a) + entropyOfShares(b)) / 2.0;
  return std::max(value, 0.0);
}

double l1Distance(std::span<const double> p, std::span<const double> q) {
  const std::vector<double> a = shares(p);
  const std::vector<double> b = shares(q);
  if (a.empty() || b.empty()) return kUndefined;
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum;
}

double flooredKl(std::span<const double> p, std::span<const double> q) {
  const std::vector<double> a = shares(p);
  const std::vector<double> b = shares(q);
  if (a.empty() || b.empty()) return kUndefined;
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double from = std::max(a[i], kShareFloor);
    sum += from * std::log(from / std::max(b[i], kShareFloor));
  }
  return sum;
}

}  // namespace moescope::analysis
