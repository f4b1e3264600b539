// The routing map and the token strip on a real display, with the mouse: what is clicked is what is drawn,
// one panel's selection shows in the other, and nothing is drawn at rest.
#include <QVBoxLayout>

#include "core/engine/generation/live_session.h"
#include "core/figure/colour_map.h"
#include "tests/support/canvas_rest.h"
#include "tests/support/gui_test.h"
#include "tests/support/routing_trace.h"
#include "views/api/canvas_widget.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/routing_map/routing_map_panel.h"
#include "views/panels/token_strip/token_strip_panel.h"

namespace moescope::views {

class TestRoutingMapDisplay : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    m_folder = std::make_unique<QTemporaryDir>();
    m_store = trace::TraceStore::create((m_folder->path() + "/run.moescope").toStdString()).value();
    m_run = std::make_unique<trace::RoutingTrace>(*m_store, trace::RoutingTrace::Shape{});
    m_run->append(200);
    m_context = std::make_unique<ViewContext>(std::make_shared<engine::LiveSession>());
    m_context->setStore(m_store);
    m_context->selection().setRun(m_run->run());
    m_window = std::make_unique<QWidget>();
    auto* column = new QVBoxLayout(m_window.get());
    m_strip = new TokenStripPanel(*m_context);
    m_map = new RoutingMapPanel(*m_context);
    m_strip->setFixedHeight(150);
    column->addWidget(m_strip);
    column->addWidget(m_map, 1);
    m_window->resize(1000, 700);
    m_window->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
    QVERIFY(settle());
  }
  void cleanup() {
    m_window.reset();
    m_context.reset();
    m_run.reset();
    m_store.reset();
  }

  void aClickSelectsWhatIsDrawnThere() {
    CanvasWidget& widget = m_map->widget();
    const QPoint at = centre(widget, "layer 3/expert 11");
    QTest::mouseClick(&widget, Qt::LeftButton, {}, at);
    QCOMPARE(m_context->selection().experts(), (std::set<ExpertCell>{{{3}, {11}}}));
    // The pixel there is the colour of the load.
    QVERIFY(settle());
    const double ratio = static_cast<double>(m_run->count(3, 11, 0, 199)) * 16 / (199 * 4);
    const auto expected =
        figure::mapColour({figure::ColourMapId::Diverging, figure::ScaleKind::Log2, 0.25, 4.0, ""},
                          figure::Theme::Dark, ratio)
            .colour;
    const QImage picture = widget.picture();
    const double scale = widget.devicePixelRatioF();
    const QColor pixel =
        picture.pixelColor(static_cast<int>(at.x() * scale), static_cast<int>(at.y() * scale));
    QVERIFY(std::abs(pixel.red() - expected[0]) <= 1 && std::abs(pixel.green() - expected[1]) <= 1 &&
            std::abs(pixel.blue() - expected[2]) <= 1);
    // Keys reach the canvas after the click.
    QTest::keyClick(&widget, Qt::Key_B);
    QCOMPARE(m_context->steering().program().rules.size(), std::size_t{1});
  }

  void aDragBoosts() {
    CanvasWidget& widget = m_map->widget();
    const QPoint at = centre(widget, "layer 2/expert 5");
    QTest::mouseClick(&widget, Qt::LeftButton, {}, at);
    QTest::mousePress(&widget, Qt::LeftButton, {}, at);
    for (int y = 1; y <= 20; ++y) {
      QMouseEvent move(QEvent::MouseMove, at - QPoint(0, y), widget.mapToGlobal(at - QPoint(0, y)),
                       Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
      QCoreApplication::sendEvent(&widget, &move);
    }
    QTest::mouseRelease(&widget, Qt::LeftButton, {}, at - QPoint(0, 20));
    QCOMPARE(m_context->steering().program().rules.size(), std::size_t{1});
    QCOMPARE(m_context->steering().program().rules[0].operand.value, 1.0);
  }

  void panelsShareTheSelection() {
    MapSettings settings = m_map->settings();
    settings.mode = MapMode::TokenExpert;
    m_map->setSettings(settings);
    QVERIFY(settle());
    QTest::mouseClick(&m_strip->widget(), Qt::LeftButton, {}, centre(m_strip->widget(), "token 7"));
    QCOMPARE(m_context->selection().tokens(), (trace::TokenRange{7, 8}));
    QVERIFY(settle());
    QCOMPARE(m_map->canvas().scene().selectedTokens, (trace::TokenRange{7, 8}));
    QTest::mouseClick(&m_map->widget(), Qt::LeftButton, {}, centre(m_map->widget(), "token 9/expert 4"));
    QCOMPARE(m_context->selection().tokens(), (trace::TokenRange{9, 10}));
  }

  void nothingIsDrawnAtRest() {
    QVERIFY(staysAtRest([this] { return frames(); }));
  }

 private:
  [[nodiscard]] long frames() const { return m_map->widget().frameCount() + m_strip->widget().frameCount(); }
  bool settle() {
    return QTest::qWaitFor([this] { return m_map->idle() && m_strip->idle(); }) &&
           waitForRest([this] { return frames(); }) && m_map->idle() && m_strip->idle();
  }
  static QPoint centre(const CanvasWidget& widget, std::string_view id) {
    const auto rect = widget.regionRect(id);
    if (!rect) qFatal("no region %s", std::string(id).c_str());
    // Beside the middle, where a mark may stand.
    return {static_cast<int>(rect->x + rect->width / 2) + 3,
            static_cast<int>(rect->y + rect->height / 2) + 3};
  }

  std::unique_ptr<QTemporaryDir> m_folder;
  std::shared_ptr<trace::TraceStore> m_store;
  std::unique_ptr<trace::RoutingTrace> m_run;
  std::unique_ptr<ViewContext> m_context;
  std::unique_ptr<QWidget> m_window;
  TokenStripPanel* m_strip = nullptr;
  RoutingMapPanel* m_map = nullptr;
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestRoutingMapDisplay)
#include "tst_routing_map_display.moc"
