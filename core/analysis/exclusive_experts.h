// Experts that serve one language or a set of languages, by activation rate (the published code
// conctsai/Multilingualism-in-Mixture-of-Experts-LLMs). Not for divergences (language_divergence.h).
#pragma once

#include <span>
#include <vector>

namespace moescope::analysis {

struct ExclusiveRule {
  int keep = 15;           ///< most activated experts kept for each language
  double threshold = 0.4;  ///< of the selectivity
};

/// Selectivity S = A / (sum over languages of A + 1e-10) after all but the `keep` most activated experts of
/// each language are set to 0 (ties: lower id first). `rates` [languages, experts]: activations / tokens.
/// [languages, experts].
std::vector<double> selectivity(std::span<const double> rates, int languages, int experts, int keep);

/// Experts whose selectivity over the `targets` (indices of languages) adds up to the threshold or more,
/// ascending.
std::vector<int> exclusiveExperts(std::span<const double> selectivities, int experts,
                                  std::span<const int> targets, double threshold);
/// Experts that are kept somewhere and reach the threshold for no single language, ascending.
std::vector<int> sharedExperts(std::span<const double> selectivities, int languages, int experts,
                               double threshold);

}  // namespace moescope::analysis
