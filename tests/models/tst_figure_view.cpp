// FigureView: what is pointed at is what is drawn there, keys reach everything, and nothing is drawn twice.
#include <QSignalSpy>

#include "tests/support/gui_test.h"
#include "views/api/figure_view.h"
#include "views/canvas/canvas_tool_tip.h"

namespace moescope::views {

namespace {

using Kind = FigureHit::Kind;

figure::FigureSpec planes() {
  figure::FigureSpec spec;
  spec.title = "Phases";
  spec.sampleLine = "Run Demo";
  for (int p = 0; p < 2; ++p) {
    figure::FigurePanel panel;
    panel.x = {"Balance", 0, 4, {}, false, {}};
    panel.y = {"Loss", 0, 4, {}, false, {}};
    figure::Line line;
    line.name = "series";
    line.x = {1, 2, 3};
    line.y = {1.0 + p, 2, 3};
    line.low = {0.5, 1.5, 2.5};
    line.high = {1.5, 2.5, 3.5};
    line.labels = {"64", "", ""};
    panel.lines = {line};
    spec.panels.push_back(panel);
  }
  return spec;
}

figure::FigureSpec map() {
  figure::FigureSpec spec;
  figure::HeatMap cells;
  cells.rows = 3;
  cells.columns = 4;
  for (int i = 0; i < 12; ++i) cells.values.push_back(i / 12.0);
  cells.rowNames = {"code", "law", "news"};
  spec.x = {"Expert", -0.5, 3.5, {}, false, {}};
  spec.y = {"", -0.5, 2.5, {}, true, {}};
  spec.map = cells;
  return spec;
}

figure::FigureSpec bars() {
  figure::FigureSpec spec;
  spec.x = {"Rate", 0, 1, {}, false, {}};
  spec.y = {"", -0.5, 1.5, {{0, "code"}, {1, "law"}}, true, {}, figure::AxisKind::Category};
  spec.bars = figure::Bars{{0.5, 0.01}, {}, {}, {0.25, 0.0}, {0.75, 0.125}, true};
  return spec;
}

}  // namespace

class TestFigureView : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    m_view = std::make_unique<FigureView>();
    m_view->resize(640, 300);
    m_view->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
  }
  void cleanup() { m_view.reset(); }

  void everyItemIsFoundWhereItIs() {
    const auto check = [&](const FigureHit& hit) {
      const QRect box = m_view->boxOf(hit);
      QVERIFY2(!box.isEmpty(), qPrintable(QString::number(hit.column)));
      QVERIFY(m_view->hitAt(box.center()) == hit);
    };
    for (const QSize size : {QSize(260, 200), QSize(640, 300), QSize(1600, 900)}) {
      m_view->resize(size);
      m_view->setFigure(planes());
      for (int panel = 0; panel < 2; ++panel) {
        for (int point = 0; point < 3; ++point) check({Kind::Point, panel, 0, point});
      }
      m_view->setFigure(map());
      for (int row = 0; row < 3; ++row) {
        for (int column = 0; column < 4; ++column) check({Kind::Cell, 0, row, column});
      }
      m_view->setFigure(bars());
      check({Kind::Bar, 0, 0, 0});
      check({Kind::Bar, 0, 0, 1});
      QVERIFY(!m_view->hitAt({1, 1}));
      QVERIFY(m_view->boxOf({Kind::Bar, 0, 0, 2}).isEmpty());
      QVERIFY(m_view->boxOf({Kind::Cell, 0, 0, 0}).isEmpty());
      QVERIFY(m_view->boxOf({Kind::Point, 7, 0, 0}).isEmpty());
    }
  }

  void keysMoveAndActivate() {
    QSignalSpy activated(m_view.get(), &FigureView::activated);
    m_view->setFigure(planes());
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QCOMPARE(activated.count(), 0);
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QVERIFY(m_view->current() == FigureHit({Kind::Point, 0, 0, 0}));
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QVERIFY(m_view->current() == FigureHit({Kind::Point, 0, 0, 2}));
    QTest::keyClick(m_view.get(), Qt::Key_PageDown);
    QVERIFY(m_view->current() == FigureHit({Kind::Point, 1, 0, 0}));
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QCOMPARE(activated.count(), 1);
    QVERIFY(activated[0][0].value<FigureHit>() == FigureHit({Kind::Point, 1, 0, 0}));
    QVERIFY(m_view->accessibleDescription().contains(QStringLiteral("64 · series")));
    QTest::keyClick(m_view.get(), Qt::Key_Escape);
    QVERIFY(!m_view->current());
  }

  void arrowsGoWhereTheyPoint() {
    m_view->setFigure(map());  // row 0 at the top
    m_view->setCurrent(FigureHit{Kind::Cell, 0, 1, 1});
    const QPoint middle = m_view->boxOf(*m_view->current()).center();
    const auto after = [&](Qt::Key key) {
      m_view->setCurrent(FigureHit{Kind::Cell, 0, 1, 1});
      QTest::keyClick(m_view.get(), key);
      return m_view->boxOf(*m_view->current()).center() - middle;
    };
    QVERIFY(after(Qt::Key_Up).y() < 0 && after(Qt::Key_Down).y() > 0);
    QVERIFY(after(Qt::Key_Left).x() < 0 && after(Qt::Key_Right).x() > 0);
    figure::FigureSpec upwards = map();
    upwards.y.reversed = false;
    m_view->setFigure(upwards);
    QVERIFY(after(Qt::Key_Up).y() < 0 && after(Qt::Key_Down).y() > 0);
    m_view->setFigure(bars());
    m_view->setCurrent(FigureHit{Kind::Bar, 0, 0, 0});
    QTest::keyClick(m_view.get(), Qt::Key_Down);
    QVERIFY(m_view->current() == FigureHit({Kind::Bar, 0, 0, 1}));
  }

  void clicksSelectAndActivate() {
    m_view->setFigure(map());
    QSignalSpy changed(m_view.get(), &FigureView::currentChanged);
    QSignalSpy activated(m_view.get(), &FigureView::activated);
    const FigureHit cell{Kind::Cell, 0, 2, 3};
    QTest::mouseClick(m_view.get(), Qt::LeftButton, {}, m_view->boxOf(cell).center());
    QVERIFY(m_view->current() == cell);
    QCOMPARE(changed.count(), 1);
    QCOMPARE(activated.count(), 0);
    QVERIFY(m_view->accessibleDescription().contains(QStringLiteral("news")));
    QTest::mouseDClick(m_view.get(), Qt::LeftButton, {}, m_view->boxOf(cell).center());
    QCOMPARE(activated.count(), 1);
    QVERIFY(activated[0][0].value<FigureHit>() == cell);
  }

  void drawnOnlyWhenSomethingChanged() {
    m_view->setFigure(map());
    m_view->repaint();
    const int before = m_view->pictureCount();
    // Sent directly: whether a moved cursor becomes an event depends on where earlier tests left it.
    const QPoint place = m_view->boxOf({Kind::Cell, 0, 1, 1}).center();
    QMouseEvent move(QEvent::MouseMove, place, m_view->mapToGlobal(place), Qt::NoButton, Qt::NoButton, {});
    QCoreApplication::sendEvent(m_view.get(), &move);
    m_view->setCurrent(FigureHit{Kind::Cell, 0, 0, 0});
    m_view->repaint();
    const auto hasTip = [this] {
      const auto* tip = m_view->findChild<CanvasToolTip*>();
      return tip != nullptr && tip->isVisible();
    };
    QTRY_VERIFY(hasTip());
    QCOMPARE(m_view->pictureCount(), before);
    m_view->resize(500, 280);
    m_view->repaint();
    QCOMPARE(m_view->pictureCount(), before + 1);
    const QColor dark = m_view->grab().toImage().pixelColor(0, 0);
    chooseTheme(ThemeChoice::Light);
    QTRY_COMPARE(m_view->grab().toImage().pixelColor(0, 0), Theme::current().colour(ColourRole::Canvas));
    QVERIFY(m_view->grab().toImage().pixelColor(0, 0) != dark);
    chooseTheme(ThemeChoice::Dark);
  }

  void cursorStaysWhereItCan() {
    m_view->setFigure(map());
    m_view->setCurrent(FigureHit{Kind::Cell, 0, 2, 3});
    m_view->setFigure(map());
    QVERIFY(m_view->current() == FigureHit({Kind::Cell, 0, 2, 3}));
    m_view->setFigure(planes());
    QVERIFY(!m_view->current());
  }

  void emptyStateSaysWhatToDo() {
    QVERIFY(m_view->figure() == nullptr);
    m_view->setFigure(map());
    m_view->setEmpty(QStringLiteral("No series"), QStringLiteral("Record one with File > Record series."));
    QVERIFY(m_view->figure() == nullptr);
    QVERIFY(!m_view->hitAt({100, 100}));
    QVERIFY(m_view->accessibleName().contains(QStringLiteral("File > Record series")));
    const QImage image = m_view->grab().toImage();
    const QColor ground = Theme::current().colour(ColourRole::Canvas);
    bool written = false;
    for (int x = 0; x < image.width() && !written; ++x) {
      for (int y = 0; y < image.height() && !written; ++y) written = image.pixelColor(x, y) != ground;
    }
    QVERIFY(written);
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QVERIFY(!m_view->current());
  }

 private:
  std::unique_ptr<FigureView> m_view;
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestFigureView)
#include "tst_figure_view.moc"
