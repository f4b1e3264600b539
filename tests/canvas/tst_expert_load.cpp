// What the expert load panel draws: bars, marks, labels and the course against counts that are made here, the
// metrics against numpy's.
#include <QTemporaryDir>

#include <array>
#include <cmath>
#include <fstream>
#include <numeric>

#include <nlohmann/json.hpp>

#include "tests/support/gui_test.h"
#include "tests/support/recording_painter.h"
#include "tests/unit/trace_fixture.h"
#include "views/models/load_metrics_model.h"
#include "views/panels/expert_load/load_bars_canvas.h"
#include "views/panels/expert_load/load_course_canvas.h"

namespace moescope::views {

namespace {

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
std::unique_ptr<Recorded> recorded() {
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
std::vector<std::int64_t> countsOf(const fixture::SyntheticRun& run, std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(run.routers[kRouter].experts));
  for (std::int64_t i = begin; i < end; ++i) {
    const auto& row = run.rows[static_cast<std::size_t>(i)];
    if (!row.routed) continue;
    for (const auto id : row.choices[kRouter].ids) ++counts[static_cast<std::size_t>(id)];
  }
  return counts;
}

double cvOf(const std::vector<std::int64_t>& counts) {
  const double mean = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})) /
                      static_cast<double>(counts.size());
  double squares = 0;
  for (const auto n : counts) squares += (static_cast<double>(n) - mean) * (static_cast<double>(n) - mean);
  return std::sqrt(squares / static_cast<double>(counts.size())) / mean;
}

LoadPictureRequest requestOf(const Recorded& recorded, LoadWindow window = {}) {
  LoadPictureRequest request;
  request.run = recorded.id;
  request.layer = kLayer;
  request.window = window;
  request.courseTokens = kCourseTokens;
  return request;
}

std::shared_ptr<const LoadPicture> pictureOf(const trace::TraceStore& store,
                                             const LoadPictureRequest& request) {
  auto picture = loadPicture(store, request);
  if (!picture) qFatal("%s", picture.error().text().c_str());
  return std::make_shared<const LoadPicture>(*std::move(picture));
}

CanvasEvent eventAt(const RecordingPainter& painter, const char* region) {
  const Rect rect = painter.find(region).value();
  CanvasEvent event;
  event.at = {rect.x + rect.width / 2, rect.y + rect.height / 2};
  event.region = region;
  event.button = Qt::LeftButton;
  return event;
}

/// A run of one router with exactly these counts over `tokens` rows.
trace::RunId recordCounts(trace::TraceStore& store, const std::vector<std::int64_t>& counts,
                          std::int64_t tokens) {
  std::vector<std::vector<std::int32_t>> choices(static_cast<std::size_t>(tokens));
  std::size_t at = 0;
  for (std::size_t expert = 0; expert < counts.size(); ++expert) {
    for (std::int64_t n = 0; n < counts[expert]; ++n) {
      choices[at++ % choices.size()].push_back(static_cast<std::int32_t>(expert));
    }
  }
  std::size_t width = 1;
  for (const auto& row : choices) width = std::max(width, row.size());
  RouterSpec router;
  router.layer = LayerIndex{5};
  router.experts = static_cast<int>(counts.size());
  router.topK = static_cast<int>(std::min(width, counts.size()));
  trace::RunRecord run = fixture::runRecord(trace::CaptureLevel::Ids);
  trace::ModelRecord model = fixture::modelRecord({router});
  model.weightsFingerprint = std::to_string(counts.size()) + "/" + std::to_string(router.topK);
  auto recorder = *store.startRun(model, run);
  recorder->beginSequence({0, "", {}});
  const std::vector<float> logits(counts.size()), weights(width, 0.1F);
  for (std::int64_t t = 0; t < tokens; ++t) {
    trace::TokenRow row;
    row.position = static_cast<std::int32_t>(t);
    const std::string bytes = "x";
    auto ids = choices[static_cast<std::size_t>(t)];
    ids.resize(width, -1);
    const float entropy = 0;
    trace::RoutingBatch batch{t, 1, std::span(&entropy, 1), {}};
    batch.routers.push_back({static_cast<int>(width), logits, ids, weights, {}, {}});
    if (!recorder->appendTokens(std::span(&row, 1), std::span(&bytes, 1)) ||
        !recorder->appendRouting(batch)) {
      qFatal("the run was not recorded");
    }
  }
  if (!recorder->endSequence(true) || !recorder->end(trace::RunStatus::Closed)) qFatal("the run did not end");
  return recorder->run();
}

}  // namespace

