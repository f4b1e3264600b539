#include "core/analysis/congestion_notes.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

using Notes = std::vector<std::string>;

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

/// Fits for which `claim` holds.
int countFits(const CongestionSeries& series, const auto& claim) {
  int count = 0;
  for (const CheckpointFit& point : series.points)
    count += static_cast<int>(std::ranges::count_if(point.layers, claim));
  return count;
}

int fitsOf(const CongestionSeries& series) {
  return countFits(series, [](const LayerFit& l) { return std::isfinite(l.fit.gamma); });
}

void addEstimatorNotes(Notes& notes, const SeriesLoads& loads, const CongestionSeries& series,
                       const CongestionSettings& settings) {
  const bool allLogits = std::ranges::all_of(loads.points, [](const SeriesPoint& p) { return p.hasLogits; });
  if (!allLogits) {
    notes.push_back(
        "Q4 is the log of the mean gate weight where chosen, because not every run has recorded logits; Q3 "
        "and the multi-type fit need capture full.");
  }
  if (settings.estimator == QualityEstimator::Q4) {
    const int leftOut = countFits(series, [](const LayerFit& l) { return l.fit.leftOut > 0; });
    int experts = 0;
    for (const CheckpointFit& point : series.points) {
      for (const LayerFit& layer : point.layers) experts += layer.fit.leftOut;
    }
    if (experts > 0) {
      notes.push_back(fmt::format(
          "{} experts in {} fits were never chosen: Q4 is undefined for them and they were left out.",
          experts, leftOut));
    }
  }
  double least = std::numeric_limits<double>::infinity();
  std::string pair;
  for (const EstimatorAgreement& agreement : series.agreement) {
    if (!(agreement.r < least)) continue;
    least = agreement.r;
    pair = upper(name(agreement.a)) + " and " + upper(name(agreement.b));
  }
  notes.push_back(pair.empty()
                      ? std::string("The agreement of the estimators is undefined here.")
                      : fmt::format("Lowest correlation of two estimators over the checkpoints: {:.2f} ({}).",
                                    least, pair));
}

void addFlagNotes(Notes& notes, const CongestionSeries& series) {
  const int fits = fitsOf(series);
  const int boundary =
      countFits(series, [](const LayerFit& l) { return l.fit.boundary != GammaBoundary::None; });
  if (boundary > 0) {
    notes.push_back(
        fmt::format("{} of {} fits are on a boundary of gamma: there the load is sharper than softmax(q), or "
                    "too even for "
                    "the range, and the value means little.",
                    boundary, fits));
  }
  const int tau = countFits(series, [](const LayerFit& l) { return l.fit.tauBoundary; });
  if (tau > 0) notes.push_back(fmt::format("{} of {} fits of tau are on an end of its grid.", tau, fits));
  const int uniform = countFits(series, [](const LayerFit& l) { return l.fit.uniformL1 <= l.fit.heldOutL1; });
  if (uniform > 0) {
    notes.push_back(fmt::format("In {} of {} fits uniform load predicts the held-out load at least as well.",
                                uniform, fits));
  }
  const int sequential =
      countFits(series, [](const LayerFit& l) { return l.fit.inclusionL1 > l.fit.heldOutL1; });
  if (sequential > 0) {
    notes.push_back(fmt::format(
        "In {} of {} fits drawing K different experts instead of single choices moves the load by more than "
        "the held-out L1 (inclusion_l1): the game of single choices describes them poorly.",
        sequential, fits));
  }
  const int outside = countFits(
      series, [](const LayerFit& l) { return l.gamma.value < l.gamma.low || l.gamma.value > l.gamma.high; });
  if (outside > 0) {
    notes.push_back(
        fmt::format("In {} of {} fits gamma lies outside its percentile interval: resampling adds noise to "
                    "q, which gamma "
                    "grows with. The basic interval stands beside it.",
                    outside, fits));
  }
  const int empty = countFits(series, [](const LayerFit& l) { return !std::isfinite(l.fit.gamma); });
  if (empty > 0) notes.push_back(fmt::format("{} layers of checkpoints have no load to fit.", empty));
  const int undefined = countFits(series, [](const LayerFit& l) { return l.undefinedDraws > 0; });
  if (undefined > 0)
    notes.push_back(fmt::format("In {} fits some draws had no train text and were left out.", undefined));
}

void addPriceNotes(Notes& notes, const SeriesLoads& loads, const Decomposition& decomposition) {
  if (decomposition.alpha) {
    notes.push_back(
        fmt::format("gamma_explicit = {:.3g} x {:.3g} x experts, the price of the load-balancing loss.",
                    decomposition.factor, *decomposition.alpha));
  } else if (loads.largestBias > 0.0) {
    notes.emplace_back(
        "gamma_explicit is 0: the model's config names no load-balancing loss, and a selection bias "
        "balances.");
  } else {
    notes.emplace_back(
        "No decomposition: the weight alpha of the load-balancing loss is not in the model's config; "
        "give it as a parameter.");
  }
  if (loads.largestBias > 0.0) {
    notes.push_back(
        fmt::format("Experts are chosen with a selection bias of up to {:.3g}, which q does not hold.",
                    loads.largestBias));
  }
}

void addTypeNotes(Notes& notes, const CongestionSeries& series) {
  double sum = 0.0;
  int better = 0, fits = 0;
  for (const CheckpointFit& point : series.points) {
    for (const LayerFit& layer : point.layers) {
      if (!std::isfinite(layer.improvement)) continue;
      ++fits;
      sum += layer.improvement;
      if (layer.improvement > 0.0) ++better;
    }
  }
  if (fits == 0) return;
  notes.push_back(fmt::format(
      "Types of tokens lower the held-out L1 in {} of {} fits, by {:.1f} % on average; types come "
      "from at most {} train tokens.",
      better, fits, 100.0 * sum / fits, TokenTypeSettings().mostRows));
}

}  // namespace

std::string congestionInterval(const SeriesLoads& loads, const CongestionSeries& series,
                               const CongestionSettings& settings) {
  if (series.hasIntervals) {
    return fmt::format("95 % percentile (basic beside it for gamma), bootstrap of {} over {}", settings.draws,
                       loads.drawn);
  }
  if (loads.texts < 2) return "none: one text cannot be resampled";
  return settings.draws == 0 ? "none: no draws were asked for" : "not yet";
}

Notes congestionNotes(const SeriesLoads& loads, const CongestionSeries& series,
                      const CongestionSettings& settings, const Decomposition& decomposition) {
  Notes notes{
      fmt::format("Congestion fit ({}), estimator {}: a reconstruction, not the number of arXiv:2604.04230. "
                  "gamma scales with the unit of q: compare it only for the same estimator.",
                  upper(name(settings.fit.equilibrium)), upper(name(settings.estimator))),
      "Even texts are fitted, odd texts are held out; resampled texts keep their half."};
  notes.insert(notes.end(), loads.notes.begin(), loads.notes.end());
  if (loads.texts < 2) notes.push_back("One text: nothing is held out.");
  addFlagNotes(notes, series);
  addEstimatorNotes(notes, loads, series, settings);
  addPriceNotes(notes, loads, decomposition);
  addTypeNotes(notes, series);
  if (!series.phases.withheld.empty()) notes.push_back("No phases: " + series.phases.withheld + ".");
  return notes;
}

}  // namespace moescope::analysis
