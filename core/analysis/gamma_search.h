// GammaSearch: the congestion coefficient whose equilibrium is nearest to observed load shares.
// Not for preparing the shares or for judging the fit (congestion_fit.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/analysis/congestion_equilibrium.h"

namespace moescope::analysis {

enum class FitLoss : std::uint8_t {
  L1,  ///< sum |predicted - observed|, 0 to 2
  L2,  ///< sum of squares
  Kl,  ///< sum observed log(observed / predicted), nat
};

std::string_view name(FitLoss loss);
std::optional<FitLoss> fitLossFrom(std::string_view word);

/// Between load shares [experts]. Kl is infinite where load is predicted to be 0 and is not.
double lossBetween(FitLoss loss, std::span<const double> predicted, std::span<const double> observed);

struct GammaSettings {
  Equilibrium equilibrium = Equilibrium::R1;
  FitLoss loss = FitLoss::L1;
  double largest = 200.0;  ///< gamma is looked for in [0, largest]
  int gridPoints = 401;
  double tolerance = 1e-6;           ///< of the point estimate
  int replicateGridPoints = 101;     ///< where a bootstrap replicate needs a grid
  double replicateTolerance = 1e-3;  ///< of a bootstrap replicate
};

enum class GammaBoundary : std::uint8_t { None, Zero, Largest };

struct GammaFit {
  double gamma = 0.0, loss = 0.0;
  GammaBoundary boundary = GammaBoundary::None;
};

/// Not to be shared between threads.
class GammaSearch {
 public:
  explicit GammaSearch(const GammaSettings& settings)
      : m_settings(settings), m_solver(settings.equilibrium) {}

  /// `q` [experts] finite, `observed` [experts] shares; both are copied or kept only during the search.
  void set(std::span<const double> q, std::span<const double> observed);
  /// The best of a grid, then golden section in the cells beside it.
  GammaFit onGrid(int points, double tolerance);
  /// For a bootstrap replicate: the best of 17 points in a bracket around `start`, then golden section; the
  /// coarser grid if the bracket's edge is best.
  GammaFit near(double start);
  [[nodiscard]] std::span<const double> predicted(double gamma) { return m_solver.solve(gamma); }

 private:
  struct Cells {
    double low, high;
    bool isEdge;  ///< the best point is the first or the last
    GammaFit best;
  };

  double lossAt(double gamma);
  Cells scan(double low, double high, int points);
  GammaFit within(const Cells& cells, double tolerance);

  GammaSettings m_settings;
  EquilibriumSolver m_solver;
  std::vector<double> m_observed;
};

struct TemperatureFit {
  double tau = 1.0, loss = 0.0;
  bool boundary = false;  ///< on an end of the grid
};

/// Softmax of q / tau by the same loss on 201 log-spaced points from 0.2 to 20.
TemperatureFit fitTemperature(std::span<const double> q, std::span<const double> observed, FitLoss loss);

}  // namespace moescope::analysis
