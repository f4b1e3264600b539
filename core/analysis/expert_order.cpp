#include "core/analysis/expert_order.h"

#include <cmath>

namespace moescope::analysis {

namespace {

struct Cluster {
  std::vector<int> leaves;  // in order; the smallest is the cluster's own index
};

std::vector<double> distancesOf(std::span<const double> values, std::size_t experts) {
  const auto value = [&](std::size_t at) { return std::isfinite(values[at]) ? values[at] : 0.0; };
  std::vector<double> out(experts * experts, 0.0);
  for (std::size_t a = 0; a < experts; ++a)
    for (std::size_t b = 0; b < experts; ++b)
      if (a != b) out[a * experts + b] = 1.0 - (value(a * experts + b) + value(b * experts + a)) / 2.0;
  return out;
}

}  // namespace

std::vector<int> clusteringOrder(std::span<const double> values, int experts) {
  const auto size = static_cast<std::size_t>(experts);
  std::vector<double> distance = distancesOf(values, size);
  std::vector<Cluster> clusters(size);
  for (std::size_t e = 0; e < size; ++e) clusters[e].leaves = {static_cast<int>(e)};
  for (std::size_t joined = 1; joined < size; ++joined) {
    std::size_t first = size, second = size;
    double nearest = 0.0;
    for (std::size_t a = 0; a < size; ++a) {
      if (clusters[a].leaves.empty()) continue;
      for (std::size_t b = a + 1; b < size; ++b) {
        if (clusters[b].leaves.empty() || (first < size && distance[a * size + b] >= nearest)) continue;
        first = a;
        second = b;
        nearest = distance[a * size + b];
      }
    }
    // The joined cluster lives on at `first`, the smaller index; its distance to others is the mean of its
    // leaves' distances (Lance and Williams 1967).
    const auto sizeA = static_cast<double>(clusters[first].leaves.size());
    const auto sizeB = static_cast<double>(clusters[second].leaves.size());
    for (std::size_t c = 0; c < size; ++c) {
      const double mean =
          (sizeA * distance[first * size + c] + sizeB * distance[second * size + c]) / (sizeA + sizeB);
      distance[first * size + c] = distance[c * size + first] = mean;
    }
    auto& leaves = clusters[first].leaves;
    leaves.insert(leaves.end(), clusters[second].leaves.begin(), clusters[second].leaves.end());
    clusters[second].leaves.clear();
  }
  return size > 0 ? clusters[0].leaves : std::vector<int>();
}

}  // namespace moescope::analysis
