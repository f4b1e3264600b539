// Label information: how much the chosen expert tells about the label (mutual information, bits).
// Not for single experts (specialization.h).
#pragma once

#include <stop_token>

#include "core/analysis/label_counts.h"

namespace moescope::analysis {

/// Each (token, chosen expert) is one sample and all labels weigh the same: I = H(mean over labels of
/// p(e|D)) - mean over labels of H(p(e|D)), in bits (analyses.md section 10).
struct LabelInformation {
  double plugIn = 0.0;
  /// With the first-order bias removed (Miller 1955): + (m - 1) / (2 N) in nat for the entropy of the
  /// mixture, N = L^2 / sum 1 / N_D, and - mean (m_D - 1) / (2 N_D); m experts that occur, L labels.
  double millerMadow = 0.0;
  double most = 0.0;  ///< log2 of the labels that have a choice: what it cannot exceed
  int labels = 0;     ///< that have a choice
};

/// NaN if fewer than two labels have a choice.
LabelInformation labelInformation(const LabelTotals& totals);

/// Plug-in values with the labels shuffled over the entries (sequences or windows): the level to expect by
/// chance. For labels per text.
std::vector<double> shuffledInformation(const LabelCounts& counts, int shuffles, std::uint64_t seed);

/// The same for labels per token: the labels of whole blocks of 256 rows are exchanged, row for row, so that
/// the runs of equal labels in a text stay together. Errors: `cancelled`.
Result<std::vector<double>> shuffledTokenInformation(const trace::TraceStore& store, const AnalysedRun& run,
                                                     int router, const LabelUnits& units, int choices,
                                                     int shuffles, std::uint64_t seed, std::stop_token stop);

}  // namespace moescope::analysis
