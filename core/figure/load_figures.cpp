// Builders of figures of loads: the map of layers and experts, sorted bars, the course over tokens.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/analysis/load_course.h"
#include "core/base/router_label.h"
#include "core/figure/figure_sample.h"
#include "core/figure/number_text.h"
#include "core/figure/ticks.h"

namespace moescope::figure {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// Default ends of a ratio scale (ui.md 2.3).
constexpr double kLowRatio = 0.25, kHighRatio = 4.0;
constexpr int kExpertTicks = 4;
/// More points than a printed line can show.
constexpr int kCoursePoints = 1000;

std::string nameOf(LoadValue value) {
  switch (value) {
    case LoadValue::LoadRatio: return "Load share ÷ uniform";
    case LoadValue::LoadShare: return "Load share m, %";
    case LoadValue::Frequency: return "Selection frequency f";
    case LoadValue::GateRatio: return "Gate mass share ÷ uniform";
  }
  return {};
}

double valueOf(const trace::LoadSummary& load, double gateMass, std::size_t expert, LoadValue value) {
  const double experts = static_cast<double>(load.counts.size());
  const double count = static_cast<double>(load.counts[expert]);
  switch (value) {
    case LoadValue::LoadRatio:
      return load.slots > 0 ? count * experts / static_cast<double>(load.slots) : kNan;
    case LoadValue::LoadShare: return load.slots > 0 ? 100.0 * count / static_cast<double>(load.slots) : kNan;
    case LoadValue::Frequency: return load.tokens > 0 ? count / static_cast<double>(load.tokens) : kNan;
    case LoadValue::GateRatio: return gateMass > 0.0 ? load.gateMass[expert] * experts / gateMass : kNan;
  }
  return kNan;
}

ColourScale scaleOf(LoadValue value, const std::vector<double>& values) {
  if (value == LoadValue::LoadRatio || value == LoadValue::GateRatio) {
    return {ColourMapId::Diverging, ScaleKind::Log2, kLowRatio, kHighRatio, nameOf(value)};
  }
  double most = 0.0;
  for (const double v : values) {
    if (std::isfinite(v)) most = std::max(most, v);
  }
  return {ColourMapId::Cividis, ScaleKind::Linear, 0.0, most > 0.0 ? most : 1.0, nameOf(value)};
}

void addMarks(HeatMap& map, const FigureSource& source, const FigureSample& sample) {
  const SteeringMarks marks = steeringMarks(programInForce(source, sample.tokens.end - 1), sample.routers);
  for (int row = 0; row < map.rows; ++row) {
    const RouterKey router = routerKey(sample.routers, sample.routers[static_cast<std::size_t>(row)]);
    if (marks.routers.contains(router)) map.marks.push_back({{row, -1}, CellMark::LayerRule});
    for (const auto& [cell, mark] : marks.cells) {
      if (cell.router() == router) map.marks.push_back({{row, cell.expert.value}, mark});
    }
  }
}

Error cancelled() { return {"cancelled", "", "", "the figure was cancelled", ""}; }

std::vector<ReferenceLine> steeringLines(const FigureSource& source, const FigureSample& sample) {
  std::vector<ReferenceLine> lines;
  steering::SteeringProgram before;
  const auto events = source.store.steeringEvents(source.run);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const trace::SteeringEvent& event = events[i];
    // Of several edits before a token only the last one acted.
    if (i + 1 < events.size() && events[i + 1].token == event.token) continue;
    auto parsed = steering::parseProgram(event.programJson, source.store.path().string());
    const steering::SteeringProgram after = parsed ? std::move(*parsed) : steering::SteeringProgram{};
    if (after != before && event.token > sample.tokens.begin && event.token < sample.tokens.end) {
      lines.push_back({false, static_cast<double>(event.token), changeText(before, after)});
    }
    before = after;
  }
  return lines;
}

/// The end of an axis from 0: the next round tick above the data.
double roundedUp(double most) {
  if (!(most > 0.0)) return 1.0;
  const std::vector<double> ticks = niceTicks(0.0, most, 6);
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : most;
  return std::ceil(most / step - 1e-9) * step;
}

}  // namespace

Result<FigureSpec> routingMapFigure(const FigureSource& source, LoadValue value, std::stop_token stop) {
  auto sample = sampleOf(source);
  if (!sample) return fail(sample.error());
  HeatMap map;
  map.rows = static_cast<int>(sample->routers.size());
  for (const RouterSpec& router : sample->routers) map.columns = std::max(map.columns, router.experts);
  map.values.assign(static_cast<std::size_t>(map.rows) * static_cast<std::size_t>(map.columns), kNan);
  Counted counted{0, 0, 0, map.rows};
  for (int row = 0; row < map.rows; ++row) {
    const RouterSpec& router = sample->routers[static_cast<std::size_t>(row)];
    const trace::LoadSummary load = source.store.load(source.run, row, sample->tokens, stop);
    if (stop.stop_requested()) return fail(cancelled());
    counted.choices += load.slots;
    counted.expected += load.tokens * router.topK;
    counted.missing += load.missing;
    const double gateMass = std::accumulate(load.gateMass.begin(), load.gateMass.end(), 0.0);
    for (std::size_t e = 0; e < load.counts.size() && e < static_cast<std::size_t>(map.columns); ++e) {
      map.values[static_cast<std::size_t>(row) * static_cast<std::size_t>(map.columns) + e] =
          valueOf(load, gateMass, e, value);
    }
    map.rowNames.push_back(routerLabel(router));
  }
  map.colours = scaleOf(value, map.values);
  addMarks(map, source, *sample);

  FigureSpec spec = startFigure(source, *sample, "routing-map", nameOf(value) + ", " + sample->run.name,
                                counted, tokenRangeText(sample->tokens.begin, sample->tokens.end));
  spec.baseline = uniformBaseline(map.columns);
  spec.x = {"Expert", -0.5, map.columns - 0.5, expertTicks(map.columns, kExpertTicks), false, {}};
  spec.y = {"Layer", -0.5, map.rows - 0.5, {}, true, {}};
  for (int row = 0; row < map.rows; ++row)
    spec.y.ticks.emplace_back(row, map.rowNames[static_cast<std::size_t>(row)]);
  spec.map = std::move(map);
  return spec;
}

