#include "plugins/specialization/token_drop_analysis.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "core/analysis/key_counts.h"
#include "core/analysis/layer_jobs.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/routed_tokens.h"
#include "core/analysis/shuffle.h"
#include "core/analysis/token_drop.h"
#include "plugins/specialization/key_layer.h"

namespace moescope::specialization {

using namespace analysis;

namespace {

struct Settings {
  double factor = 0.0;
  DropOrder order = DropOrder::Sequence;
  std::int64_t groupTokens = 0;  ///< 0: each text is a routing group
  std::int32_t binWidth = 0;
  int draws = 0;
  std::uint64_t seed = 0;
};

Result<Settings> settingsOf(const AnalysisParameters& parameters) {
  constexpr std::array<std::string_view, 2> kOrders{"sequence", "first-choices"};
  Settings out;
  const auto factor = realParameter(parameters, "capacity", 0.01, 1000.0);
  if (!factor) return fail(factor.error());
  const auto order = wordParameter(parameters, "order", kOrders);
  if (!order) return fail(order.error());
  if (const auto group = parameters.find("group"); group == parameters.end() || group->second != "text") {
    const auto tokens = wholeParameter(parameters, "group", 1, trace::kMostTokens);
    if (!tokens) {
      Error error = tokens.error();
      error.advice = "give text, or a whole number of tokens";
      return fail(error);
    }
    out.groupTokens = *tokens;
  }
  const auto width = wholeParameter(parameters, "bin", 1, 1 << 24);
  if (!width) return fail(width.error());
  const auto draws = wholeParameter(parameters, "draws", 0, 10000);
  if (!draws) return fail(draws.error());
  const auto seed = wholeParameter(parameters, "seed", 0, std::numeric_limits<std::int64_t>::max());
  if (!seed) return fail(seed.error());
  out.factor = *factor;
  out.order = *order == "sequence" ? DropOrder::Sequence : DropOrder::FirstChoices;
  out.binWidth = static_cast<std::int32_t>(*width);
  out.draws = static_cast<int>(*draws);
  out.seed = static_cast<std::uint64_t>(*seed);
  return out;
}

/// Rows with a decision, in order of arrival.
struct DropRows {
  std::size_t width = 0;
  std::vector<std::int32_t> sequences, positions, units;
  std::vector<std::uint16_t> ids;  ///< [rows, width]
};

Result<DropRows> dropRows(const trace::TraceStore& store, const AnalysedRun& run, int router,
                          const TokenUnits& units, const std::stop_token& stop) {
  DropRows out;
  out.width = static_cast<std::size_t>(run.routers[static_cast<std::size_t>(router)].topK);
  const auto visited = forEachRoutedBlock(
      store, run.record.id, router, {0, run.record.tokens}, {.tokens = true, .logits = false}, stop,
      [&](const RoutedBlock& block) {
        for (int row = block.begin; row < block.end; ++row) {
          const auto at = static_cast<std::size_t>(row);
          if (at >= block.tokens->ids.size()) break;
          out.sequences.push_back(block.tokens->sequences[at]);
          out.positions.push_back(block.tokens->positions[at]);
          out.units.push_back(units.unitOfToken[static_cast<std::size_t>(block.first) + at]);
          const auto ids = block.ids(row);
          for (std::size_t k = 0; k < out.width; ++k)
            out.ids.push_back(k < ids.size() ? ids[k] : trace::kEmptySlot);
        }
      });
  if (!visited) return fail(visited.error());
  return out;
}

/// Rows of each routing group, in order.
std::vector<std::vector<std::size_t>> groupsOf(const DropRows& rows, const Settings& settings) {
  std::map<std::int64_t, std::vector<std::size_t>> groups;
  for (std::size_t row = 0; row < rows.sequences.size(); ++row) {
    const auto place = static_cast<std::int64_t>(row);
    groups[settings.groupTokens == 0 ? rows.sequences[row] : place / settings.groupTokens].push_back(row);
  }
  std::vector<std::vector<std::size_t>> out;
  out.reserve(groups.size());
  for (auto& [key, members] : groups) out.push_back(std::move(members));
  return out;
}

/// Choices and drops of each bin of positions by unit: [bins][units].
struct DropCounts {
  std::vector<std::vector<double>> choices, dropped;
};

DropCounts dropCounts(const DropRows& rows, const std::vector<std::vector<std::size_t>>& groups, int experts,
                      int units, const Settings& settings) {
  const std::int32_t last = rows.positions.empty() ? 0 : std::ranges::max(rows.positions);
  const auto bins = static_cast<std::size_t>(last / settings.binWidth) + 1;
  DropCounts out;
  out.choices.assign(bins, std::vector<double>(static_cast<std::size_t>(units), 0.0));
  out.dropped = out.choices;
  const int width = static_cast<int>(rows.width);
  for (const auto& group : groups) {
    std::vector<std::uint16_t> ids;
    for (const std::size_t row : group)
      ids.insert(ids.end(), rows.ids.begin() + static_cast<std::ptrdiff_t>(row * rows.width),
                 rows.ids.begin() + static_cast<std::ptrdiff_t>((row + 1) * rows.width));
    const std::int64_t capacity =
        expertCapacity(settings.factor, width, static_cast<std::int64_t>(group.size()), experts);
    const auto dropped = droppedChoices(ids, width, experts, capacity, settings.order);
    for (std::size_t place = 0; place < ids.size(); ++place) {
      if (ids[place] == trace::kEmptySlot) continue;
      const std::size_t row = group[place / rows.width];
      const auto bin = static_cast<std::size_t>(rows.positions[row] / settings.binWidth);
      const auto unit = static_cast<std::size_t>(rows.units[row]);
      out.choices[bin][unit] += 1.0;
      out.dropped[bin][unit] += dropped[place];
    }
  }
  return out;
}

double ratioOf(const std::vector<double>& dropped, const std::vector<double>& choices,
               std::span<const std::uint16_t> multiplicity = {}) {
  double above = 0.0, below = 0.0;
  for (std::size_t u = 0; u < choices.size(); ++u) {
    const double times = multiplicity.empty() ? 1.0 : multiplicity[u];
    above += times * dropped[u];
    below += times * choices[u];
  }
  return below > 0.0 ? above / below : std::numeric_limits<double>::quiet_NaN();
}

double sumOf(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

void addBins(int layer, const DropCounts& counts, const DropCounts& control, const Settings& settings,
             const TextDraws& draws, ResultTable& table) {
  double dropped = 0.0, choices = 0.0;
  for (std::size_t bin = 0; bin < counts.choices.size(); ++bin) {
    dropped += sumOf(counts.dropped[bin]);
    choices += sumOf(counts.choices[bin]);
  }
  for (std::size_t bin = 0; bin < counts.choices.size(); ++bin) {
    if (sumOf(counts.choices[bin]) == 0.0) continue;
    std::vector<double> replicates;
    for (int draw = 0; draws.texts() > 1 && draw < draws.draws(); ++draw)
      replicates.push_back(ratioOf(counts.dropped[bin], counts.choices[bin], draws.draw(draw)));
    const double ratio = ratioOf(counts.dropped[bin], counts.choices[bin]);
    const auto first = static_cast<std::int64_t>(bin) * settings.binWidth;
    std::vector<ResultCell> row{cell(layer),
                                first,
                                first + settings.binWidth - 1,
                                static_cast<std::int64_t>(sumOf(counts.choices[bin])),
                                static_cast<std::int64_t>(sumOf(counts.dropped[bin])),
                                cell(ratio)};
    addInterval(row, bootstrapInterval(ratio, replicates).percentile);
    row.push_back(cell(ratioOf(control.dropped[bin], control.choices[bin])));
    row.push_back(cell(dropped / choices));
    table.rows.push_back(std::move(row));
  }
}

}  // namespace

const AnalysisInfo& TokenDropAnalysis::info() const {
  static const AnalysisInfo info{
      "token-drop",
      "Dropped tokens by position",
      "Which choices a limited capacity of the experts would drop, by position in the text",
      AnalysisScope::Run,
      trace::CaptureLevel::Ids,
      {{"layer", "all", "all, or layers such as 0,7,15 (\"7 attention\": the second router of a layer)"},
       {"capacity", "1.25",
        "capacity factor, 0.01 to 1000: each expert takes ceil(factor k tokens / experts)"},
       {"order", "sequence",
        "sequence: token by token; first-choices: all first choices, then all second ones"},
       {"group", "text", "tokens that share the capacity: text, or a number of tokens"},
       {"bin", "32", "positions of a bin"},
       {"draws", "1000", "bootstrap draws of the intervals, 0 to 10000"},
       {"seed", "1", "of draws and of the control"}}};
  return info;
}

Result<AnalysisResult> TokenDropAnalysis::run(const AnalysisInput& input) const {
  const auto settings = settingsOf(input.parameters);
  if (!settings) return fail(settings.error());
  const auto run = analysedRun(input.store, input.runs, trace::CaptureLevel::Ids);
  if (!run) return fail(run.error());
  const auto routers = layersParameter(input.parameters, "layer", run->routers);
  if (!routers) return fail(routers.error());
  const auto units = unitsOfTokens(input.store, *run, input.stop);
  if (!units) return fail(units.error());
  const TextDraws draws(units->units, settings->draws, settings->seed);
  AnalysisResult out = resultFor(info(), input, *run);
  out.baseline = "the tokens of a group in random order; the ratio over all positions";
  out.interval = intervalText(*units, settings->draws);
  ResultTable table{"drop",
                    "Dropped choices by position",
                    {{"layer", ""},
                     {"first_position", ""},
                     {"last_position", ""},
                     {"choices", ""},
                     {"dropped", ""},
                     {"ratio", ""},
                     {"ratio_low", ""},
                     {"ratio_high", ""},
                     {"ratio_random_order", ""},
                     {"ratio_all", ""}},
                    {}};
  std::int64_t done = 0;
  for (const int router : *routers) {
    const RouterSpec& spec = run->routers[static_cast<std::size_t>(router)];
    const auto rows = dropRows(input.store, *run, router, *units, input.stop);
    if (!rows) return fail(rows.error());
    auto groups = groupsOf(*rows, *settings);
    const DropCounts counts = dropCounts(*rows, groups, spec.experts, units->units, *settings);
    std::mt19937_64 random(settings->seed);
    for (auto& group : groups) shuffle(std::span(group), random);
    const DropCounts control = dropCounts(*rows, groups, spec.experts, units->units, *settings);
    addBins(spec.layer.value, counts, control, *settings, draws, table);
    if (input.progress)
      input.progress({"Filling experts", ++done, static_cast<std::int64_t>(routers->size()), "layers"});
  }
  out.tables.push_back(std::move(table));
  out.notes.emplace_back("a what-if over recorded choices: the model itself dropped nothing here");
  return out;
}

}  // namespace moescope::specialization
