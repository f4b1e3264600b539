// Inclusion shares: how often each expert is taken when K different ones are drawn one after the other.
// What a game of single choices leaves out (analyses.md 1.8); not a fit of the load.
#pragma once

#include <span>
#include <vector>

namespace moescope::analysis {

/// The probability of item i to be among `taken` items drawn one after the other without replacement, each
/// in proportion to its weight (Plackett-Luce), divided by their number: shares with sum 1. `weights` are
/// finite and not negative; items with weight 0 (or below 1e-290 of the sum) are never taken.
/// As a race of exponential clocks with rates w: pi_i = integral of w_i exp(-w_i t) P(fewer than K others
/// rang before t) dt, by the trapezoid rule over log t, exact to about 1e-12. Where no more than `taken`
/// items have weight all of those have equal shares. Empty if `taken` < 1 or no item has weight.
std::vector<double> inclusionShares(std::span<const double> weights, int taken);

}  // namespace moescope::analysis