class TestExpertLoad : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    m_recorded = recorded();
    m_end = m_recorded->store->run(m_recorded->id)->routedTokens;
  }

  void barsAreTheCounts() {
    const auto counts = countsOf(m_recorded->run, 0, m_end);
    const double slots = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    LoadBarsCanvas canvas;
    canvas.setPicture(pictureOf(*m_recorded->store, requestOf(*m_recorded)));
    RecordingPainter painter;
    canvas.build(kArea, painter);
    QVERIFY(painter.balanced());

    // The line at uniform gives the scale: 1 is (bottom - line) pixels.
    const Rect region = painter.find("expert 0").value();
    const auto uniform = uniformLine(painter);
    const float bottom = region.y + region.height - 3.0F;  // the region goes on below the axis
    const float unit = bottom - uniform.y;
    std::vector<std::pair<float, std::int32_t>> places;
    for (std::int32_t expert = 0; expert < 64; ++expert) {
      const Rect hit = painter.find("expert " + std::to_string(expert)).value();
      const auto bar = barIn(painter, hit, bottom);
      const double expected = static_cast<double>(counts[static_cast<std::size_t>(expert)]) * 64 / slots;
      QVERIFY2(std::abs(bar.rect.height - expected * unit) < 0.02 * unit, std::to_string(expert).c_str());
      const bool steered = expert == kBoosted || expert == kBanned;
      QVERIFY(bar.colour == Theme::current().paint(steered ? ColourRole::Accent : ColourRole::Text2));
      places.emplace_back(hit.x, expert);
    }
    std::ranges::sort(places);
    for (std::size_t i = 1; i < places.size(); ++i) {
      QVERIFY(counts[static_cast<std::size_t>(places[i - 1].second)] >=
              counts[static_cast<std::size_t>(places[i].second)]);
    }
    const auto peak = static_cast<std::size_t>(places.front().second);
    const QString label =
        QStringLiteral("E%1 %2×").arg(peak).arg(static_cast<double>(counts[peak]) * 64 / slots, 0, 'f', 2);
    QVERIFY2(painter.hasText(label.toStdString()), qPrintable(label));
    QVERIFY(painter.hasText("64 experts, sorted by load"));
    QVERIFY(painter.hasText("uniform 1.56\u2009%"));
  }

  void windows() {
    const auto lastOf = [&](LoadWindow window, trace::TokenRange selection = {}) {
      auto request = requestOf(*m_recorded, window);
      request.selection = selection;
      return loadPicture(*m_recorded->store, request);
    };
    const auto last = lastOf({LoadWindow::Kind::Last, 128});
    QVERIFY(last->load.counts == countsOf(m_recorded->run, m_end - 128, m_end));
    const auto chosen = lastOf({LoadWindow::Kind::Selection, 0}, {37, 120});
    QVERIFY(chosen->load.counts == countsOf(m_recorded->run, 37, 120));
    QVERIFY(chosen->tokens == (trace::TokenRange{37, 120}));
    // Before the rules: nothing was steered there.
    QVERIFY(chosen->marks.empty());
    const auto none = lastOf({LoadWindow::Kind::Selection, 0});
    QVERIFY(!none);
    QCOMPARE(none.error().kind, std::string("figure.no_routing"));
    QVERIFY(rowsOf({LoadWindow::Kind::Last, 500}, 100, {}) == (trace::TokenRange{0, 100}));
  }

  void rulesOfALiveRunMarkAtOnce() {
    auto request = requestOf(*m_recorded);
    steering::SteeringProgram program;
    program.rules.push_back(steering::pinRule(program, {kLayer, ExpertIndex{3}}));
    request.liveProgram = program;
    const auto picture = pictureOf(*m_recorded->store, request);
    QCOMPARE(picture->marks.size(), std::size_t{1});
    QVERIFY(picture->marks.at(3) == figure::CellMark::Pinned);
    for (std::size_t i = 0; i < picture->experts.size(); ++i) {
      QCOMPARE(bool(picture->bars.bars->highlighted[i]), picture->experts[i] == 3);
    }
  }

  void toolTipNamesTheNumbers() {
    const auto picture = pictureOf(*m_recorded->store, requestOf(*m_recorded));
    const auto counts = countsOf(m_recorded->run, 0, m_end);
    LoadBarsCanvas canvas;
    canvas.setPicture(picture);
    RecordingPainter painter;
    canvas.build(kArea, painter);
    const auto tip = canvas.toolTip(eventAt(painter, "expert 41"));
    QVERIFY(tip.has_value());
    QCOMPARE(tip->heading, QStringLiteral("Layer 3 · expert 41"));
    QCOMPARE(tip->tag, QStringLiteral("boosted"));
    QCOMPARE(tip->rows[1].value, QStringLiteral("%1 of %2 tokens").arg(counts[41]).arg(picture->load.tokens));
    QVERIFY(!canvas.toolTip({}).has_value());
  }

  void clickAndKeysSelect() {
    LoadBarsCanvas canvas;
    canvas.setPicture(pictureOf(*m_recorded->store, requestOf(*m_recorded)));
    RecordingPainter painter;
    canvas.build(kArea, painter);
    std::set<ExpertCell> selected;
    connect(&canvas, &LoadBarsCanvas::selected, &canvas, [&](const std::set<ExpertCell>& cells) {
      selected = cells;
      canvas.setSelected(cells);
    });
    const auto cell = [](std::int32_t expert) { return ExpertCell{kLayer, ExpertIndex{expert}}; };
    canvas.press(eventAt(painter, "expert 41"));
    QVERIFY(selected == std::set<ExpertCell>{cell(41)});
    auto added = eventAt(painter, "expert 7");
    added.modifiers = Qt::ControlModifier;
    canvas.press(added);
    QVERIFY(selected == (std::set<ExpertCell>{cell(41), cell(7)}));

    painter.clear();
    canvas.build(kArea, painter);
    // Each selected bar has an outline of ink around it, and no other bar has one.
    const auto ink = Theme::current().paint(ColourRole::Ink);
    std::vector<Rect> outlines;
    for (const auto& command : painter.ofKind(Kind::StrokeRect)) {
      if (command.colour == ink) outlines.push_back(command.rect);
    }
    QCOMPARE(outlines.size(), std::size_t{2});
    for (const char* region : {"expert 41", "expert 7"}) {
      const Rect hit = painter.find(region).value();
      QVERIFY2(std::ranges::any_of(outlines,
                                   [&](Rect outline) {
                                     return outline.x <= hit.x && outline.x + outline.width >= hit.x + 1.0F;
                                   }),
               region);
    }

    const auto press = [&](int key) { return canvas.key(QKeyEvent(QEvent::KeyPress, key, Qt::NoModifier)); };
    QVERIFY(press(Qt::Key_Home));
    const auto first = selected;
    QCOMPARE(first.size(), std::size_t{1});
    QVERIFY(canvas.cursorText().startsWith(QStringLiteral("Layer 3, expert ")));
    QVERIFY(press(Qt::Key_Right));
    QVERIFY(selected != first);
    QVERIFY(press(Qt::Key_Left));
    QVERIFY(selected == first);
    QVERIFY(!press(Qt::Key_X));
  }

  void courseIsTheMetricOfEachWindow() {
    const auto picture = pictureOf(*m_recorded->store, requestOf(*m_recorded));
    QVERIFY(picture->course.has_value());
    const figure::Line& line = picture->course->lines.front();
    QVERIFY(line.x.size() > 100);
    for (std::size_t i = 0; i < line.x.size(); ++i) {
      const auto end = static_cast<std::int64_t>(line.x[i]) + 1;
      const double expected = cvOf(countsOf(m_recorded->run, end - kCourseTokens, end));
      QVERIFY2(std::abs(line.y[i] - expected) < 1e-12, std::to_string(end).c_str());
    }

    LoadCourseCanvas canvas;
    canvas.setPicture(picture, analysis::LoadMeasure::Cv, kCourseTokens, false);
    RecordingPainter painter;
    canvas.build(kArea, painter);
    const auto lines = painter.ofKind(Kind::Polyline);
    QCOMPARE(lines.size(), std::size_t{1});
    QCOMPARE(lines[0].points.size(), line.y.size());
    // Two points fix the scale; all others must lie on it.
    const auto [low, high] = std::ranges::minmax_element(line.y);
    const auto lowAt = static_cast<std::size_t>(low - line.y.begin()),
               highAt = static_cast<std::size_t>(high - line.y.begin());
    const double perUnit = (lines[0].points[lowAt].y - lines[0].points[highAt].y) / (*high - *low);
    for (std::size_t i = 0; i < line.y.size(); ++i) {
      QVERIFY(std::abs(lines[0].points[i].y - (lines[0].points[lowAt].y - (line.y[i] - *low) * perUnit)) <
              0.01);
    }
    QVERIFY(painter.hasText("CV over the last 64 tokens"));
    QVERIFY(painter.hasText("random top-8"));
    QVERIFY(painter.hasText(std::to_string(m_end - 1)));
    QVERIFY(painter.hasText("rules changed"));  // three at once
    const auto accent = Theme::current().paint(ColourRole::Accent);
    const auto frame = painter.find("course").value();
    const float expectedX =
        frame.x + frame.width * static_cast<float>(m_recorded->ruleToken) / static_cast<float>(m_end);
    const auto rules = painter.ofKind(Kind::FillRect);
    QVERIFY(std::ranges::any_of(rules, [&](const PaintCommand& command) {
      return command.colour == accent && std::abs(command.rect.x - expectedX) <= 1.0F;
    }));
  }

  void courseSelectsItsTokens() {
    LoadCourseCanvas canvas;
    canvas.setPicture(pictureOf(*m_recorded->store, requestOf(*m_recorded)), analysis::LoadMeasure::Cv,
                      kCourseTokens, true);
    RecordingPainter painter;
    canvas.build(kArea, painter);
    QVERIFY(painter.hasText("now"));
    trace::TokenRange tokens;
    connect(&canvas, &LoadCourseCanvas::tokensSelected, &canvas,
            [&](trace::TokenRange range) { tokens = range; });
    CanvasEvent event = eventAt(painter, "course");
    event.at.x = painter.find("course")->x + painter.find("course")->width - 0.5F;
    canvas.press(event);
    QVERIFY(tokens == (trace::TokenRange{m_end - kCourseTokens, m_end}));
    QVERIFY(canvas.toolTip(event)->heading.contains(QString::number(m_end - 1)));
    QVERIFY(canvas.key(QKeyEvent(QEvent::KeyPress, Qt::Key_Left, Qt::NoModifier)));
    QVERIFY(tokens.end < m_end);
  }

  void tooShortForACourse() {
    auto request = requestOf(*m_recorded);
    request.courseTokens = 4096;
    const auto picture = pictureOf(*m_recorded->store, request);
    QVERIFY(!picture->course);
    LoadCourseCanvas canvas;
    canvas.setPicture(picture, request.measure, request.courseTokens, false);
    RecordingPainter painter;
    canvas.build(kArea, painter);
    QVERIFY(painter.hasText("The course needs 4096 tokens"));
    QVERIFY(painter.ofKind(Kind::Polyline).empty());
  }

  void metricsAreNumpys() {
    std::ifstream file(MOESCOPE_TEST_DATA "/analysis/load_vectors.json");
    const auto document = nlohmann::json::parse(file);
    const QTemporaryDir folder;
    const auto store =
        *trace::TraceStore::create(folder.filePath(QStringLiteral("v.moescope")).toStdString());
    int compared = 0;
    for (const auto& entry : document["cases"]) {
      const auto counts = entry["counts"].get<std::vector<std::int64_t>>();
      const auto tokens = entry["tokens"].get<std::int64_t>();
      if (*std::ranges::max_element(counts) > tokens) continue;  // no routing can give that
      LoadPictureRequest request;
      request.run = recordCounts(*store, counts, tokens);
      request.layer = LayerIndex{5};
      const auto picture = pictureOf(*store, request);
      LoadMetricsModel model;
      model.setRows(picture->rows, LayerIndex{5}, 1);
      QCOMPARE(model.rowCount(), static_cast<int>(analysis::loadMeasures().size()));
      for (int row = 0; row < model.rowCount(); ++row) {
        const auto& info = analysis::loadMeasures()[static_cast<std::size_t>(row)];
        const double expected = entry["metrics"].at(std::string(info.id)).get<double>();
        for (const int column : {LoadMetricsModel::kLayer, LoadMetricsModel::kMean}) {
          const double actual = model.index(row, column).data(LoadMetricsModel::ValueRole).toDouble();
          QVERIFY2(std::abs(actual - expected) <= 1e-12 * std::max(1.0, std::abs(expected)), info.id.data());
        }
        const QString shown = model.index(row, LoadMetricsModel::kLayer).data().toString();
        const bool whole = info.id == "dead" || info.id == "nearly-dead";
        QCOMPARE(shown, QString::number(expected, 'f', whole ? 0 : info.decimals));
        QVERIFY(!model.index(row, 0).data(Qt::ToolTipRole).toString().isEmpty());
      }
      ++compared;
    }
    QVERIFY(compared >= 5);
  }

  void meanOfLayersAndUniform() {
    const auto picture = pictureOf(*m_recorded->store, requestOf(*m_recorded));
    QCOMPARE(picture->routers.size(), std::size_t{4});
    double sum = 0;
    for (int router = 0; router < 4; ++router) {
      sum += cvOf(m_recorded->store->load(m_recorded->id, router, {0, m_end}).counts);
    }
    const LoadRow& cv = picture->rows[static_cast<std::size_t>(analysis::LoadMeasure::Cv)];
    QVERIFY(std::abs(cv.mean - sum / 4) < 1e-12);
    QCOMPARE(cv.uniform, 0.0);
    QCOMPARE(picture->rows[static_cast<std::size_t>(analysis::LoadMeasure::EffectiveExperts)].uniform, 64.0);
    QCOMPARE(picture->rows[static_cast<std::size_t>(analysis::LoadMeasure::Mri)].uniform, 8.0 / 64);
  }

  void reopenedShowsWhatLiveShowed() {
    const QTemporaryDir folder;
    const auto path = folder.filePath(QStringLiteral("l.moescope")).toStdString();
    const auto run = fixture::synthesize(5, {200, 333});
    auto store = *trace::TraceStore::create(path);
    auto recorder =
        *store->startRun(fixture::modelRecord(run.routers), fixture::runRecord(trace::CaptureLevel::Weights));
    fixture::feed(*recorder, run, 0, 1, 1);
    steering::SteeringProgram tried, program;  // the first is taken back before a token sees it
    tried.rules.push_back(steering::addLogitRule(tried, {kLayer, ExpertIndex{kBoosted}}, 0.5));
    QVERIFY(recorder->steeringChanged(steering::toJson(tried).dump(), false).has_value());
    program.rules.push_back(steering::banRule(program, {kLayer, ExpertIndex{kBanned}}));
    QVERIFY(recorder->steeringChanged(steering::toJson(program).dump(), false).has_value());
    fixture::feed(*recorder, run, 1, 2, 2);
    LoadPictureRequest request;
    request.run = recorder->run();
    request.layer = kLayer;
    request.window = {LoadWindow::Kind::Last, 300};
    const auto live = pictureOf(*store, request);
    std::vector<figure::ReferenceLine> changes;
    for (const auto& line : live->course->references) {
      if (!line.horizontal) changes.push_back(line);
    }
    QCOMPARE(changes.size(), std::size_t{1});
    QCOMPARE(changes[0].label, std::string("ban added"));
    QVERIFY(recorder->end(trace::RunStatus::Closed).has_value());
    recorder.reset();
    QVERIFY(store->close().has_value());
    store = *trace::TraceStore::open(path, trace::OpenMode::ReadOnly);
    const auto reopened = pictureOf(*store, request);
    QCOMPARE(figure::toCsv(reopened->bars), figure::toCsv(live->bars));
    QCOMPARE(figure::toCsv(*reopened->course), figure::toCsv(*live->course));
    QCOMPARE(reopened->bars.sampleLine, live->bars.sampleLine);
    QVERIFY(reopened->marks == live->marks && !live->marks.empty());
    QVERIFY(reopened->load.gateMass == live->load.gateMass);
    for (std::size_t i = 0; i < live->rows.size(); ++i) {
      QCOMPARE(reopened->rows[i].layer, live->rows[i].layer);
      QCOMPARE(reopened->rows[i].mean, live->rows[i].mean);
    }
  }

 private:
  /// The 1 px line in the colour of text that crosses the frame.
  static Rect uniformLine(const RecordingPainter& painter) {
    for (const auto& command : painter.ofKind(Kind::FillRect)) {
      if (command.colour == Theme::current().paint(ColourRole::Text) && command.rect.height == 1.0F)
        return command.rect;
    }
    return {};
  }

  /// The bar that stands on the axis under a hit region.
  static PaintCommand barIn(const RecordingPainter& painter, Rect hit, float bottom) {
    PaintCommand found;
    float nearest = 2.0F;
    for (const auto& command : painter.ofKind(Kind::FillRect)) {
      const bool onAxis = std::abs(command.rect.y + command.rect.height - bottom) < 0.01F;
      const float away = std::abs(command.rect.x - hit.x);
      if (!onAxis || command.rect.width > 10.0F || away >= nearest) continue;
      nearest = away;
      found = command;
    }
    return found;
  }

  std::unique_ptr<Recorded> m_recorded;
  std::int64_t m_end = 0;
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestExpertLoad)
#include "tst_expert_load.moc"
