#include "core/analysis/context_independence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/analysis/divergence.h"

namespace moescope::analysis {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

std::vector<double> choicesOf(const KeyCounts& counts, std::size_t key) {
  const auto row = counts.of(key);
  return {row.begin(), row.end()};
}

}  // namespace

std::vector<double> routingSpreads(const KeyCounts& counts) {
  std::vector<double> out;
  const double experts = counts.experts;
  for (std::size_t key = 0; key < counts.keys.size(); ++key) {
    const auto row = counts.of(key);
    const double sum = static_cast<double>(std::accumulate(row.begin(), row.end(), std::int64_t{0}));
    double squares = 0.0;
    for (const std::int64_t n : row) {
      const double deviation = static_cast<double>(n) / sum - 1.0 / experts;
      squares += deviation * deviation;
    }
    out.push_back(sum > 0.0 ? std::sqrt(squares / experts) : kUndefined);
  }
  return out;
}

double largestSpread(int choices, int experts) {
  const double m = experts;
  return std::sqrt((1.0 / static_cast<double>(choices) - 1.0 / m) / m);
}

ContextIndependence contextIndependence(const KeyCounts& counts, std::int64_t minOccurrences) {
  ContextIndependence out;
  std::vector<double> total(static_cast<std::size_t>(counts.experts), 0.0);
  double conditional = 0.0, choices = 0.0, spreads = 0.0;
  const std::vector<double> spread = routingSpreads(counts);
  for (std::size_t key = 0; key < counts.keys.size(); ++key) {
    if (std::isnan(spread[key])) continue;
    const std::vector<double> row = choicesOf(counts, key);
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    conditional += sum * entropy(row);
    choices += sum;
    for (std::size_t e = 0; e < row.size(); ++e) total[e] += row[e];
    if (counts.occurrences[key] <= minOccurrences) continue;
    spreads += spread[key];
    ++out.keys;
  }
  out.meanSpread = out.keys > 0 ? spreads / static_cast<double>(out.keys) : kUndefined;
  const double all = entropy(total);
  out.uncertaintyExplained = all > 0.0 ? 1.0 - conditional / choices / all : kUndefined;
  return out;
}

double routingDivergence(const KeyCounts& a, const KeyCounts& b) {
  double sum = 0.0, weight = 0.0;
  for (std::size_t key = 0; key < b.keys.size(); ++key) {
    const auto found = std::ranges::lower_bound(a.keys, b.keys[key]);
    if (found == a.keys.end() || *found != b.keys[key]) continue;
    const auto other = static_cast<std::size_t>(found - a.keys.begin());
    const double divergence = jensenShannon(choicesOf(a, other), choicesOf(b, key));
    if (std::isnan(divergence)) continue;
    sum += static_cast<double>(b.occurrences[key]) * divergence;
    weight += static_cast<double>(b.occurrences[key]);
  }
  return weight > 0.0 ? sum / weight : kUndefined;
}

}  // namespace moescope::analysis
