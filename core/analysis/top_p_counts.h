// Dynamic top-p routing as a what-if on recorded logits: how many experts hold the mass p (Huang et al.,
// arXiv:2403.07652). Not for steering a model that way.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

/// n(p) = min{ k : sum of the k largest probabilities >= p }, at least 1; M if rounding leaves the sum of all
/// below p. `descending` [experts].
int topPCount(std::span<const double> descending, double p);
/// The variant of some code: experts while the running sum stays <= p, and at least one.
int topPCountBelow(std::span<const double> descending, double p);
/// Probabilities in descending order.
std::vector<double> descendingProbabilities(std::span<const float> probabilities);

/// Counts of one router over tokens, for one p.
struct TopPCounts {
  std::vector<std::int64_t> histogram;  ///< [experts]: tokens that need 1, 2, ... experts
  std::int64_t tokens = 0;
  std::int64_t countSum = 0;
  std::int64_t belowSum = 0;  ///< of the variant

  explicit TopPCounts(int experts = 0) : histogram(static_cast<std::size_t>(experts)) {}
  void add(std::span<const double> descending, double p);
  /// NaN without a token.
  [[nodiscard]] double mean() const;
  [[nodiscard]] double meanBelow() const;
};

}  // namespace moescope::analysis
