// Load-balance metrics of one router (analyses.md section 7 of the design). Not for series.
#pragma once

#include <cstdint>
#include <span>

namespace moescope::analysis {

/// All of one layer. n_i = choices of expert i, m_i = n_i / sum n, M experts, f_i = n_i / tokens.
struct LoadMetrics {
  double maxVio = 0.0;      ///< (max n - mean n) / mean n; arXiv:2408.15664 eq. 4
  double peakFactor = 0.0;  ///< max n / mean n
  double minFactor = 0.0;   ///< min n / mean n
  double mri = 0.0;         ///< max_i f_i
  double cv = 0.0;          ///< population standard deviation / mean
  double gini = 0.0;
  double normalizedEntropy = 0.0;  ///< H / log M; 1 if M = 1
  double effectiveExperts = 0.0;   ///< exp(H), H in nat
  double inverseSimpson = 0.0;     ///< 1 / sum m^2
  double klToUniform = 0.0;        ///< log M - H, nat
  double l1ToUniform = 0.0;
  int deadExperts = 0;        ///< n_i = 0
  int nearlyDeadExperts = 0;  ///< n_i < 0.01 mean n
};

/// `counts` [experts], `tokens` rows with a decision. All zero counts give NaN where a ratio is undefined.
LoadMetrics loadMetrics(std::span<const std::int64_t> counts, std::int64_t tokens);

}  // namespace moescope::analysis
