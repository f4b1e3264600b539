// Expert order: rows of a matrix of pairs put so that what belongs together stands together.
// Not for groups with a border: it only orders.
#pragma once

#include <span>
#include <vector>

namespace moescope::analysis {

/// Order of the leaves of an average-linkage clustering (UPGMA) of `experts` by the distance
/// 1 - (v_ij + v_ji) / 2 of `values` [experts, experts]; what is not finite counts as 0. Deterministic: equal
/// distances join the clusters with the smaller first experts, and the cluster with the smaller first expert
/// stands first.
std::vector<int> clusteringOrder(std::span<const double> values, int experts);

}  // namespace moescope::analysis
