#include "core/analysis/load_analysis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/analysis/load_series.h"
#include "core/analysis/load_windows.h"
#include "core/analysis/parameter_values.h"
#include "core/analysis/result_cells.h"
#include "core/analysis/series_columns.h"

namespace moescope::analysis {

namespace {

using Row = std::vector<ResultCell>;

/// "max-vio" -> "max_vio": the name of its column.
std::string columnName(LoadMeasure measure) {
  std::string name(infoOf(measure).id);
  std::ranges::replace(name, '-', '_');
  return name;
}

void addMeasureColumns(ResultTable& table) {
  for (const LoadMeasureInfo& info : loadMeasures())
    addIntervalColumns(table.columns, columnName(info.measure), std::string(info.unit));
}

void addValue(Row& row, const IntervalValue& value) {
  for (const double number : {value.value, value.low, value.high}) row.push_back(cell(number));
}

ResultTable seriesTable(const SeriesLoads& loads, const LoadSeries& series) {
  ResultTable table{"series", "Load balance by checkpoint, means over layers", checkpointColumns(), {}};
  addIntervalColumns(table.columns, "loss", "nat");
  table.columns.push_back({"loss_tokens", "tokens"});
  addMeasureColumns(table);
  for (std::size_t p = 0; p < series.points.size(); ++p) {
    Row row = pointCells(loads.points[p]);
    addValue(row, series.points[p].loss);
    row.emplace_back(series.points[p].lossTokens);
    for (const IntervalValue& value : series.points[p].mean) addValue(row, value);
    table.rows.push_back(std::move(row));
  }
  return table;
}

ResultTable layerTable(const SeriesLoads& loads, const LoadSeries& series) {
  ResultTable table{"layers", "Load balance by layer", checkpointColumns(), {}};
  table.columns.insert(table.columns.end(), {{"layer", ""}, {"router", ""}});
  addMeasureColumns(table);
  for (std::size_t p = 0; p < series.points.size(); ++p) {
    for (std::size_t r = 0; r < loads.routers.size(); ++r) {
      Row row = pointCells(loads.points[p]);
      row.emplace_back(std::int64_t{loads.routers[r].layer.value});
      row.emplace_back(static_cast<std::int64_t>(r));
      for (const IntervalValue& value : series.points[p].layers[r]) addValue(row, value);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

double tokensOf(const SeriesLoads& loads, std::size_t router) {
  double tokens = 0.0;
  for (const double n : loads.points[0].routers[router].tokens) tokens += n;
  return tokens;
}

/// What every measure is at even load; for CV also what random routing of as many tokens shows.
ResultTable baselineTable(const SeriesLoads& loads) {
  ResultTable table{"baseline",
                    "Load balance at uniform load and of random routing",
                    {{"layer", ""}, {"router", ""}, {"measure", ""}, {"uniform", ""}, {"random", ""}},
                    {}};
  for (std::size_t r = 0; r < loads.routers.size(); ++r) {
    const RouterSpec& router = loads.routers[r];
    for (const LoadMeasureInfo& info : loadMeasures()) {
      const double random = info.measure == LoadMeasure::Cv
                                ? cvOfRandomRouting(router.experts, router.topK, tokensOf(loads, r))
                                : std::numeric_limits<double>::quiet_NaN();
      table.rows.push_back({ResultCell(std::int64_t{router.layer.value}),
                            ResultCell(static_cast<std::int64_t>(r)), ResultCell(columnName(info.measure)),
                            cell(uniformValue(info.measure, router.experts, router.topK)), cell(random)});
    }
  }
  return table;
}

std::vector<std::string> notesOf(const SeriesLoads& loads, const LoadSeries& series) {
  std::vector<std::string> notes = loads.notes;
  const auto lossless =
      std::ranges::count_if(series.points, [](const LoadPoint& p) { return p.lossTokens == 0; });
  if (lossless > 0) {
    notes.push_back(fmt::format("{} of {} runs have no finite log-probability, so no loss.", lossless,
                                series.points.size()));
  }
  int empty = 0;
  for (const LoadPoint& point : series.points) {
    empty += static_cast<int>(
        std::ranges::count_if(point.layers, [](const LoadValues& v) { return !std::isfinite(v[0].value); }));
  }
  if (empty > 0) notes.push_back(fmt::format("{} layers of runs have no load.", empty));
  if (loads.texts > 1) {
    notes.push_back(
        "Measures of unevenness are biased upwards in small samples, and resampling adds to it: an interval "
        "can lie above its value.");
  }
  return notes;
}

std::string intervalOf(const SeriesLoads& loads, const LoadSeries& series, int draws) {
  if (series.hasIntervals) return fmt::format("95 %, bootstrap of {} over {}", draws, loads.drawn);
  if (loads.texts < 2) return "none: one text cannot be resampled";
  return draws == 0 ? "none: no draws were asked for" : "not yet";
}

/// A single run with too few texts is cut into windows of tokens, whether its texts are finished or not.
Result<SeriesLoads> readLoads(const AnalysisInput& input) {
  auto loads = readSeries(input.store, input.runs, {true, input.progress, input.stop});
  const bool isFew = loads ? loads->texts < kFewTexts : loads.error().kind == "analysis.no_texts";
  return isFew && input.runs.size() == 1 ? readLoadWindows(input.store, input.runs[0], input.stop) : loads;
}

}  // namespace

const AnalysisInfo& loadBalanceInfo() {
  static const AnalysisInfo info{
      "load-balance",
      "Load balance",
      "Every load-balance measure by layer and checkpoint, and the loss on the recorded texts.",
      AnalysisScope::Series,
      trace::CaptureLevel::Ids,
      {{"draws", "1000", "bootstrap draws over texts, 0 to 100000"}, {"seed", "1", "of the draws"}}};
  return info;
}

Result<AnalysisResult> analyzeLoadBalance(const AnalysisInput& input) {
  const AnalysisParameters parameters = withDefaults(loadBalanceInfo().parameters, input.parameters);
  const auto draws = wholeParameter(parameters, "draws", 0, 100000);
  if (!draws) return fail(draws.error());
  const auto seed = wholeParameter(parameters, "seed", 0, INT64_MAX);
  if (!seed) return fail(seed.error());
  const auto loads = readLoads(input);
  if (!loads) return fail(loads.error());
  const LoadSeriesSettings settings{static_cast<int>(*draws), static_cast<std::uint64_t>(*seed)};
  const auto resultOf = [&](const LoadSeries& series) {
    AnalysisResult result;
    result.analysis = loadBalanceInfo().id;
    result.parameters = parameters;
    result.sample = loads->sample;
    result.baseline = "uniform load; for CV also random routing of as many tokens";
    result.interval = intervalOf(*loads, series, settings.draws);
    result.notes = notesOf(*loads, series);
    result.tables = {seriesTable(*loads, series), layerTable(*loads, series), baselineTable(*loads)};
    return result;
  };
  LoadSeriesCallbacks callbacks{input.progress, {}, input.stop};
  if (input.partial) callbacks.partial = [&](const LoadSeries& series) { input.partial(resultOf(series)); };
  const auto series = computeLoadSeries(*loads, settings, callbacks);
  if (!series) return fail(series.error());
  return resultOf(*series);
}

}  // namespace moescope::analysis