Result<FigureSpec> expertLoadFigure(const FigureSource& source, const RouterKey& wanted,
                                    std::stop_token stop) {
  auto sample = sampleOf(source);
  if (!sample) return fail(sample.error());
  const auto router = routerOf(source, *sample, wanted);
  if (!router) return fail(router.error());
  const RouterSpec& spec = sample->routers[static_cast<std::size_t>(*router)];
  const trace::LoadSummary load = source.store.load(source.run, *router, sample->tokens, stop);
  if (stop.stop_requested()) return fail(cancelled());

  std::vector<std::size_t> order(load.counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](auto a, auto b) { return load.counts[a] > load.counts[b]; });
  const RouterKey key = routerKey(sample->routers, spec);
  const SteeringMarks marks = steeringMarks(programInForce(source, sample->tokens.end - 1), sample->routers);
  Bars bars;
  for (const std::size_t expert : order) {
    bars.values.push_back(valueOf(load, 0.0, expert, LoadValue::LoadRatio));
    bars.highlighted.push_back(
        marks.cells.contains({key.layer, {static_cast<std::int32_t>(expert)}, key.kind}));
    bars.names.push_back("E" + std::to_string(expert));
  }
  FigureSpec out =
      startFigure(source, *sample, "expert-load", "Load of each expert, " + routerName(spec),
                  {load.slots, load.tokens * spec.topK, load.missing, 1},
                  routerName(spec) + ", " + tokenRangeText(sample->tokens.begin, sample->tokens.end));
  out.baseline = uniformBaseline(spec.experts);
  const double most = bars.values.empty() ? 1.0 : bars.values.front();
  out.x = {countText(spec.experts) + " experts, sorted by load",
           -0.5,
           std::max(1, spec.experts) - 0.5,
           {},
           false,
           {}};
  out.y = {"Load share ÷ uniform", 0.0, std::max(2.0, roundedUp(most)), {}, false, "×"};
  out.references = {{true, 1.0, "uniform " + percentText(1.0 / spec.experts)}};
  out.bars = std::move(bars);
  return out;
}

Result<FigureSpec> loadCourseFigure(const FigureSource& source, const RouterKey& wanted,
                                    analysis::LoadMeasure measure, std::int64_t windowTokens,
                                    std::stop_token stop) {
  auto sample = sampleOf(source);
  if (!sample) return fail(sample.error());
  const auto router = routerOf(source, *sample, wanted);
  if (!router) return fail(router.error());
  const RouterSpec& spec = sample->routers[static_cast<std::size_t>(*router)];
  const analysis::LoadCourse course = analysis::loadCourse(source.store, source.run, *router, sample->tokens,
                                                           windowTokens, measure, kCoursePoints, stop);
  if (stop.stop_requested()) return fail(cancelled());
  if (course.values.empty()) {
    return fail("figure.no_routing", source.store.path().string(), routerName(spec),
                "the course needs at least " + countText(windowTokens) + " tokens and there are " +
                    countText(sample->tokens.size()),
                "choose a smaller window");
  }
  const analysis::LoadMeasureInfo& info = analysis::infoOf(measure);
  const trace::LoadSummary load = source.store.load(source.run, *router, sample->tokens, stop);
  FigureSpec out =
      startFigure(source, *sample, "load-course", std::string(info.label) + ", " + routerName(spec),
                  {load.slots, load.tokens * spec.topK, load.missing, 1},
                  routerName(spec) + ", " + tokenRangeText(sample->tokens.begin, sample->tokens.end));
  Line line{std::string(info.label), {}, course.values, {}, {}, 4};
  for (const std::int64_t end : course.endTokens) line.x.push_back(static_cast<double>(end - 1));
  double most = 0.0;
  for (const double v : course.values) most = std::isfinite(v) ? std::max(most, v) : most;

  out.references = steeringLines(source, *sample);
  if (measure == analysis::LoadMeasure::Cv) {
    const double level =
        analysis::cvOfRandomRouting(spec.experts, spec.topK, static_cast<double>(windowTokens));
    out.references.push_back({true, level, "random top-" + std::to_string(spec.topK)});
    out.baseline = "random choice of " + std::to_string(spec.topK) + " of " + std::to_string(spec.experts) +
                   ": " + decimalText(level, 2);
    most = std::max(most, level);
  } else {
    const double level = analysis::uniformValue(measure, spec.experts, spec.topK);
    if (level != 0.0) out.references.push_back({true, level, "uniform"});
    out.baseline = "uniform load: " + decimalText(level, info.decimals);
    most = std::max(most, level);
  }
  std::string label = std::string(info.label) + " over the last " + countText(windowTokens) + " tokens";
  if (!info.unit.empty()) label += ", " + std::string(info.unit);
  out.x = {"Token",
           static_cast<double>(sample->tokens.begin),
           std::max(1.0, static_cast<double>(sample->tokens.end)),
           {},
           false,
           {}};
  out.y = {label, 0.0, roundedUp(most), {}, false, {}};
  out.lines = {std::move(line)};
  return out;
}

}  // namespace moescope::figure
