// What the tests of the expert load panel share: a recorded run whose rows are known, and pictures of it.
// Not for what is drawn.
#pragma once

#include <QTemporaryDir>

#include <cmath>
#include <numeric>

#include "tests/support/recording_painter.h"
#include "tests/unit/trace_fixture.h"
#include "views/api/canvas.h"
#include "views/panels/expert_load/load_picture.h"

namespace moescope::views {

namespace fixture = trace::fixture;
using Kind = PaintCommand::Kind;

constexpr Rect kArea{0, 0, 336, 160};
constexpr std::int64_t kCourseTokens = 64;
/// Router 1 of the fixture: 64 experts, top-8.
constexpr int kRouter = 1;
constexpr LayerIndex kLayer{3};
constexpr std::int32_t kBoosted = 41, kBanned = 7;

struct Recorded {
  QTemporaryDir folder;
  fixture::SyntheticRun run;
  std::shared_ptr<trace::TraceStore> store;
  trace::RunId id = 0;
  std::int64_t ruleToken = 0;
};

/// Two sequences; a boost and a ban are switched on between them.
inline std::unique_ptr<Recorded> recorded() {
  auto out = std::make_unique<Recorded>();
  out->run = fixture::synthesize(11, {150, 270});
  out->store = *trace::TraceStore::create(out->folder.filePath(QStringLiteral("a.moescope")).toStdString());
  auto recorder = *out->store->startRun(fixture::modelRecord(out->run.routers),
                                        fixture::runRecord(trace::CaptureLevel::Weights));
  out->id = recorder->run();
  fixture::feed(*recorder, out->run, 0, 1, 1);
  out->ruleToken = recorder->tokens();
  steering::SteeringProgram program;
  program.rules.push_back(steering::addLogitRule(program, {kLayer, ExpertIndex{kBoosted}}, 1.5));
  program.rules.push_back(steering::banRule(program, {kLayer, ExpertIndex{kBanned}}));
  program.rules.push_back(steering::banRule(program, {LayerIndex{1}, ExpertIndex{2}}));  // another layer
  if (!recorder->steeringChanged(steering::toJson(program).dump(), false)) qFatal("no steering event");
  fixture::feed(*recorder, out->run, 1, 2, 2);
  if (!recorder->end(trace::RunStatus::Closed)) qFatal("the run did not end");
  return out;
}

/// Choices of each expert over rows, counted from the rows themselves.
inline std::vector<std::int64_t> countsOf(const fixture::SyntheticRun& run, std::int64_t begin,
                                          std::int64_t end) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(run.routers[kRouter].experts));
  for (std::int64_t i = begin; i < end; ++i) {
    const auto& row = run.rows[static_cast<std::size_t>(i)];
    if (!row.routed) continue;
    for (const auto id : row.choices[kRouter].ids) ++counts[static_cast<std::size_t>(id)];
  }
  return counts;
}

inline double cvOf(const std::vector<std::int64_t>& counts) {
  const double mean = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})) /
                      static_cast<double>(counts.size());
  double squares = 0;
  for (const auto n : counts) squares += (static_cast<double>(n) - mean) * (static_cast<double>(n) - mean);
  return std::sqrt(squares / static_cast<double>(counts.size())) / mean;
}

inline LoadPictureRequest requestOf(const Recorded& recorded, LoadWindow window = {}) {
  LoadPictureRequest request;
  request.run = recorded.id;
  request.router = kLayer;
  request.window = window;
  request.courseTokens = kCourseTokens;
  return request;
}

inline std::shared_ptr<const LoadPicture> pictureOf(const trace::TraceStore& store,
                                                    const LoadPictureRequest& request) {
  auto picture = loadPicture(store, request);
  if (!picture) qFatal("%s", picture.error().text().c_str());
  return std::make_shared<const LoadPicture>(*std::move(picture));
}

inline CanvasEvent eventAt(const RecordingPainter& painter, const char* region) {
  const Rect rect = painter.find(region).value();
  CanvasEvent event;
  event.at = {rect.x + rect.width / 2, rect.y + rect.height / 2};
  event.region = region;
  event.button = Qt::LeftButton;
  return event;
}

}  // namespace moescope::views
