// MultiTypeFit: the congestion game of several kinds of tokens that share the experts and one gamma.
// A reconstruction (analyses.md 1.10); not for finding the kinds (token_types.h).
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/gamma_search.h"
#include "core/analysis/token_types.h"

namespace moescope::analysis {

/// m_i = sum_c w_c exp(q^c_i - gamma m_i) / sum_j exp(q^c_j - gamma m_j), started from `m` [experts] (uniform
/// where it is empty). Damped fixed point m += eta (R(m) - m) until |R(m) - m| is below 1e-12. eta starts at
/// 1 / (1 + gamma max R), a bound of the curvature at m, and is brought down to 1 / (1 + gamma / 4), which
/// contracts everywhere, as soon as a step does not help.
std::vector<double> multiTypeEquilibrium(const TokenTypes& types, double gamma, std::vector<double> m = {});

struct MultiTypeFit {
  double gamma, loss;
  GammaBoundary boundary = GammaBoundary::None;
  double heldOutL1;  ///< NaN without held-out shares
  int types = 0;
};

/// R1 with shared congestion, by the same grid and golden section as the single-type fit. NaN without types
/// or when `stop` is requested. `heldOut` may be empty.
MultiTypeFit fitMultiType(const TokenTypes& types, std::span<const double> train,
                          std::span<const double> heldOut, const GammaSettings& settings,
                          const std::stop_token& stop);

}  // namespace moescope::analysis
