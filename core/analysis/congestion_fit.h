// CongestionFit: one router's fit of the congestion game, with everything that shows what it is worth.
// A reconstruction (analyses.md 1.4 to 1.8), not the number of arXiv:2604.04230; not for series.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/analysis/gamma_search.h"
#include "core/analysis/quality_estimator.h"

namespace moescope::analysis {

/// Load shares and quality of one router from a multiset of texts.
struct HalvedLoads {
  std::vector<double> quality;              ///< [experts] of the train half, nat; NaN: undefined
  std::vector<double> allQuality;           ///< [experts] of all texts
  std::vector<double> train, heldOut, all;  ///< [experts] load shares, sum 1; empty without choices
  double trainChoices = 0.0;                ///< choices in the train half
};

/// `times` [texts]: how often each text counts.
HalvedLoads halvedLoads(const RouterLoads& loads, const QualityPool& pool,
                        std::span<const std::uint16_t> times);

/// NaN where undefined: nothing was chosen, or there is no held-out text.
struct CongestionFit {
  double gamma, loss;
  GammaBoundary boundary = GammaBoundary::None;
  double gammaOls;            ///< -Cov(log m - q, m) / Var(m) over experts that were chosen
  double temperature;         ///< T_eff
  double qualityCorrelation;  ///< Pearson r(q, m)
  double tau;                 ///< of the fitted temperature softmax
  bool tauBoundary = false;
  /// L1 to the held-out load: of the fit, uniform load, softmax(q), softmax(q / tau), the train load.
  double heldOutL1, uniformL1, softmaxL1, temperatureL1, trainLoadL1;
  double peakFactor;       ///< B_0a = M max m, all texts
  double uncongestedPeak;  ///< B_0b = M max softmax(q), all texts
  double epsilonNash;      ///< (a) max u - sum m u of the train load
  double epsilonResidual;  ///< (b) |m - fit| / |m - 1/M|, both L1, train
  /// L1 between the fit and the inclusion shares of K draws without replacement with weights exp(q - gamma
  /// m), which are the fit itself: 0 for K = 1. NaN for R3, which draws nothing, and without K.
  double inclusionL1;
  int leftOut = 0;  ///< experts without a quality; the fit gives them no load
};

/// -Cov(log m - q, m) / Var(m) over experts with load and a quality: gamma itself where R1 holds. NaN if all
/// loads are equal.
double gammaByRegression(std::span<const double> q, std::span<const double> shares);
/// Pearson r; NaN for fewer than two finite pairs or no variation.
double correlation(std::span<const double> a, std::span<const double> b);
/// M times the largest share; NaN without shares.
double peakFactorOf(std::span<const double> shares);

/// `topK`: choices of a token, for `inclusionL1` alone; 0 leaves that out.
CongestionFit fitCongestion(const HalvedLoads& loads, const GammaSettings& settings, int topK = 0);

/// The part of a fit that is repeated for every bootstrap draw.
struct ReplicateFit {
  double gamma, heldOutL1, peakFactor, uncongestedPeak;
};
/// `search` is warm from the draw before; `start` is the gamma of the point estimate.
ReplicateFit fitReplicate(const HalvedLoads& loads, GammaSearch& search, double start);

}  // namespace moescope::analysis
