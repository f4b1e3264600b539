#include "plugins/cross_layer/layer_pair.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/analysis/parameter_values.h"
#include "core/analysis/routed_tokens.h"

namespace moescope::cross_layer {

using namespace analysis;

namespace {

/// Transitions of every group of texts.
Result<std::vector<ExpertTransitions>> groupTransitions(const AnalysisInput& input, const AnalysedRun& run,
                                                        int from, int to, const TextGroups& groups,
                                                        PairRule rule) {
  const int fromExperts = run.routers[static_cast<std::size_t>(from)].experts;
  const int toExperts = run.routers[static_cast<std::size_t>(to)].experts;
  std::vector<ExpertTransitions> out(static_cast<std::size_t>(groups.groups),
                                     ExpertTransitions(fromExperts, toExperts));
  for (std::size_t s = 0; s < run.sequences.size(); ++s) {
    const trace::SequenceRecord& text = run.sequences[s];
    ExpertTransitions& transitions = out[static_cast<std::size_t>(groups.groupOf[s])];
    const auto visited = forEachRoutedBlock(
        input.store, run.record.id, from, {text.firstToken, text.firstToken + text.length}, {}, input.stop,
        [&](const RoutedBlock& block) {
          RoutedBlock later;
          later.routes = input.store.routeBlock(run.record.id, to, block.first / trace::kBlockTokens);
          if (!later.routes || later.routes->damaged) return;
          for (int row = block.begin; row < std::min(block.end, later.routes->count); ++row)
            transitions.add(block.ids(row), later.ids(row), rule);
        });
    if (!visited) return fail(visited.error());
  }
  return out;
}

Result<std::vector<BootstrapInterval>> intervalsOf(const std::vector<ExpertTransitions>& groups,
                                                   const std::vector<double>& estimates,
                                                   const LayerSettings& settings,
                                                   const std::stop_token& stop) {
  const int count = static_cast<int>(groups.size());
  const TextDraws draws(count, count > 1 ? settings.draws : 0, settings.seed);
  std::vector<std::vector<double>> replicates(estimates.size());
  for (int draw = 0; draw < draws.draws(); ++draw) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    ExpertTransitions drawn(groups.front().from, groups.front().to);
    const auto times = draws.draw(draw);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (times[g] > 0) drawn.add(groups[g], times[g]);
    }
    const std::vector<double> drawnValues = values(flowSummary(drawn));
    for (std::size_t v = 0; v < drawnValues.size(); ++v) replicates[v].push_back(drawnValues[v]);
  }
  std::vector<BootstrapInterval> out;
  for (std::size_t v = 0; v < estimates.size(); ++v)
    out.push_back(bootstrapInterval(estimates[v], replicates[v]));
  return out;
}

}  // namespace

std::vector<ParameterInfo> pairParameters() {
  return {{"pairs", "top1", "top1, rank (equal ranks only) or all (every choice with every choice)"},
          {"draws", "200", "bootstrap draws over groups of texts, 0 to 100000"},
          {"seed", "1", "of the draws"}};
}

Result<PairSettings> pairSettings(const AnalysisParameters& parameters,
                                  const std::vector<RouterSpec>& routers) {
  AnalysisParameters layered = parameters;
  layered.try_emplace("layer", "all");
  const auto layers = layerSettings(layered, routers);
  if (!layers) return fail(layers.error());
  constexpr std::string_view kWords[] = {"top1", "rank", "all"};
  const auto rule = wordParameter(parameters, "pairs", kWords);
  if (!rule) return fail(rule.error());
  return PairSettings{*layers, *pairRuleFrom(*rule)};
}

std::vector<double> values(const FlowSummary& summary) {
  return {summary.mutualInformation, summary.normalizedInformation, summary.meanMax, summary.weightedMax};
}

TextGroups textGroups(const std::vector<trace::SequenceRecord>& sequences) {
  const ResamplingUnits units = resamplingUnits(sequences);
  TextGroups out{units.unitOf, units.units, units.description()};
  if (units.units <= kGroups) return out;
  out.groups = kGroups;
  for (int& group : out.groupOf) group %= kGroups;
  out.description = fmt::format("{} groups of {}", kGroups, units.description());
  return out;
}

std::string groupIntervalText(const TextGroups& groups, int draws) {
  if (draws == 0) return "none: no draws were asked for";
  if (groups.groups < 2) return fmt::format("none: {} cannot be resampled", groups.description);
  return fmt::format("95 % (basic), bootstrap of {} over {}", draws, groups.description);
}

Result<LayerPair> layerPair(const AnalysisInput& input, const AnalysedRun& run, int from, int to,
                            const TextGroups& groups, const PairSettings& settings) {
  const auto parts = groupTransitions(input, run, from, to, groups, settings.rule);
  if (!parts) return fail(parts.error());
  LayerPair out;
  out.from = from;
  out.to = to;
  out.transitions = ExpertTransitions(run.routers[static_cast<std::size_t>(from)].experts,
                                      run.routers[static_cast<std::size_t>(to)].experts);
  for (const ExpertTransitions& part : *parts) out.transitions.add(part);
  auto intervals = intervalsOf(*parts, values(flowSummary(out.transitions)), settings.layers, input.stop);
  if (!intervals) return fail(intervals.error());
  out.intervals = std::move(*intervals);
  return out;
}

ResultMatrix conditionalMatrix(const LayerPair& pair, const std::vector<RouterSpec>& routers) {
  const int from = routers[static_cast<std::size_t>(pair.from)].layer.value;
  const int to = routers[static_cast<std::size_t>(pair.to)].layer.value;
  ResultMatrix out;
  out.id = fmt::format("transition_{}_{}", from, to);
  out.title = fmt::format("P(expert of layer {} | expert of layer {})", to, from);
  out.rowLabel = fmt::format("Expert of layer {}", from);
  out.columnLabel = fmt::format("Expert of layer {}", to);
  out.valueLabel = "share of the row's tokens";
  out.rowNames = expertNames(pair.transitions.from);
  out.columnNames = expertNames(pair.transitions.to);
  out.values = pair.transitions.conditional();
  out.baseline = 1.0 / std::max(1, pair.transitions.to);
  return out;
}

void addPairNotes(PairRule rule, AnalysisResult& out) {
  switch (rule) {
    case PairRule::TopOne: out.notes.push_back("pairs: the first choice of either layer"); break;
    case PairRule::RankAligned:
      out.notes.push_back("pairs: equal ranks only, weight 1/K each (OLMoE's released counter)");
      break;
    case PairRule::AllPairs:
      out.notes.push_back("pairs: every choice with every choice, weight 1/K² each, so that rows sum to 1");
      break;
  }
  out.notes.push_back(
      "information and best guesses are plug-in estimates and biased upwards; mi_bias is what independent "
      "layers would "
      "show (exact for pairs=top1 only), and the intervals are corrected, so that they may lie below the "
      "estimate");
}

}  // namespace moescope::cross_layer
