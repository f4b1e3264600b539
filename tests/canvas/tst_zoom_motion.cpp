// Smooth zoom: many steps that make one, none at rest, and one step for who wants less motion.
#include <cmath>

#include "tests/support/canvas_rest.h"
#include "tests/support/gui_test.h"
#include "views/api/motion.h"
#include "views/panels/routing_map/zoom_motion.h"

namespace moescope::views {

class TestZoomMotion : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    setReducedMotion(false);
    m_steps.clear();
    m_motion.setSmooth(true);
  }

  void stepsMultiplyToTheWhole() {
    m_motion.start({2.0, {30, 40}, true, true});
    QVERIFY(m_motion.running());
    QVERIFY(m_steps.empty());
    QTRY_VERIFY(!m_motion.running());
    QVERIFY(m_steps.size() >= 2);
    double whole = 1.0;
    for (const ZoomStep& step : m_steps) {
      whole *= step.factor;
      QVERIFY(step.factor > 1.0 - 1e-12);
      QCOMPARE(step.about.x, 30.0F);
      QVERIFY(step.columnsToo && step.atPointer);
    }
    QVERIFY(std::abs(whole - 2.0) < 1e-9);
    const auto rest = m_steps.size();
    QTest::qWait(kSettleMs);  // several frames: a timer that still ran would have made a step
    QCOMPARE(m_steps.size(), rest);
  }

  void aSecondZoomTakesTheRestWithIt() {
    m_motion.start({2.0, {}, true, false});
    QVERIFY(QTest::qWaitFor([this] { return !m_steps.empty(); }));  // in the middle of it
    m_motion.start({3.0, {}, true, false});
    QTRY_VERIFY(!m_motion.running());
    double whole = 1.0;
    for (const ZoomStep& step : m_steps) whole *= step.factor;
    QVERIFY(std::abs(whole - 6.0) < 1e-9);
  }

  void lessMotionIsOneStep() {
    setReducedMotion(true);
    m_motion.start({2.0, {}, true, false});
    QVERIFY(!m_motion.running());
    QCOMPARE(m_steps.size(), std::size_t{1});
    QCOMPARE(m_steps[0].factor, 2.0);
    // So it is in pictures that nobody looks at.
    setReducedMotion(false);
    m_motion.setSmooth(false);
    m_motion.start({0.5, {}, true, false});
    QCOMPARE(m_steps.size(), std::size_t{2});
    QCOMPARE(m_steps[1].factor, 0.5);
  }

  void theWishIsKept() {
    setReducedMotion(true);
    QVERIFY(QSettings().value(QStringLiteral("reduced_motion")).toBool());
    setReducedMotion(false);
    QVERIFY(!reducedMotion());
  }

 private:
  std::vector<ZoomStep> m_steps;
  ZoomMotion m_motion{[this](const ZoomStep& step) { m_steps.push_back(step); }};
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestZoomMotion)
#include "tst_zoom_motion.moc"
