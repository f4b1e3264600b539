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

GammaFit GammaSearch::within(double low, double high, double tolerance) {
  Minimum best = goldenSection([this](double gamma) { return lossAt(gamma); }, low, high, tolerance);
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

GammaFit GammaSearch::onGrid(int points, double tolerance) {
  const int last = points - 1;
  const auto at = [&](int i) { return i >= last ? m_settings.largest : m_settings.largest / last * i; };
  int best = 0;
  double lowest = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= last; ++i) {
    const double loss = lossAt(at(i));
    if (loss < lowest) {
      lowest = loss;
      best = i;
    }
  }
  return within(at(std::max(0, best - 1)), at(best + 1), tolerance);
}

GammaFit GammaSearch::near(double start) {
  constexpr double kWall = std::numeric_limits<double>::infinity();
  const auto beside = [&](double from, double step) {
    const double to = std::clamp(from + step, 0.0, m_settings.largest);
    return Minimum{to, to == from ? kWall : lossAt(to)};
  };
  // A step that is longer than what most replicates differ by, and that grows where it is not.
  double step = std::max(0.5, 0.1 * start);
  Minimum middle{start, lossAt(start)};
  Minimum low = beside(start, -step);
  Minimum high = beside(start, step);
  while (low.value < middle.value || high.value < middle.value) {
    step *= 2.0;
    if (low.value < high.value) {
      high = middle;
      middle = low;
      low = beside(middle.at, -step);
    } else {
      low = middle;
      middle = high;
      high = beside(middle.at, step);
    }
  }
  const GammaFit found = within(low.at, high.at, m_settings.replicateTolerance);
  if (found.boundary == GammaBoundary::None) return found;
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
