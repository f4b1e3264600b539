// Equilibria of the congestion game: the load shares of experts that differ in quality and lose by being
// chosen often. A reconstruction (analyses.md 1.4), not for fitting (congestion_fit.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace moescope::analysis {

enum class Equilibrium : std::uint8_t {
  R1,  ///< linear congestion with entropy: m_i proportional to exp(q_i - gamma m_i)
  R2,  ///< logarithmic congestion: m_i proportional to exp(q_i / (1 + gamma))
  R3,  ///< linear congestion without entropy (Wardrop): m_i = max(0, (q_i - lambda) / gamma)
};

std::string_view name(Equilibrium kind);
std::optional<Equilibrium> equilibriumFrom(std::string_view word);

/// Softmax of q / temperature. Experts with q = -infinity get 0.
std::vector<double> softmaxShares(std::span<const double> q, double temperature = 1.0);

/// The unique m of R1 with sum 1, to rounding: with y = log m, each y + gamma exp(y) = q - lambda is solved
/// by Newton (the logarithmic form of Lambert's W), lambda by Newton held inside a bracket. `q` [experts] in
/// nat, finite; gamma >= 0.
std::vector<double> equilibriumR1(std::span<const double> q, double gamma);
std::vector<double> equilibriumR2(std::span<const double> q, double gamma);
/// By filling from the best expert down. gamma = 0: all load on the best, shared by equals.
std::vector<double> equilibriumR3(std::span<const double> q, double gamma);
std::vector<double> equilibrium(Equilibrium kind, std::span<const double> q, double gamma);

/// The temperature T of softmax(q / T) that is nearest to the equilibrium for small differences: 1 + gamma/M
/// for R1, exactly 1 + gamma for R2, NaN for R3.
double effectiveTemperature(Equilibrium kind, double gamma, int experts);

/// The equilibria of one q for many gamma, each started from the one before: what a fit calls thousands of
/// times. Not to be shared between threads.
class EquilibriumSolver {
 public:
  explicit EquilibriumSolver(Equilibrium kind) : m_kind(kind) {}
  /// The start is kept if the number of experts is the same.
  void setQuality(std::span<const double> q);
  /// [experts]; valid until the next call.
  std::span<const double> solve(double gamma);

 private:
  void predict(double gamma);
  bool refine(double gamma);
  double newtonStep(double gamma);

  Equilibrium m_kind;
  std::vector<double> m_q, m_shares, m_logShares, m_residuals, m_damping;  // damping: 1 / (1 + gamma m)
  double m_lambda = 0.0, m_gamma = 0.0;
  bool m_warm = false;
};

}  // namespace moescope::analysis
