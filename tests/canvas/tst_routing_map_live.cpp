// Routing map and token strip while a model writes: they fill, follow the newest token, let go when the user
// scrolls away, and show in the end what the reopened file shows.
#include <QPushButton>

#include <chrono>
#include <thread>

#include "tests/support/fake_engine.h"
#include "tests/support/gui_test.h"
#include "tests/support/recording_painter.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/routing_map/routing_map_panel.h"
#include "views/panels/token_strip/token_strip_panel.h"

#include "core/engine/generation/live_session.h"

namespace moescope::views {

namespace {

using namespace std::chrono_literals;

/// A session with the fake engine, slow enough to look at, and both panels.
struct Live {
  QTemporaryDir folder;
  std::filesystem::path file = (folder.path() + "/live.moescope").toStdString();
  std::shared_ptr<tests::FakeBehaviour> behaviour = std::make_shared<tests::FakeBehaviour>();
  std::shared_ptr<engine::LiveSession> session = std::make_shared<engine::LiveSession>(
      [behaviour = behaviour]() -> Result<std::shared_ptr<engine::Engine>> {
        return std::make_shared<tests::FakeEngine>(behaviour);
      });
  ViewContext context{session};
  std::shared_ptr<trace::TraceStore> store = trace::TraceStore::create(file).value();
  std::atomic<bool> held{false};
  RoutingMapPanel map{context};
  TokenStripPanel strip{context};
  RecordingPainter painter;

  Live() {
    behaviour->beforeBlock = [this](std::int64_t, int) {
      std::this_thread::sleep_for(2ms);
      while (held) std::this_thread::sleep_for(1ms);
    };
    context.setStore(store);
    session->setStore(store);
    QObject::connect(&context, &ViewContext::generationStarted, &context, [this] {
      if (const auto run = session->status().run) context.selection().setRun(*run);
    });
    map.resize(1000, 500);
    map.show();
    strip.resize(1000, 168);
    strip.show();
  }
  ~Live() {
    held = false;
    session->stop();
    session->setStore(nullptr);
  }
  bool start(int tokens) {
    session->loadModel(MOESCOPE_RESOURCES "/demo/model", {});
    if (!QTest::qWaitFor([&] { return session->model() != nullptr; }, 20000)) return false;
    engine::GenerationSettings settings;
    settings.prompt = "The sun sets in the west and";
    settings.maxTokens = tokens;
    settings.capture = trace::CaptureLevel::Full;
    session->generate(settings);
    return true;
  }
  void show(MapMode mode) {
    MapSettings settings = map.settings();
    settings.mode = mode;
    map.setSettings(settings);
    draw();
  }
  void draw() {
    painter.clear();
    map.canvas().build({0, 0, 1000, 440}, painter);
  }
  std::int64_t rows() const { return map.canvas().scene().geometry.rows(); }
  QPushButton* backToLive() {
    for (auto* button : map.findChildren<QPushButton*>()) {
      if (button->text().startsWith(QStringLiteral("Back to live"))) return button;
    }
    return nullptr;
  }
};

}  // namespace

class TestRoutingMapLive : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void fillsAndFollows() {
    Live live;
    live.show(MapMode::TokenExpert);
    QVERIFY(live.start(150));
    QVERIFY(QTest::qWaitFor([&] { return live.rows() > 60; }, 20000));
    const auto& scene = live.map.canvas().scene();
    QVERIFY(scene.live);
    QVERIFY(scene.geometry.atEnd());
    live.draw();
    QVERIFY(live.painter.hasText("live edge, newest token above"));
    // Scrolled away, nothing moves and the way back is offered.
    live.map.canvas().key(QKeyEvent(QEvent::KeyPress, Qt::Key_Home, Qt::ControlModifier));
    QVERIFY(!live.map.canvas().following());
    const std::int64_t then = live.rows();
    QVERIFY(QTest::qWaitFor([&] { return live.rows() >= then + 20; }, 20000));
    QCOMPARE(scene.geometry.beginRow(), 0);
    QVERIFY(live.backToLive() != nullptr && live.backToLive()->isVisible());
    live.held = true;
    QVERIFY(QTest::qWaitFor(
        [&] { return live.backToLive()->text().contains(QString::number(live.rows() - then)); }));
    live.held = false;
    live.backToLive()->click();
    QVERIFY(live.map.canvas().following());
    QVERIFY(scene.geometry.atEnd());
    QVERIFY(QTest::qWaitFor([&] { return !live.map.canvas().scene().live; }, 20000));
    QVERIFY(!live.backToLive()->isVisible());
  }

  void withoutFollowingTheWindowStands() {
    Live live;
    QVERIFY(live.start(150));
    const auto& scene = live.map.canvas().scene();
    QVERIFY(QTest::qWaitFor([&] { return scene.layers && scene.layers->tokens.end > 30; }, 20000));
    live.map.canvas().key(QKeyEvent(QEvent::KeyPress, Qt::Key_L, Qt::NoModifier));
    QVERIFY(QTest::qWaitFor([&] { return live.map.idle(); }));
    const std::int64_t end = scene.layers->tokens.end;
    const std::int64_t rows = live.store->run(*live.context.selection().run())->routedTokens;
    // The panel hears of the new rows twice and would have asked for a picture.
    const QSignalSpy heard(&live.context, &ViewContext::rowsChanged);
    QVERIFY(QTest::qWaitFor(
        [&] {
          return heard.size() >= 2 &&
                 live.store->run(*live.context.selection().run())->routedTokens > rows + 20;
        },
        20000));
    QVERIFY(QTest::qWaitFor([&] { return live.map.idle(); }));
    QVERIFY(scene.layers->tokens.end - end <= 1);  // a picture may have been on its way
    QVERIFY(live.backToLive() != nullptr);
    live.backToLive()->click();
    QVERIFY(QTest::qWaitFor([&] { return scene.layers->tokens.end > end + 20; }, 20000));
  }

  void theStripShowsTheCaretUntilTheEnd() {
    Live live;
    QVERIFY(live.start(60));
    RecordingPainter painter;
    const auto draws = [&](const std::string& text) {
      painter.clear();
      live.strip.canvas().build({0, 0, 1000, 130}, painter);
      return painter.hasText(text);
    };
    QVERIFY(QTest::qWaitFor([&] { return draws("live"); }, 20000));
    QVERIFY(QTest::qWaitFor(
        [&] { return !draws("live") && live.strip.counts().contains(QStringLiteral("60 generated")); },
        20000));
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestRoutingMapLive)
#include "tst_routing_map_live.moc"
