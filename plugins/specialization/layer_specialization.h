// LayerSpecialization: everything that one router's choices say about labels, point estimates and intervals.
// Not the tables that show it.
#pragma once

#include "core/analysis/analysis.h"
#include "core/analysis/specialization.h"

namespace moescope::specialization {

struct LabelSettings {
  analysis::LabelSource source;
  int choices = 0;  ///< 0: all of a token, 1: the first
  int draws = 0, shuffles = 0;
  std::uint64_t seed = 0;
};
/// The parameters `labels`, `k`, `draws`, `shuffles` and `seed`, as labelParameters() describes them.
Result<LabelSettings> labelSettings(const analysis::AnalysisParameters& parameters);
std::vector<analysis::ParameterInfo> labelParameters();

struct LayerSpecialization {
  int router = 0, layer = 0;
  std::string label;  ///< of the router: "3", "3 attention"
  analysis::LabelCounts counts;
  analysis::LabelTotals totals;
  analysis::LabelInformation information;
  analysis::SpecializationIntervals intervals;  ///< empty until addIntervals()
  std::vector<double> shuffled;                 ///< bits, empty until then
};

/// Point estimates, [routers] in their order. Errors: `cancelled`.
Result<std::vector<LayerSpecialization>> layerSpecializations(const analysis::AnalysisInput& input,
                                                              const analysis::AnalysedRun& run,
                                                              const std::vector<int>& routers,
                                                              const analysis::LabelUnits& units,
                                                              const LabelSettings& settings);
/// All layers see the same draws of texts. Errors: `cancelled`.
Result<void> addIntervals(const analysis::AnalysisInput& input, const analysis::AnalysedRun& run,
                          const analysis::LabelUnits& units, const LabelSettings& settings,
                          std::vector<LayerSpecialization>& layers);

/// mi_bits, mi_low, mi_high, mi_basic_low, mi_basic_high, miller_madow_bits, shuffled_bits,
/// shuffled_max_bits, most_bits.
std::vector<analysis::ResultColumn> informationColumns();
void addInformation(const LayerSpecialization& layer, std::vector<analysis::ResultCell>& row);

/// "95 %, bootstrap of 1000 over ..." or why there is none.
std::string intervalText(const analysis::LabelUnits& units, const LabelSettings& settings);
/// "labels shuffled over ..., 20 times" and the chance level.
std::string shuffleText(const analysis::LabelUnits& units, const LabelSettings& settings);
/// Few tokens, dead experts and missing sums.
void addNotes(const analysis::LabelUnits& units, const std::vector<LayerSpecialization>& layers,
              std::vector<std::string>& notes);

}  // namespace moescope::specialization
