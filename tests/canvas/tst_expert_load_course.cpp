// The course of the expert load panel: each point is the metric of its window, counted here from the rows.
#include "tests/canvas/expert_load_bench.h"
#include "tests/support/gui_test.h"
#include "views/panels/expert_load/load_course_canvas.h"

namespace moescope::views {

class TestExpertLoadCourse : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    m_recorded = recorded();
    m_end = m_recorded->store->run(m_recorded->id)->routedTokens;
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

 private:
  std::unique_ptr<Recorded> m_recorded;
  std::int64_t m_end = 0;
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestExpertLoadCourse)
#include "tst_expert_load_course.moc"
