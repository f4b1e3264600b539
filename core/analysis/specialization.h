// Specialization: how often an expert serves the tokens of each label (OLMoE, arXiv:2409.02060 eq. 7).
// Not for tokens or positions as labels (key_counts.h).
#pragma once

#include <stop_token>

#include "core/analysis/label_information.h"

namespace moescope::analysis {

/// N_{i,D} / N_D: choices of expert i on tokens of label D per token of D, [labels, experts]; a row sums to k
/// and is NaN where a label has no token. The chance level is k / M.
std::vector<double> labelRates(const LabelTotals& totals);
/// N_{i,D} / N_i: which part of the expert's choices come from each label, [labels, experts]; a column sums
/// to 1 and is NaN for a dead expert. The chance level of a row is the label's share of the tokens.
std::vector<double> labelShares(const LabelTotals& totals);
/// Jensen-Shannon divergence of the labels' load shares, nat, [labels, labels].
std::vector<double> labelDivergences(const LabelTotals& totals);

struct SpecializationIntervals {
  std::vector<Interval> rates;    ///< [labels, experts] percentile, 95 %
  BootstrapInterval information;  ///< of the plug-in value
};

/// Resamples the units of every stratum by `draws`, which all routers may share. Undefined (NaN) where a
/// stratum has fewer than two units or there is no draw. Errors: `cancelled`.
Result<SpecializationIntervals> specializationIntervals(const LabelCounts& counts,
                                                        const StratifiedDraws& draws, std::stop_token stop);

}  // namespace moescope::analysis
