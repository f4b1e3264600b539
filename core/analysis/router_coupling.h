// Expert-router coupling of one layer from its weights (ERC, arXiv:2512.23447). Not for recorded routing.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/base/result.h"

namespace moescope::analysis {

/// Rows of the router, [experts, hidden].
struct RouterMatrix {
  int experts = 0, hidden = 0;
  std::vector<float> values;
  [[nodiscard]] std::span<const float> row(int expert) const {
    return std::span(values).subspan(static_cast<std::size_t>(expert) * static_cast<std::size_t>(hidden),
                                     static_cast<std::size_t>(hidden));
  }
};

/// epsilon_i = ||R_i - R_j*|| / (2 ||R_i||) with j* the nearest other row: how far a row may move before it
/// is closer to another. NaN for a zero row or a single expert. [experts]
std::vector<double> routerEpsilon(const RouterMatrix& router);
/// Mean of |cos(R_i, R_j)| over pairs i < j; NaN without a pair of rows that are not zero.
double meanAbsoluteCosine(const RouterMatrix& router);

/// Row `row` of W_g^expert, the gate projection, [hidden], written into `out`.
using GateRow = std::function<void(int expert, int row, std::span<float> out)>;

struct CouplingOptions {
  int noiseDraws =
      0;  ///< 0: delta = 1; else the mean of M over draws of delta_i ~ U(1 - eps_i, 1 + eps_i)^hidden
  std::uint64_t seed = 1;
};
struct CouplingMatrix {
  int experts = 0;
  std::vector<double> values;  ///< [experts, experts] M[i, j] = || W_g^j R_i ||_2
  std::vector<double>
      normalized;  ///< M[i, j] / (||W_g^j||_F ||R_i||), independent of scales; NaN for zero weights
};
/// `intermediate` rows a gate projection. Products in single precision, sums over rows in double; the same
/// result for any number of threads. `gate` is called from several threads. `report(experts done)` on the
/// calling thread; may be empty. Errors: `cancelled`.
Result<CouplingMatrix> couplingMatrix(const RouterMatrix& router, int intermediate, const GateRow& gate,
                                      const CouplingOptions& options,
                                      const std::function<void(std::size_t)>& report, std::stop_token stop);

struct CouplingSummary {
  double loss = 0.0;        ///< L_ERC
  double rowWinRate = 0.0;  ///< share of i with argmax_j M[i, j] = i: the router row prefers its own expert
  double columnWinRate =
      0.0;  ///< share of i with argmax_j M[j, i] = i: the expert prefers its own router row
  double violationShare = 0.0;  ///< share of the 2 n (n - 1) terms of the loss that are above 0
};
/// L_ERC = 1/n^2 sum_i sum_{j != i} max(M[i,j] - alpha M[i,i], 0) + max(M[j,i] - alpha M[i,i], 0). On ties
/// the lower index wins. NaN without experts.
CouplingSummary couplingSummary(std::span<const double> matrix, int experts, double alpha);

}  // namespace moescope::analysis
