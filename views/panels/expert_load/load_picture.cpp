#include "views/panels/expert_load/load_picture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/router_label.h"

namespace moescope::views {

namespace {

std::vector<LoadRow> metricRows(const std::vector<trace::LoadSummary>& loads, std::size_t layer,
                                const RouterSpec& router) {
  std::vector<analysis::LoadMetrics> metrics;
  for (const trace::LoadSummary& load : loads) {
    metrics.push_back(analysis::loadMetrics(load.counts, load.tokens));
  }
  std::vector<LoadRow> rows;
  for (const analysis::LoadMeasureInfo& info : analysis::loadMeasures()) {
    double sum = 0.0;
    int defined = 0;
    for (const analysis::LoadMetrics& of : metrics) {
      const double value = analysis::valueOf(of, info.measure);
      if (!std::isfinite(value)) continue;
      sum += value;
      ++defined;
    }
    rows.push_back({info.measure, analysis::valueOf(metrics[layer], info.measure),
                    defined > 0 ? sum / defined : std::numeric_limits<double>::quiet_NaN(),
                    analysis::uniformValue(info.measure, router.experts, router.topK)});
  }
  return rows;
}

/// Marks of the rules in force: of the live program, else of the program that acted on the last token.
std::map<std::int32_t, figure::CellMark> marksOf(const trace::TraceStore& store,
                                                 const LoadPictureRequest& request,
                                                 std::span<const RouterSpec> routers,
                                                 const RouterSpec& router, std::int64_t lastToken) {
  steering::SteeringProgram program;
  if (request.liveProgram) {
    program = *request.liveProgram;
  } else {
    for (const trace::SteeringEvent& event : store.steeringEvents(request.run)) {
      if (event.token > lastToken) break;
      auto parsed = steering::parseProgram(event.programJson, store.path().string());
      program = parsed ? *std::move(parsed) : steering::SteeringProgram{};
    }
  }
  std::map<std::int32_t, figure::CellMark> marks;
  const RouterKey key = routerKey(routers, router);
  for (const auto& [cell, mark] : figure::steeringMarks(program, routers).cells) {
    if (cell.router() == key) marks[cell.expert.value] = mark;
  }
  return marks;
}

}  // namespace

trace::TokenRange rowsOf(const LoadWindow& window, std::int64_t end, trace::TokenRange selection) {
  switch (window.kind) {
    case LoadWindow::Kind::WholeRun: return {0, end};
    case LoadWindow::Kind::Selection:
      return {std::clamp<std::int64_t>(selection.begin, 0, end),
              std::clamp<std::int64_t>(selection.end, 0, end)};
    case LoadWindow::Kind::Last: break;
  }
  return {std::max<std::int64_t>(0, end - window.tokens), end};
}

Result<LoadPicture> loadPicture(const trace::TraceStore& store, const LoadPictureRequest& request,
                                std::stop_token stop) {
  const auto run = store.run(request.run);
  // The builders name what is missing.
  const std::int64_t end = run ? run->routedTokens : 0;
  const trace::TokenRange tokens = rowsOf(request.window, end, request.selection);
  auto bars = figure::expertLoadFigure({store, request.run, tokens}, request.router, stop);
  if (!bars) return fail(bars.error());

  LoadPicture picture{.bars = *std::move(bars),
                      .experts = {},
                      .course = figure::loadCourseFigure({store, request.run, {0, end}}, request.router,
                                                         request.measure, request.courseTokens, stop),
                      .runName = run->name,
                      .tokens = tokens,
                      .routers = store.routers(request.run),
                      .router = {},
                      .load = {},
                      .rows = {},
                      .marks = {}};
  std::vector<trace::LoadSummary> loads;
  for (std::size_t i = 0; i < picture.routers.size(); ++i) {
    loads.push_back(store.load(request.run, static_cast<int>(i), tokens, stop));
  }
  if (stop.stop_requested()) return fail("cancelled", "", "", "the picture was cancelled");
  const std::size_t layer = routerIndex(picture.routers, request.router).value_or(0);
  picture.router = picture.routers[layer];
  picture.load = loads[layer];
  picture.rows = metricRows(loads, layer, picture.router);
  picture.marks = marksOf(store, request, picture.routers, picture.router, tokens.end - 1);
  figure::Bars& shown = *picture.bars.bars;
  for (std::size_t i = 0; i < shown.values.size(); ++i) {
    const std::int32_t expert = std::stoi(shown.names[i].substr(1));  // "E41"
    picture.experts.push_back(expert);
    shown.highlighted[i] = picture.marks.contains(expert);
  }
  return picture;
}

}  // namespace moescope::views
