#include "core/analysis/cross_layer_flow.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

namespace moescope::analysis {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// A node is shown by itself above this many times the uniform share (OLMoE's Sankey code).
constexpr double kShownAbove = 1.5;

double entropyOf(std::span<const double> totals, double sum) {
  double out = 0.0;
  for (const double total : totals) {
    if (total > 0.0) out -= total / sum * std::log(total / sum);
  }
  return out;
}

double liveCount(std::span<const double> totals) {
  return static_cast<double>(std::ranges::count_if(totals, [](double t) { return t > 0.0; }));
}

double largest(std::span<const double> values, int r) {
  std::vector<double> sorted(values.begin(), values.end());
  const auto count = std::min<std::size_t>(sorted.size(), static_cast<std::size_t>(std::max(r, 0)));
  std::ranges::partial_sort(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(count), std::greater<>());
  return std::accumulate(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count), 0.0);
}

std::vector<int> nodesOf(std::span<const double> totals) {
  const double sum = std::accumulate(totals.begin(), totals.end(), 0.0);
  std::vector<int> out;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    const bool shown = totals[i] / sum > kShownAbove / static_cast<double>(totals.size());
    out.push_back(shown ? static_cast<int>(i) : -1);
  }
  return out;
}

}  // namespace

FlowSummary flowSummary(const ExpertTransitions& transitions) {
  const std::vector<double> a = transitions.fromTotals();
  const std::vector<double> b = transitions.toTotals();
  const double sum = std::accumulate(a.begin(), a.end(), 0.0);
  if (!(sum > 0.0)) return {kNan, kNan, kNan, kNan, kNan, kNan};
  FlowSummary out;
  double live = 0.0;
  for (int i = 0; i < transitions.from; ++i) {
    const double total = a[static_cast<std::size_t>(i)];
    if (!(total > 0.0)) continue;
    live += 1.0;
    const auto row = transitions.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) {
      if (row[j] > 0.0) out.mutualInformation += row[j] / sum * std::log(row[j] * sum / (total * b[j]));
    }
    const double most = *std::ranges::max_element(row);
    out.meanMax += most / total;
    out.weightedMax += most / sum;
  }
  out.meanMax /= live;
  out.mutualInformation = std::max(out.mutualInformation, 0.0);
  out.bias = (live - 1.0) * (liveCount(b) - 1.0) / (2.0 * transitions.tokens);
  const double entropy = entropyOf(b, sum);
  out.normalizedInformation = entropy > 0.0 ? out.mutualInformation / entropy : kNan;
  out.guessWithout = *std::ranges::max_element(b) / sum;
  return out;
}

Coverage coverage(const ExpertTransitions& transitions, int r) {
  const std::vector<double> b = transitions.toTotals();
  const double sum = std::accumulate(b.begin(), b.end(), 0.0);
  if (!(sum > 0.0)) return {kNan, kNan};
  Coverage out;
  for (int i = 0; i < transitions.from; ++i) out.known += largest(transitions.row(i), r) / sum;
  out.unknown = largest(b, r) / sum;
  return out;
}

std::vector<FlowStream> flowStreams(const ExpertTransitions& transitions) {
  const std::vector<double> a = transitions.fromTotals();
  if (!(std::accumulate(a.begin(), a.end(), 0.0) > 0.0)) return {};
  const std::vector<int> fromNodes = nodesOf(a);
  const std::vector<int> toNodes = nodesOf(transitions.toTotals());
  const auto last = [](int node) { return node < 0 ? std::numeric_limits<int>::max() : node; };
  std::map<std::pair<int, int>, FlowStream> streams;
  for (int i = 0; i < transitions.from; ++i) {
    const auto row = transitions.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) {
      if (!(row[j] > 0.0)) continue;
      const int from = fromNodes[static_cast<std::size_t>(i)];
      FlowStream& stream = streams[{last(from), last(toNodes[j])}];
      stream.fromExpert = from;
      stream.toExpert = toNodes[j];
      stream.tokens += row[j];
    }
  }
  std::vector<FlowStream> out;
  out.reserve(streams.size());
  for (const auto& [key, stream] : streams) out.push_back(stream);
  return out;
}

}  // namespace moescope::analysis
