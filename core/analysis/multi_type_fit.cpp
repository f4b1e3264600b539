#include "core/analysis/multi_type_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/analysis/golden_section.h"

namespace moescope::analysis {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// R(m): the load when every type answers to the congestion of m.
void respond(const TokenTypes& types, double gamma, const std::vector<double>& m,
             std::vector<double>& response, std::vector<double>& utility) {
  std::ranges::fill(response, 0.0);
  for (std::size_t c = 0; c < types.means.size(); ++c) {
    double top = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < m.size(); ++i) {
      utility[i] = types.means[c][i] - gamma * m[i];
      top = std::max(top, utility[i]);
    }
    double sum = 0.0;
    for (double& u : utility) sum += u = std::exp(u - top);
    for (std::size_t i = 0; i < m.size(); ++i) response[i] += types.weights[c] * utility[i] / sum;
  }
}

}  // namespace

std::vector<double> multiTypeEquilibrium(const TokenTypes& types, double gamma, std::vector<double> m) {
  if (types.means.empty()) return {};
  const std::size_t experts = types.means[0].size();
  if (m.size() != experts) m.assign(experts, 1.0 / static_cast<double>(experts));
  constexpr double kClose = 1e-12;
  constexpr int kMostSteps = 20000;  // 30 / eta at the smallest eta of gamma = 200, and then some
  const double safe = 1.0 / (1.0 + gamma / 4.0);
  std::vector<double> response(experts), utility(experts);
  double before = std::numeric_limits<double>::infinity();
  bool isBold = true;
  for (int step = 0; step < kMostSteps; ++step) {
    respond(types, gamma, m, response, utility);
    double residual = 0.0;
    for (std::size_t i = 0; i < experts; ++i) residual = std::max(residual, std::abs(response[i] - m[i]));
    if (residual < kClose) break;
    if (residual >= before) isBold = false;
    before = residual;
    const double bold = 1.0 / (1.0 + gamma * *std::ranges::max_element(response));
    const double eta = isBold ? std::max(safe, bold) : safe;
    for (std::size_t i = 0; i < experts; ++i) m[i] += eta * (response[i] - m[i]);
  }
  return m;
}

MultiTypeFit fitMultiType(const TokenTypes& types, std::span<const double> train,
                          std::span<const double> heldOut, const GammaSettings& settings,
                          const std::stop_token& stop) {
  MultiTypeFit fit{kNaN, kNaN, GammaBoundary::None, kNaN, static_cast<int>(types.means.size())};
  if (types.means.empty() || train.empty()) return fit;
  std::vector<double> m;
  const auto lossAt = [&](double gamma) {
    m = multiTypeEquilibrium(types, gamma, std::move(m));
    return lossBetween(settings.loss, m, train);
  };
  const int last = settings.gridPoints - 1;
  const double cell = settings.largest / last;
  Minimum best{0.0, std::numeric_limits<double>::infinity()};
  for (int i = 0; i <= last; ++i) {
    if (stop.stop_requested()) return fit;
    const double gamma = i == last ? settings.largest : cell * i;
    if (const double loss = lossAt(gamma); loss < best.value) best = {gamma, loss};
  }
  const Minimum inside = goldenSection(lossAt, std::max(0.0, best.at - cell),
                                       std::min(settings.largest, best.at + cell), settings.tolerance);
  if (inside.value < best.value) best = inside;
  fit.gamma = best.at;
  fit.loss = best.value;
  if (best.at <= 0.0) fit.boundary = GammaBoundary::Zero;
  if (best.at >= settings.largest) fit.boundary = GammaBoundary::Largest;
  if (!heldOut.empty())
    fit.heldOutL1 = lossBetween(FitLoss::L1, multiTypeEquilibrium(types, best.at, std::move(m)), heldOut);
  return fit;
}

}  // namespace moescope::analysis
