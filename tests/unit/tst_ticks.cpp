// Ticks and number texts: round places, equal decimals, ratio labels, true minus and thin spaces.
#include <QTest>

#include <cmath>
#include <limits>

#include "core/figure/axis.h"
#include "core/figure/number_text.h"
#include "core/figure/ticks.h"

using namespace moescope::figure;

namespace {

std::string joined(const std::vector<Tick>& ticks) {
  std::string out;
  for (const auto& [place, text] : ticks) out += (out.empty() ? "" : " ") + text;
  return out;
}

}  // namespace

class TestTicks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void roundPlaces() {
    QCOMPARE(joined(labelledTicks(0, 45, 6)), std::string("0 10 20 30 40"));
    QCOMPARE(joined(labelledTicks(0, 1, 6)), std::string("0.0 0.2 0.4 0.6 0.8 1.0"));
    QCOMPARE(joined(labelledTicks(-1, 1, 5)), std::string("−1.0 −0.5 0.0 0.5 1.0"));
    QCOMPARE(joined(labelledTicks(0, 4, 5, "×")), std::string("0× 1× 2× 3× 4×"));
    QCOMPARE(joined(labelledTicks(0.0012, 0.0049, 5)), std::string("0.002 0.003 0.004"));
    QCOMPARE(joined(wholeTicks(-0.5, 15.5, 5)), std::string("0 5 10 15"));
    QCOMPARE(joined(wholeTicks(0, 2, 9)), std::string("0 1 2"));
    QCOMPARE(joined(wholeTicks(0, 40000, 3)), std::string("0 20\u2009000 40\u2009000"));
  }

  void neverMoreThanAsked() {
    for (double max = 0.013; max < 1e7; max *= 1.37) {
      for (int most = 2; most <= 11; ++most) {
        const std::vector<double> ticks = niceTicks(-0.3 * max, max, most);
        QVERIFY(static_cast<int>(ticks.size()) <= most);
        QVERIFY(!ticks.empty());
        for (const double tick : ticks) QVERIFY(tick >= -0.3 * max * (1 + 1e-6) && tick <= max * (1 + 1e-6));
      }
    }
  }

  void unusableRanges() {
    QVERIFY(niceTicks(1, 1, 5).empty());
    QVERIFY(niceTicks(0, std::nan(""), 5).empty());
    QVERIFY(niceTicks(0, INFINITY, 5).empty());
    QVERIFY(ratioTicks(0, 4, true).empty());
  }

  void ratios() {
    QCOMPARE(joined(ratioTicks(0.25, 4, true)), std::string("¼× ½× 1× 2× 4×"));
    QCOMPARE(joined(ratioTicks(0.25, 4, false)), std::string("¼ ½ 1 2 4"));
    QCOMPARE(joined(ratioTicks(0.0625, 1, false)), std::string("1/16 ⅛ ¼ ½ 1"));
    QCOMPARE(shortRatioText(3.12), std::string("3.12"));
  }

  void scales() {
    QCOMPARE(joined(scaleTicks({ColourMapId::Diverging, ScaleKind::Log2, 0.5, 2, {}}, 5, true)),
             std::string("½× 1× 2×"));
    // Square root: 0.1 lies close to 0.2 at the high end only.
    const auto root = scaleTicks({ColourMapId::Cividis, ScaleKind::Sqrt, 0.0, 1.0, {}}, 6, false);
    QCOMPARE(root.front().second, std::string("0.0"));
    for (std::size_t i = 1; i < root.size(); ++i) {
      QVERIFY(std::sqrt(root[i].first) - std::sqrt(root[i - 1].first) > 0.1);
    }
  }

  void numberTexts() {
    QCOMPARE(decimalText(-0.124, 2), std::string("−0.12"));
    QCOMPARE(decimalText(-0.001, 2), std::string("0.00"));
    QCOMPARE(decimalText(1234.5, 1), std::string("1234.5"));
    QCOMPARE(decimalText(12345.678, 2), std::string("12\u2009345.68"));
    QCOMPARE(decimalText(std::nan(""), 2), std::string("–"));
    QCOMPARE(countText(15928), std::string("15\u2009928"));
    QCOMPARE(countText(4096), std::string("4096"));
    QCOMPARE(countText(-1234567), std::string("−1\u2009234\u2009567"));
    QCOMPARE(ratioText(3.124), std::string("3.12×"));
    QCOMPARE(percentText(0.015625), std::string("1.56\u2009%"));
    QCOMPARE(tokenRangeText(46, 174), std::string("tokens 46–173"));
    QCOMPARE(tokenRangeText(5, 6), std::string("token 5"));
    QCOMPARE(tokenRangeText(5, 5), std::string("no tokens"));
  }

  void decades() {
    QCOMPARE(joined(decadeTicks(1, 10000, 5)), std::string("1 10 100 1\u2009k 10\u2009k"));
    QCOMPARE(joined(decadeTicks(64, 2067, 9)), std::string("100 200 500 1\u2009k 2\u2009k"));
    QCOMPARE(joined(decadeTicks(5e3, 1.2e6, 6)),
             std::string("10\u2009k 30\u2009k 100\u2009k 300\u2009k 1\u2009M"));
    QCOMPARE(joined(decadeTicks(0.001, 1, 4)), std::string("0.001 0.01 0.1 1"));
    QCOMPARE(joined(decadeTicks(1e-6, 1e-5, 2)), std::string("10⁻⁶ 10⁻⁵"));
    QVERIFY(decadeTicks(0, 10, 5).empty());
    QVERIFY(decadeTicks(std::nan(""), 10, 5).empty());
    for (double max = 2.0; max < 1e300; max *= 1e7) QVERIFY(decadeTicks(1.0, max, 6).size() <= 12);
  }

  void smallLinearAxesHaveTwoNumbers() {
    for (const auto& [low, high] : std::vector<std::pair<double, double>>{{0.3, 1.8},
                                                                          {0.94, 1.06},
                                                                          {1.1, 1.9},
                                                                          {-0.4, 0.3},
                                                                          {190.0, 210.0},
                                                                          {0.0, 1.47},
                                                                          {8.6e-5, 9.4e-5}}) {
      const auto ticks = axisTicks({"", low, high, {}, false, {}}, 2, false);
      QVERIFY2(ticks.size() >= 2 && ticks.size() <= 5, joined(ticks).c_str());
    }
    QVERIFY(axisTicks({"", 1.0, 1.0, {}, false, {}}, 2, false).empty());
  }

  void axisTicksByKind() {
    QCOMPARE(joined(axisTicks({"", 50, 2500, {}, false, {}, AxisKind::LogZero}, 9, false)),
             std::string("0 50 100 200 500 1\u2009k 2\u2009k"));
    QCOMPARE(
        joined(axisTicks({"", -0.5, 1.5, {{0, "code"}, {1, "law"}, {2, "out"}}, true, {}, AxisKind::Category},
                         9, false)),
        std::string("code law"));
    QCOMPARE(joined(axisTicks({"", 0, 1, {}, false, "%"}, 3, false)), std::string("0.0% 0.5% 1.0%"));
  }

  void placesOnAxes() {
    const Axis linear{"", -1, 3, {}, false, {}};
    QCOMPARE(axisPart(linear, 0), 0.25);
    const Axis log{"", 10, 1000, {}, false, {}, AxisKind::Log10};
    QCOMPARE(axisPart(log, 100), 0.5);
    QCOMPARE(axisPart(log, 1000), 1.0);
    QVERIFY(std::isnan(axisPart(log, 0)));
    QVERIFY(!onAxis(log, 0) && !onAxis(log, -3) && !onAxis(log, 1001) && onAxis(log, 1000));
    const Axis apart{"", 10, 1000, {}, false, {}, AxisKind::LogZero};
    QVERIFY(axisPart(apart, 0) < kBreakPart && kBreakPart < axisPart(apart, 10));
    QCOMPARE(axisPart(apart, 1000), 1.0);
    QCOMPARE(axisPart(apart, 100), (kLogPart + 1.0) / 2);
    QVERIFY(!onAxis(apart, -1));
  }

  void hostileRanges() {
    // From a file: nothing may hang, grow without bound or divide by zero.
    const double huge = std::numeric_limits<double>::max();
    const std::pair<double, double> ranges[] = {
        {1e10, std::nextafter(1e10, 2e10)}, {-huge, huge}, {1e-300, 1e300}, {5e-324, 1e-323}, {0.0, 5e-324}};
    for (const auto& [low, high] : ranges) {
      for (const AxisKind kind : {AxisKind::Linear, AxisKind::Log10, AxisKind::LogZero, AxisKind::Category}) {
        const Axis axis{"", low, high, {}, false, {}, kind};
        QVERIFY(axisTicks(axis, 9, false).size() < 40);
        QVERIFY(axisTicks(axis, 9, true).size() < 40);
      }
    }
    const Axis wide{"", 1e-300, 1e300, {}, false, {}, AxisKind::Log10};
    QVERIFY(std::abs(axisPart(wide, 1.0) - 0.5) < 1e-12);
  }

  void magnitudes() {
    QCOMPARE(magnitudeText(0), std::string("0"));
    QCOMPARE(magnitudeText(64), std::string("64"));
    QCOMPARE(magnitudeText(999), std::string("999"));
    QCOMPARE(magnitudeText(2067), std::string("2.07\u2009k"));
    QCOMPARE(magnitudeText(35000), std::string("35\u2009k"));
    QCOMPARE(magnitudeText(999999), std::string("1\u2009M"));
    QCOMPARE(magnitudeText(1.2e6), std::string("1.2\u2009M"));
    QCOMPARE(magnitudeText(147e9), std::string("147\u2009B"));
    QCOMPARE(magnitudeText(-5000), std::string("−5\u2009k"));
    QCOMPARE(magnitudeText(std::nan("")), std::string("–"));
  }
};

QTEST_APPLESS_MAIN(TestTicks)
#include "tst_ticks.moc"
