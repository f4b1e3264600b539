#include "core/analysis/congestion_equilibrium.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace moescope::analysis {

namespace {

constexpr std::array<std::string_view, 3> kNames{"r1", "r2", "r3"};

/// y with y + gamma exp(y) = x. The left side is convex and increasing, so Newton comes down to the root
/// from its second step on.
double logShare(double x, double gamma) {
  // For large x the root is near log(x / gamma), for small x near x.
  double y = x > 1.0 && gamma > 0.0 ? std::min(x, std::log(x / gamma)) : x;
  for (int i = 0; i < 100; ++i) {
    const double congestion = gamma * std::exp(y);
    const double step = (x - y - congestion) / (1.0 + congestion);
    y += step;
    if (std::abs(step) <= 1e-15 * std::max(1.0, std::abs(y))) break;
  }
  return y;
}

}  // namespace

std::string_view name(Equilibrium kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<Equilibrium> equilibriumFrom(std::string_view word) {
  const auto found = std::ranges::find(kNames, word);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Equilibrium>(found - kNames.begin());
}

std::vector<double> softmaxShares(std::span<const double> q, double temperature) {
  std::vector<double> m(q.size());
  if (q.empty()) return m;
  const double top = *std::ranges::max_element(q);
  double sum = 0.0;
  for (std::size_t i = 0; i < q.size(); ++i) sum += m[i] = std::exp((q[i] - top) / temperature);
  for (double& share : m) share /= sum;
  return m;
}

std::vector<double> equilibriumR1(std::span<const double> q, double gamma) {
  std::vector<double> m = softmaxShares(q);
  if (gamma <= 0.0 || q.empty()) return m;
  const double top = *std::ranges::max_element(q);
  // exp(q - gamma - lambda) <= m <= exp(q - lambda) puts lambda between these two.
  double high = 0.0;
  for (const double value : q) high += std::exp(value - top);
  high = std::log(high);
  double low = high - gamma;
  double lambda = high - gamma / static_cast<double>(q.size());
  for (int i = 0; i < 200; ++i) {
    double sum = 0.0, slope = 0.0;
    for (std::size_t e = 0; e < q.size(); ++e) {
      m[e] = std::exp(logShare(q[e] - top - lambda, gamma));
      sum += m[e];
      slope += m[e] / (1.0 + gamma * m[e]);
    }
    (sum > 1.0 ? low : high) = lambda;
    const double step = (sum - 1.0) / slope;
    if (std::abs(step) <= 1e-15 * std::max(1.0, std::abs(lambda))) break;
    lambda += step;
    if (!(lambda > low && lambda < high)) lambda = 0.5 * (low + high);
    if (high - low <= 1e-15 * std::max(1.0, std::abs(high))) break;
  }
  return m;
}

std::vector<double> equilibriumR2(std::span<const double> q, double gamma) {
  return softmaxShares(q, 1.0 + gamma);
}

std::vector<double> equilibriumR3(std::span<const double> q, double gamma) {
  std::vector<double> m(q.size());
  if (q.empty()) return m;
  std::vector<double> sorted(q.begin(), q.end());
  std::ranges::sort(sorted, std::greater<>());
  if (gamma <= 0.0) {
    const auto best = static_cast<double>(std::ranges::count(sorted, sorted[0]));
    std::ranges::transform(q, m.begin(), [&](double v) { return v == sorted[0] ? 1.0 / best : 0.0; });
    return m;
  }
  // With the n best in use, lambda = (sum of their q - gamma) / n; n grows while the next is above it.
  double sum = sorted[0];
  double lambda = sum - gamma;
  for (std::size_t n = 1; n < sorted.size() && sorted[n] > lambda; ++n) {
    sum += sorted[n];
    lambda = (sum - gamma) / static_cast<double>(n + 1);
  }
  std::ranges::transform(q, m.begin(), [&](double v) { return std::max(0.0, (v - lambda) / gamma); });
  return m;
}

std::vector<double> equilibrium(Equilibrium kind, std::span<const double> q, double gamma) {
  switch (kind) {
    case Equilibrium::R1: return equilibriumR1(q, gamma);
    case Equilibrium::R2: return equilibriumR2(q, gamma);
    case Equilibrium::R3: return equilibriumR3(q, gamma);
  }
  return {};
}

double effectiveTemperature(Equilibrium kind, double gamma, int experts) {
  switch (kind) {
    case Equilibrium::R1:
      return experts > 0 ? 1.0 + gamma / experts : std::numeric_limits<double>::quiet_NaN();
    case Equilibrium::R2: return 1.0 + gamma;
    case Equilibrium::R3: break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

void EquilibriumSolver::setQuality(std::span<const double> q) {
  m_warm = m_warm && q.size() == m_q.size();
  m_q.assign(q.begin(), q.end());
  if (m_q.empty()) return;
  const double top = *std::ranges::max_element(m_q);
  for (double& value : m_q) value -= top;
}

std::span<const double> EquilibriumSolver::solve(double gamma) {
  if (m_kind != Equilibrium::R1) {
    m_shares = equilibrium(m_kind, m_q, gamma);
    return m_shares;
  }
  if (m_warm) predict(gamma);
  if (!m_warm || !refine(gamma)) {
    m_shares = equilibriumR1(m_q, gamma);
    m_logShares.resize(m_q.size());
    m_residuals.resize(m_q.size());
    m_damping.resize(m_q.size());
    std::ranges::transform(m_shares, m_logShares.begin(), [](double m) { return std::log(m); });
    std::ranges::transform(m_shares, m_damping.begin(),
                           [gamma](double m) { return 1.0 / (1.0 + gamma * m); });
    m_lambda = m_q.empty() ? 0.0 : m_q[0] - m_logShares[0] - gamma * m_shares[0];
    // A share that underflows has no logarithm to go on from.
    m_warm = std::ranges::all_of(m_logShares, [](double y) { return std::isfinite(y); });
  }
  m_gamma = gamma;
  return m_shares;
}

/// First order in gamma: dy = -(m + dlambda) / (1 + gamma m), with dlambda such that the sum stays 1.
void EquilibriumSolver::predict(double gamma) {
  double squares = 0.0, sum = 0.0;
  for (std::size_t i = 0; i < m_q.size(); ++i) {
    const double weight = m_shares[i] * m_damping[i];
    squares += m_shares[i] * weight;
    sum += weight;
  }
  const double slope = -squares / sum;
  const double change = gamma - m_gamma;
  for (std::size_t i = 0; i < m_q.size(); ++i)
    m_logShares[i] -= change * (m_shares[i] + slope) * m_damping[i];
  m_lambda += change * slope;
}

/// One Newton step for all y and lambda together; returns the largest change of a y.
double EquilibriumSolver::newtonStep(double gamma) {
  // Longer steps would leave the region where exp is near its tangent.
  constexpr double kLongest = 2.0;
  double sum = 0.0, weights = 0.0, weighted = 0.0;
  for (std::size_t i = 0; i < m_q.size(); ++i) {
    const double m = std::exp(m_logShares[i]);
    const double damped = 1.0 / (1.0 + gamma * m);
    const double residual = m_q[i] - m_lambda - m_logShares[i] - gamma * m;
    sum += m;
    weights += m * damped;
    weighted += m * damped * residual;
    m_shares[i] = m;
    m_residuals[i] = residual;
    m_damping[i] = damped;
  }
  const double change = (weighted + sum - 1.0) / weights;
  double largest = 0.0;
  for (std::size_t i = 0; i < m_q.size(); ++i) {
    const double step = std::clamp((m_residuals[i] - change) * m_damping[i], -kLongest, kLongest);
    m_logShares[i] += step;
    m_shares[i] *= 1.0 + step * (1.0 + 0.5 * step);  // exp to third order: exact where the loop ends
    largest = std::max(largest, std::abs(step));
  }
  m_lambda += change;
  return largest;
}

bool EquilibriumSolver::refine(double gamma) {
  // Newton squares the error: a last step of 1e-5 leaves 1e-10.
  constexpr double kLastStep = 1e-5;
  constexpr int kMostSteps = 30;
  for (int i = 0; i < kMostSteps; ++i) {
    const double step = newtonStep(gamma);
    if (!std::isfinite(step) || !std::isfinite(m_lambda)) return false;
    if (step < kLastStep) return true;
  }
  return false;
}

}  // namespace moescope::analysis
