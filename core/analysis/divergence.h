// Divergences between load shares. Not for the entropy-normalised one of multilingual routing.
#pragma once

#include <span>

namespace moescope::analysis {

/// H(p) = -sum p log p in nat; p is divided by its sum. NaN if the sum is not positive.
double entropy(std::span<const double> p);
/// H((p + q) / 2) - (H(p) + H(q)) / 2 in nat, 0 to log 2; both are divided by their sums first.
double jensenShannon(std::span<const double> p, std::span<const double> q);
/// sum |p - q| of the normalised shares, 0 to 2.
double l1Distance(std::span<const double> p, std::span<const double> q);
/// sum p log(p / q) in nat, shares floored at 1e-9 (analyses.md 8.1).
double flooredKl(std::span<const double> p, std::span<const double> q);

}  // namespace moescope::analysis
