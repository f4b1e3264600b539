#include "plugins/specialization/context_independence_analysis.h"

#include <limits>

#include <fmt/format.h>

#include "core/analysis/context_independence.h"
#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/routed_tokens.h"
#include "plugins/specialization/key_layer.h"

namespace moescope::specialization {

using namespace analysis;

const AnalysisInfo& ContextIndependenceAnalysis::info() const {
  static const AnalysisInfo info{
      "context-independence",
      "Context independence",
      "How far routing is told by the token id alone, or by the position alone",
      AnalysisScope::Run,
      trace::CaptureLevel::Ids,
      {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"},
       {"k", "all", "all: every expert of a token, 1: its first choice only"},
       {"min_count", "128", "the spread is taken of ids and positions with more occurrences"},
       {"draws", "200", "bootstrap draws of the intervals, 0 to 100000"},
       {"seed", "1", "of draws and of the shuffled control"}}};
  return info;
}

Result<AnalysisResult> ContextIndependenceAnalysis::run(const AnalysisInput& input) const {
  const auto choices = choicesParameter(input.parameters, "k");
  if (!choices) return fail(choices.error());
  const auto minCount = wholeParameter(input.parameters, "min_count", 0, 1'000'000'000);
  if (!minCount) return fail(minCount.error());
  const auto run = analysedRun(input.store, input.runs, trace::CaptureLevel::Ids);
  if (!run) return fail(run.error());
  const auto settings = layerSettings(input.parameters, run->routers);
  if (!settings) return fail(settings.error());
  const auto units = unitsOfTokens(input.store, *run, input.stop);
  if (!units) return fail(units.error());
  const TextDraws draws(units->units, settings->draws, settings->seed);

  AnalysisResult out = resultFor(info(), input, *run);
  out.baseline = "uniform: spread 0, explained 0; ids and positions shuffled over all tokens";
  out.interval = intervalText(*units, settings->draws);
  ResultTable table{"spread",
                    "Spread of routing by token id and by position",
                    {{"layer", ""},
                     {"key", ""},
                     {"spread", ""},
                     {"spread_low", ""},
                     {"spread_high", ""},
                     {"spread_shuffled", ""},
                     {"spread_most", ""},
                     {"keys", ""},
                     {"explained", ""},
                     {"explained_low", ""},
                     {"explained_high", ""},
                     {"explained_shuffled", ""}},
                    {}};
  std::int64_t done = 0;
  bool noneFrequent = false;
  for (const TokenKey kind : {TokenKey::Input, TokenKey::Position}) {
    const auto keys = runKeys(input.store, *run, kind, settings->seed, input.stop);
    if (!keys) return fail(keys.error());
    for (const int router : settings->routers) {
      const auto layer = keyLayer(input.store, *run, router, *keys, *units, *choices, input.stop);
      if (!layer) return fail(layer.error());
      const auto intervals = keyIntervals(
          layer->rows, draws,
          [&](const KeyCounts& counts) {
            const ContextIndependence values = contextIndependence(counts, *minCount);
            return std::vector{values.meanSpread, values.uncertaintyExplained};
          },
          input.stop);
      if (!intervals) return fail(intervals.error());
      const ContextIndependence values = contextIndependence(layer->counts, *minCount);
      const ContextIndependence control = contextIndependence(layer->shuffled, *minCount);
      const RouterSpec& spec = run->routers[static_cast<std::size_t>(router)];
      std::vector<ResultCell> row{cell(spec.layer.value), std::string(name(kind)), cell(values.meanSpread)};
      addInterval(row, (*intervals)[0]);
      row.insert(row.end(),
                 {cell(control.meanSpread), cell(largestSpread(layer->counts.choices, spec.experts)),
                  values.keys, cell(values.uncertaintyExplained)});
      addInterval(row, (*intervals)[1]);
      row.push_back(cell(control.uncertaintyExplained));
      table.rows.push_back(std::move(row));
      noneFrequent = noneFrequent || values.keys == 0;
      if (input.progress)
        input.progress({"Sorting choices by token", ++done,
                        static_cast<std::int64_t>(2 * settings->routers.size()), "layers"});
    }
  }
  out.tables.push_back(std::move(table));
  if (noneFrequent)
    out.notes.push_back(
        fmt::format("where no id or position occurs more than {} times there is no spread", *minCount));
  out.notes.emplace_back(
      "explained (1 - H(e|x)/H(e)) is raised by rare ids: compare it with the shuffled control");
  return out;
}

}  // namespace moescope::specialization
