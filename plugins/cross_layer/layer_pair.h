// LayerPair: the expert transitions between two routers of a run, in groups of texts for intervals.
// Not for what is computed from them (core/analysis/cross_layer_flow.h).
#pragma once

#include <string>
#include <vector>

#include "core/analysis/analysis.h"
#include "core/analysis/bootstrap.h"
#include "core/analysis/cross_layer_flow.h"
#include "core/analysis/layer_jobs.h"

namespace moescope::cross_layer {

/// Texts are resampled in at most this many groups: a matrix of all pairs is kept for each.
inline constexpr int kGroups = 50;

struct PairSettings {
  analysis::LayerSettings layers;
  analysis::PairRule rule = analysis::PairRule::TopOne;
};
/// The parameters `pairs`, `draws` and `seed` (and `layer`, if there is one). Errors: `analysis.bad_param`.
Result<PairSettings> pairSettings(const analysis::AnalysisParameters& parameters,
                                  const std::vector<RouterSpec>& routers);
std::vector<analysis::ParameterInfo> pairParameters();

struct LayerPair {
  int from = 0, to = 0;  ///< indices of routers
  analysis::ExpertTransitions transitions;
  std::vector<analysis::BootstrapInterval> intervals;  ///< of values()
};
/// Mutual information, its normalised form, mean and load-weighted best guess: what has intervals.
std::vector<double> values(const analysis::FlowSummary& summary);

struct TextGroups {
  std::vector<int> groupOf;  ///< [sequences]
  int groups = 0;
  std::string description;  ///< "50 groups of 176 texts"
};
TextGroups textGroups(const std::vector<trace::SequenceRecord>& sequences);
/// "95 % (basic), bootstrap of 200 over 50 groups of 176 texts", or why there is none.
std::string groupIntervalText(const TextGroups& groups, int draws);

/// Reads both routers' choices of every text. Errors: `cancelled`.
Result<LayerPair> layerPair(const analysis::AnalysisInput& input, const analysis::AnalysedRun& run, int from,
                            int to, const TextGroups& groups, const PairSettings& settings);

/// P(j | i) as a matrix, and rows without a token as a note.
analysis::ResultMatrix conditionalMatrix(const LayerPair& pair, const std::vector<RouterSpec>& routers);
/// What the pairs are, and what bias they bring.
void addPairNotes(analysis::PairRule rule, analysis::AnalysisResult& out);

}  // namespace moescope::cross_layer
