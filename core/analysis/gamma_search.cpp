#include "core/analysis/gamma_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/analysis/golden_section.h"

namespace moescope::analysis {

namespace {

constexpr std::array<std::string_view, 3> kLossNames{"l1", "l2", "kl"};

}  // namespace

std::string_view name(FitLoss loss) { return kLossNames[static_cast<std::size_t>(loss)]; }

std::optional<FitLoss> fitLossFrom(std::string_view word) {
  const auto found = std::ranges::find(kLossNames, word);
  if (found == kLossNames.end()) return std::nullopt;
  return static_cast<FitLoss>(found - kLossNames.begin());
}

double lossBetween(FitLoss loss, std::span<const double> predicted, std::span<const double> observed) {
  double sum = 0.0;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    const double difference = predicted[i] - observed[i];
    switch (loss) {
      case FitLoss::L1: sum += std::abs(difference); break;
      case FitLoss::L2: sum += difference * difference; break;
      case FitLoss::Kl:
        if (observed[i] > 0.0) {
          sum += predicted[i] > 0.0 ? observed[i] * std::log(observed[i] / predicted[i])
                                    : std::numeric_limits<double>::infinity();
        }
        break;
    }
  }
  return sum;
}

void GammaSearch::set(std::span<const double> q, std::span<const double> observed) {
  m_solver.setQuality(q);
  m_observed.assign(observed.begin(), observed.end());
}

double GammaSearch::lossAt(double gamma) {
  return lossBetween(m_settings.loss, m_solver.solve(gamma), m_observed);
}

GammaFit GammaSearch::within(const Cells& cells, double tolerance) {
  const auto [low, high, isEdge, point] = cells;
  Minimum best = goldenSection([this](double gamma) { return lossAt(gamma); }, low, high, tolerance);
  // With two minima in the cells it may go down into the shallower one.
  if (point.loss < best.value) best = {point.gamma, point.loss};
  // The ends of the range themselves are never looked at by the golden section.
  for (const double end : {0.0, m_settings.largest}) {
    if (end != low && end != high) continue;
    const double value = lossAt(end);
    if (value <= best.value) best = {end, value};
  }
  GammaBoundary boundary = GammaBoundary::None;
  if (best.at <= 0.0) boundary = GammaBoundary::Zero;
  if (best.at >= m_settings.largest) boundary = GammaBoundary::Largest;
  return {best.at, best.value, boundary};
}

/// The best of equally spaced points, and the cells beside it.
GammaSearch::Cells GammaSearch::scan(double low, double high, int points) {
  const int last = points - 1;
  const auto at = [&](int i) { return i >= last ? high : low + (high - low) / last * std::max(0, i); };
  int best = 0;
  double lowest = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= last; ++i) {
    const double loss = lossAt(at(i));
    if (loss < lowest) {
      lowest = loss;
      best = i;
    }
  }
  return {at(best - 1), at(best + 1), best == 0 || best == last, {at(best), lowest, GammaBoundary::None}};
}

GammaFit GammaSearch::onGrid(int points, double tolerance) {
  const Cells cells = scan(0.0, m_settings.largest, points);
  return within(cells, tolerance);
}

GammaFit GammaSearch::near(double start) {
  // The loss has several minima a little apart, so the bracket is looked through, not walked down. Its width
  // holds most replicates; its cells are as fine as those of the grid or a small part of gamma.
  constexpr int kPointsEachSide = 8;
  const double width = kPointsEachSide * std::max(0.5, 0.09 * start);
  const Cells cells = scan(std::max(0.0, start - width), std::min(m_settings.largest, start + width),
                           2 * kPointsEachSide + 1);
  if (!cells.isEdge) return within(cells, m_settings.replicateTolerance);
  return onGrid(m_settings.replicateGridPoints, m_settings.replicateTolerance);
}

TemperatureFit fitTemperature(std::span<const double> q, std::span<const double> observed, FitLoss loss) {
  constexpr int kPoints = 201;
  constexpr double kLowest = 0.2, kHighest = 20.0;
  TemperatureFit best{1.0, std::numeric_limits<double>::infinity(), false};
  for (int i = 0; i < kPoints; ++i) {
    const double tau = kLowest * std::pow(kHighest / kLowest, static_cast<double>(i) / (kPoints - 1));
    const double value = lossBetween(loss, softmaxShares(q, tau), observed);
    if (value < best.loss) best = {tau, value, i == 0 || i == kPoints - 1};
  }
  return best;
}

}  // namespace moescope::analysis
