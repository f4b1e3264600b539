// Colour maps: lightness, symmetry, step sizes and what is left of them under colour vision deficiency.
// Expected distances are those of ui.md 2.3, computed there from the palette.
#include <QTest>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/figure/colour_map.h"
#include "core/figure/colour_vision.h"

using namespace moescope::figure;

namespace {

struct Lab {
  double l, a, b;
};

Lab toLab(Rgb colour) {
  std::array<double, 3> linear{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double v = colour[i] / 255.0;
    linear[i] = v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  }
  const auto [r, g, b] = linear;
  const auto f = [](double t) {
    return t > 216.0 / 24389.0 ? std::cbrt(t) : (24389.0 / 27.0 * t + 16.0) / 116.0;
  };
  const double x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const double y = f(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
  const double z = f((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
  return {116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)};
}

double distance(Rgb one, Rgb other) {
  const Lab p = toLab(one);
  const Lab q = toLab(other);
  return std::hypot(p.l - q.l, p.a - q.a, p.b - q.b);
}

constexpr std::array kSequential{ColourMapId::Cividis, ColourMapId::Viridis, ColourMapId::Greys};

}  // namespace

class TestColourMap : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void sequentialMapsRiseInLightness() {
    for (const ColourMapId map : kSequential) {
      const auto table = colourTable(map, Theme::Print);
      for (const ColourVision vision : {ColourVision::Normal, ColourVision::Deuteranopia}) {
        // 8-bit colours cannot rise in each of 255 steps; over any 4 they must, and they never fall visibly.
        for (std::size_t i = 0; i + 4 < 256; ++i) {
          const double now = toLab(simulate(vision, table[i])).l;
          QVERIFY2(toLab(simulate(vision, table[i + 4])).l > now, label(map).data());
          QVERIFY2(toLab(simulate(vision, table[i + 1])).l > now - 0.3, label(map).data());
        }
      }
      QVERIFY(toLab(table[255]).l - toLab(table[0]).l > 70.0);
    }
  }

  void divergingMapsAreSymmetric() {
    for (const Theme theme : {Theme::Print, Theme::Light, Theme::Dark}) {
      const auto table = colourTable(ColourMapId::Diverging, theme);
      QVERIFY(table[127] == table[128]);
      const double sign = theme == Theme::Dark ? -1.0 : 1.0;
      for (std::size_t i = 0; i < 128; ++i) {
        QVERIFY(std::abs(toLab(table[i]).l - toLab(table[255 - i]).l) < 1.5);
        if (i + 4 < 128) QVERIFY(sign * (toLab(table[i + 4]).l - toLab(table[i]).l) > 0.0);
      }
    }
  }

  void divergingStopsAreThoseOfTheDesign() {
    const auto light = colourTable(ColourMapId::Diverging, Theme::Light);
    QVERIFY((light[0] == Rgb{0x02, 0x56, 0xA9}));
    QVERIFY((light[127] == Rgb{0xF6, 0xF6, 0xF6}));
    QVERIFY((light[255] == Rgb{0xA5, 0x28, 0x13}));
    const auto dark = colourTable(ColourMapId::Diverging, Theme::Dark);
    QVERIFY((dark[0] == Rgb{0x79, 0xB3, 0xFF}));
    QVERIFY((dark[127] == Rgb{0x2F, 0x2F, 0x2F}));
    QVERIFY((dark[255] == Rgb{0xFF, 0x93, 0x7D}));
  }

  void endsStayApart() {
    struct Expected {
      Theme theme;
      ColourVision vision;
      double ends, quarters;
    };
    for (const Expected& e : {Expected{Theme::Light, ColourVision::Normal, 101, 57},
                              Expected{Theme::Dark, ColourVision::Normal, 81, 51},
                              Expected{Theme::Light, ColourVision::Deuteranopia, 100, 55},
                              Expected{Theme::Dark, ColourVision::Deuteranopia, 79, 49},
                              Expected{Theme::Light, ColourVision::Protanopia, 81, 44},
                              Expected{Theme::Dark, ColourVision::Protanopia, 62, 39}}) {
      const auto table = colourTable(ColourMapId::Diverging, e.theme);
      const double ends = distance(simulate(e.vision, table[0]), simulate(e.vision, table[255]));
      const double quarters = distance(simulate(e.vision, table[64]), simulate(e.vision, table[191]));
      QVERIFY2(std::abs(ends - e.ends) < 1.5, qPrintable(QString::number(ends)));
      QVERIFY2(std::abs(quarters - e.quarters) < 2.0, qPrintable(QString::number(quarters)));
    }
  }

  void neighboursAreClose() {
    for (const ColourMapId map :
         {ColourMapId::Cividis, ColourMapId::Viridis, ColourMapId::Greys, ColourMapId::Diverging}) {
      for (const Theme theme : {Theme::Light, Theme::Dark}) {
        const auto table = colourTable(map, theme);
        for (std::size_t i = 0; i + 1 < 256; ++i) QVERIFY(distance(table[i], table[i + 1]) < 2.5);
      }
    }
  }

  void ratiosAreSymmetricAroundUniform() {
    const ColourScale scale{ColourMapId::Diverging, ScaleKind::Log2, 0.25, 4.0, {}};
    QCOMPARE(scalePosition(scale, 1.0), 0.5);
    QCOMPARE(scalePosition(scale, 2.0), 0.75);
    QCOMPARE(scalePosition(scale, 0.5), 0.25);
    QVERIFY(mapColour(scale, Theme::Print, 1.0).colour == (Rgb{0xF6, 0xF6, 0xF6}));
    QVERIFY(mapColour(scale, Theme::Print, 4.0).state == RangeState::Inside);
    QVERIFY(mapColour(scale, Theme::Print, 4.1).state == RangeState::Above);
    const MappedColour never = mapColour(scale, Theme::Print, 0.0);
    QVERIFY(never.state == RangeState::Below);
    QVERIFY((never.colour == Rgb{0x02, 0x56, 0xA9}));
    QVERIFY(mapColour(scale, Theme::Print, std::nan("")).state == RangeState::Missing);
  }

  void squareRootScale() {
    const ColourScale scale{ColourMapId::Cividis, ScaleKind::Sqrt, 0.0, 0.64, {}};
    QCOMPARE(scalePosition(scale, 0.16), 0.5);
    QVERIFY(std::abs(scaleValue(scale, 0.5) - 0.16) < 1e-12);
    QCOMPARE(scaleValue({ColourMapId::Diverging, ScaleKind::Log2, 0.25, 4.0, {}}, 0.75), 2.0);
  }

  void categoriesAreOkabeIto() {
    QVERIFY((categoryColour(0, Theme::Print) == Rgb{0x00, 0x72, 0xB2}));
    QVERIFY((categoryColour(4, Theme::Print) == Rgb{0x00, 0x00, 0x00}));
    QVERIFY((categoryColour(4, Theme::Dark) == Rgb{0xF0, 0xE4, 0x42}));
    QVERIFY(categoryColour(7, Theme::Print) == categoryColour(0, Theme::Print));
  }
};

QTEST_APPLESS_MAIN(TestColourMap)
#include "tst_colour_map.moc"
