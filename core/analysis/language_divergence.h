// Divergence between the routing of two languages and their specialised experts (Bandarkar et al.,
// arXiv:2510.04694). Not for exclusive experts by activation rate (exclusive_experts.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moescope::analysis {

/// Entropy-normalised Jensen-Shannon divergence (eq. 6-8), natural log:
/// D_HJS(a, b) = JSD(a, b) / (log M - (H(a) + H(b)) / 2), in [0, 1]. Both are divided by their sums first.
/// NaN where the denominator is below 1e-8 (both uniform), or a sum is not positive.
double normalizedDivergence(std::span<const double> a, std::span<const double> b);

/// Rows of equal length, one a text: mean router probabilities, or selection rates.
using TextRows = std::vector<std::vector<double>>;

/// Weighted mean of rows; `times` [rows] how often each counts, empty = once. Rows with a NaN are left out;
/// empty if none is left.
std::vector<double> meanRow(const TextRows& rows, std::span<const std::uint16_t> times = {});

/// Mean of D_HJS(a[i], b[i]) over pairs of parallel texts (eq. 2); pairs without a defined value are left
/// out.
double pairedDivergence(const TextRows& a, const TextRows& b, std::span<const std::uint16_t> times = {});

/// D_HJS of the mean rows: for texts that are not parallel.
double meanDivergence(const TextRows& a, const TextRows& b, std::span<const std::uint16_t> timesA = {},
                      std::span<const std::uint16_t> timesB = {});

/// Level of meanDivergence when the texts of both are dealt out anew at random, keeping the sizes: the mean
/// over `shuffles` seeded deals.
double shuffledDivergence(const TextRows& a, const TextRows& b, int shuffles, std::uint64_t seed);
/// Level of pairedDivergence without a change of language: the mean over texts i of D_HJS(a[i], a[i + 1]),
/// the last with the first. NaN for fewer than two texts.
double neighbourDivergence(const TextRows& a);

}  // namespace moescope::analysis
