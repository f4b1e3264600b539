#include "plugins/cross_layer/affinity_analysis.h"

#include "core/analysis/parameter_lists.h"
#include "core/analysis/result_cells.h"
#include "plugins/cross_layer/layer_pair.h"

namespace moescope::cross_layer {

using namespace analysis;

namespace {

ResultTable affinityTable(const std::vector<LayerPair>& pairs, const std::vector<RouterSpec>& routers) {
  ResultTable out{"affinity",
                  "Affinity of adjacent layers",
                  {{"from_layer", ""},
                   {"to_layer", ""},
                   {"tokens", "tokens"},
                   {"weighted_max", ""},
                   {"low", ""},
                   {"high", ""},
                   {"guess_without", ""},
                   {"mi_normalized", ""},
                   {"mi_low", ""},
                   {"mi_high", ""}},
                  {}};
  for (const LayerPair& pair : pairs) {
    const FlowSummary summary = flowSummary(pair.transitions);
    std::vector<ResultCell> row{cell(routers[static_cast<std::size_t>(pair.from)].layer.value),
                                cell(routers[static_cast<std::size_t>(pair.to)].layer.value),
                                static_cast<std::int64_t>(pair.transitions.tokens),
                                cell(summary.weightedMax)};
    addInterval(row, pair.intervals[3].basic);
    row.push_back(cell(summary.guessWithout));
    row.push_back(cell(summary.normalizedInformation));
    addInterval(row, pair.intervals[1].basic);
    out.rows.push_back(std::move(row));
  }
  return out;
}

ResultTable coverageTable(const std::vector<LayerPair>& pairs, const std::vector<RouterSpec>& routers,
                          const std::vector<int>& tops) {
  ResultTable out{
      "coverage",
      "Mass of the likeliest next experts",
      {{"from_layer", ""}, {"to_layer", ""}, {"top", "experts"}, {"coverage", ""}, {"without", ""}},
      {}};
  for (const LayerPair& pair : pairs) {
    for (const int top : tops) {
      const Coverage covered = coverage(pair.transitions, top);
      out.rows.push_back({cell(routers[static_cast<std::size_t>(pair.from)].layer.value),
                          cell(routers[static_cast<std::size_t>(pair.to)].layer.value), cell(top),
                          cell(covered.known), cell(covered.unknown)});
    }
  }
  return out;
}

}  // namespace

const AnalysisInfo& AffinityAnalysis::info() const {
  static const AnalysisInfo info = [] {
    AnalysisInfo out{"affinity",
                     "Inter-layer affinity",
                     "P(expert of the next layer | expert) between adjacent layers (ExFlow)",
                     AnalysisScope::Run,
                     trace::CaptureLevel::Ids,
                     pairParameters()};
    out.parameters.push_back({"top", "1,2,4,8", "numbers of likeliest next experts for the coverage"});
    return out;
  }();
  return info;
}

Result<AnalysisResult> AffinityAnalysis::run(const AnalysisInput& input) const {
  const auto run = analysedRun(input.store, input.runs, info().needs);
  if (!run) return fail(run.error());
  const auto settings = pairSettings(input.parameters, run->routers);
  if (!settings) return fail(settings.error());
  const auto tops = wholesParameter(input.parameters, "top", 1, 65'535);
  if (!tops) return fail(tops.error());
  const TextGroups groups = textGroups(run->sequences);
  std::vector<LayerPair> pairs(run->routers.empty() ? 0 : run->routers.size() - 1);
  const auto done =
      forEachLayer(input, "Following tokens", pairs.size(), [&](std::size_t index) -> Result<void> {
        const int from = static_cast<int>(index);
        auto pair = layerPair(input, *run, from, from + 1, groups, *settings);
        if (!pair) return fail(pair.error());
        pairs[index] = std::move(*pair);
        return {};
      });
  if (!done) return fail(done.error());
  AnalysisResult out = resultFor(info(), input, *run);
  out.baseline = "a guess from the next layer's load alone (columns guess_without and without)";
  out.interval = groupIntervalText(groups, settings->layers.draws);
  addPairNotes(settings->rule, out);
  if (pairs.empty()) out.notes.push_back("the model has one layer with a router: there is no next layer");
  out.notes.push_back("adjacent means next layer with a router");
  out.tables = {affinityTable(pairs, run->routers), coverageTable(pairs, run->routers, *tops)};
  for (const LayerPair& pair : pairs) out.matrices.push_back(conditionalMatrix(pair, run->routers));
  return out;
}

}  // namespace moescope::cross_layer
