#include "plugins/cross_layer/flow_analysis.h"

#include <algorithm>

#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "plugins/cross_layer/layer_pair.h"

namespace moescope::cross_layer {

using namespace analysis;

namespace {

/// The layers of OLMoE's figure: first, middle and last (0, 7 and 15 of 16).
std::vector<int> usualLayers(std::size_t routers) {
  const int last = static_cast<int>(routers) - 1;
  std::vector<int> out{0, last / 2, last};
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<std::vector<int>> layersOf(const AnalysisParameters& parameters,
                                  const std::vector<RouterSpec>& routers) {
  const auto found = parameters.find("layers");
  auto layers = found != parameters.end() && found->second == "auto"
                    ? Result<std::vector<int>>(usualLayers(routers.size()))
                    : layersParameter(parameters, "layers", routers);
  if (layers && layers->size() < 2) {
    return fail("analysis.bad_param", "", "layers", "flow needs two layers with a router",
                "give two layers or more, such as 0,7");
  }
  return layers;
}

ResultTable flowTable(const std::vector<LayerPair>& pairs, const std::vector<RouterSpec>& routers) {
  ResultTable out{"flow",
                  "What the earlier expert says about the later one",
                  {{"from_layer", ""},
                   {"to_layer", ""},
                   {"tokens", "tokens"},
                   {"mi", "nat"},
                   {"mi_low", "nat"},
                   {"mi_high", "nat"},
                   {"mi_bias", "nat"},
                   {"mi_normalized", ""},
                   {"mi_normalized_low", ""},
                   {"mi_normalized_high", ""},
                   {"mean_max", ""},
                   {"mean_max_low", ""},
                   {"mean_max_high", ""},
                   {"weighted_max", ""},
                   {"weighted_max_low", ""},
                   {"weighted_max_high", ""},
                   {"guess_without", ""}},
                  {}};
  for (const LayerPair& pair : pairs) {
    const FlowSummary summary = flowSummary(pair.transitions);
    std::vector<ResultCell> row{cell(routers[static_cast<std::size_t>(pair.from)].layer.value),
                                cell(routers[static_cast<std::size_t>(pair.to)].layer.value),
                                static_cast<std::int64_t>(pair.transitions.tokens),
                                cell(summary.mutualInformation)};
    addInterval(row, pair.intervals[0].basic);
    row.push_back(cell(summary.bias));
    row.push_back(cell(summary.normalizedInformation));
    addInterval(row, pair.intervals[1].basic);
    row.push_back(cell(summary.meanMax));
    addInterval(row, pair.intervals[2].basic);
    row.push_back(cell(summary.weightedMax));
    addInterval(row, pair.intervals[3].basic);
    row.push_back(cell(summary.guessWithout));
    out.rows.push_back(std::move(row));
  }
  return out;
}

ResultCell expertCell(int expert) { return expert < 0 ? ResultCell(std::string("others")) : cell(expert); }

ResultTable streamTable(const std::vector<LayerPair>& pairs, const std::vector<RouterSpec>& routers) {
  ResultTable out{"streams",
                  "Streams between experts with more than 1.5 times the uniform share",
                  {{"from_layer", ""},
                   {"from_expert", ""},
                   {"to_layer", ""},
                   {"to_expert", ""},
                   {"tokens", "tokens"},
                   {"share", ""}},
                  {}};
  for (const LayerPair& pair : pairs) {
    for (const FlowStream& stream : flowStreams(pair.transitions)) {
      out.rows.push_back(
          {cell(routers[static_cast<std::size_t>(pair.from)].layer.value), expertCell(stream.fromExpert),
           cell(routers[static_cast<std::size_t>(pair.to)].layer.value), expertCell(stream.toExpert),
           cell(stream.tokens), cell(stream.tokens / pair.transitions.tokens)});
    }
  }
  return out;
}

}  // namespace

const AnalysisInfo& FlowAnalysis::info() const {
  static const AnalysisInfo info = [] {
    AnalysisInfo out{"cross-layer-flow",
                     "Cross-layer flow",
                     "Where the tokens of an expert go in a later layer, with mutual information",
                     AnalysisScope::Run,
                     trace::CaptureLevel::Ids,
                     pairParameters()};
    out.parameters.push_back({"layers", "auto",
                              "auto (first, middle, last), all, or layers such as 0,7,15 (\"7 attention\": "
                              "the second router of a layer)"});
    return out;
  }();
  return info;
}

Result<AnalysisResult> FlowAnalysis::run(const AnalysisInput& input) const {
  const auto run = analysedRun(input.store, input.runs, info().needs);
  if (!run) return fail(run.error());
  const auto settings = pairSettings(input.parameters, run->routers);
  if (!settings) return fail(settings.error());
  const auto layers = layersOf(input.parameters, run->routers);
  if (!layers) return fail(layers.error());
  const TextGroups groups = textGroups(run->sequences);
  std::vector<LayerPair> pairs(layers->size() - 1);
  const auto done =
      forEachLayer(input, "Following tokens", pairs.size(), [&](std::size_t index) -> Result<void> {
        auto pair = layerPair(input, *run, (*layers)[index], (*layers)[index + 1], groups, *settings);
        if (!pair) return fail(pair.error());
        pairs[index] = std::move(*pair);
        return {};
      });
  if (!done) return fail(done.error());
  AnalysisResult out = resultFor(info(), input, *run);
  out.baseline = "independent layers: mi_bias for the information, guess_without for the best guess";
  out.interval = groupIntervalText(groups, settings->layers.draws);
  addPairNotes(settings->rule, out);
  out.tables = {flowTable(pairs, run->routers), streamTable(pairs, run->routers)};
  for (const LayerPair& pair : pairs) out.matrices.push_back(conditionalMatrix(pair, run->routers));
  return out;
}

}  // namespace moescope::cross_layer
