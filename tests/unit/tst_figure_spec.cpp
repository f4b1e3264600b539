// FigureSpec as a document: it reads back as it was written, refuses what does not fit, and its CSV
// follows RFC 4180.
#include <QTest>

#include <cmath>
#include <limits>

#include "core/figure/figure_spec.h"

using namespace moescope::figure;

namespace {

FigureSpec everything() {
  FigureSpec spec;
  spec.kind = "routing-map";
  spec.title = "A \"title\", with a comma";
  spec.sampleLine = "Run Sunset · tokens 0–9";
  spec.baseline = "uniform load";
  spec.drawSampleLine = true;
  spec.widthInches = 6.75;
  spec.fontPoints = 7.5;
  spec.theme = Theme::Dark;
  spec.x = {"Expert", -0.5, 2.5, {{0.0, "0"}, {2.0, "2"}}, false, {}};
  spec.y = {"Layer", -0.5, 1.5, {}, true, "×"};
  HeatMap map;
  map.rows = 2;
  map.columns = 3;
  map.values = {0.1, 1.0 / 3.0, std::numeric_limits<double>::quiet_NaN(), 4.0, 1e-300, 2.0};
  map.colours = {ColourMapId::Diverging, ScaleKind::Log2, 0.25, 4.0, "Load ÷ uniform"};
  map.marks = {{{1, 2}, CellMark::Banned}, {{0, -1}, CellMark::LayerRule}};
  map.rowNames = {"3", "7, \"x\""};
  spec.map = map;
  spec.bars = Bars{{3.0, 1.5}, {true, false}, {"41", "7"}};
  spec.lines = {{"CV", {1, 2}, {0.5, 0.25}, {0.4, 0.2}, {0.6, 0.3}, 3}};
  spec.references = {{true, 1.0, "uniform"}, {false, 60.0, "boost added"}};
  spec.provenance = {{"program", "MoEScope"}, {"filter", "tokens 0–9"}};
  return spec;
}

std::string kindOf(const std::string& text) {
  const auto spec = figureFromJson(text, "f.json");
  return spec ? "ok" : spec.error().kind;
}

}  // namespace

class TestFigureSpec : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void roundTrip() {
    const std::string text = toJson(everything()).dump();
    const auto read = figureFromJson(text, "f.json");
    QVERIFY2(read.has_value(), read ? "" : read.error().text().c_str());
    QCOMPARE(toJson(*read).dump(), text);
    QCOMPARE(read->map->values[1], 1.0 / 3.0);
    QCOMPARE(read->map->values[4], 1e-300);
    QVERIFY(std::isnan(read->map->values[2]));
    QCOMPARE(read->map->marks.size(), std::size_t{2});
    QVERIFY(read->map->marks[0].second == CellMark::Banned);
    QVERIFY(read->x == everything().x);
    QVERIFY(read->theme == Theme::Dark);
    QCOMPARE(read->references[1].horizontal, false);
  }

  void refusals_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("value");
    QTest::addRow("values too few") << "/map/values"
                                    << "[1,2]";
    QTest::addRow("rows overflow") << "/map/rows"
                                   << "2147483648";
    QTest::addRow("negative rows") << "/map/rows"
                                   << "-1";
    QTest::addRow("unknown map") << "/map/colours/map"
                                 << "\"jet\"";
    QTest::addRow("log of zero") << "/map/colours/min"
                                 << "0";
    QTest::addRow("mark outside") << "/map/marks"
                                  << "[[5,0,\"banned\"]]";
    QTest::addRow("mark unknown") << "/map/marks"
                                  << "[[0,0,\"loved\"]]";
    QTest::addRow("mark row huge") << "/map/marks"
                                   << "[[18446744073709551615,0,\"banned\"]]";
    QTest::addRow("names") << "/map/row_names"
                           << "[\"a\"]";
    QTest::addRow("width") << "/width_inches"
                           << "1e9";
    QTest::addRow("font") << "/font_points"
                          << "0";
    QTest::addRow("theme") << "/theme"
                           << "\"pink\"";
    QTest::addRow("axis order") << "/x/max"
                                << "-3";
    QTest::addRow("axis number") << "/x/max"
                                 << "\"3\"";
    QTest::addRow("bars") << "/bars/highlighted"
                          << "[true]";
    QTest::addRow("line lengths") << "/lines/0/y"
                                  << "[1]";
    QTest::addRow("band lengths") << "/lines/0/low"
                                  << "[1]";
    QTest::addRow("colour") << "/lines/0/colour"
                            << "99";
    QTest::addRow("provenance") << "/provenance"
                                << "[[\"a\"]]";
    QTest::addRow("tick") << "/x/ticks"
                          << "[[0]]";
  }

  void refusals() {
    QFETCH(QString, path);
    QFETCH(QString, value);
    auto document = nlohmann::json::parse(toJson(everything()).dump());
    document[nlohmann::json::json_pointer(path.toStdString())] = nlohmann::json::parse(value.toStdString());
    const auto read = figureFromJson(document.dump(), "f.json");
    QVERIFY(!read.has_value());
    QCOMPARE(read.error().kind, std::string("figure.bad_format"));
    QVERIFY(!read.error().where.empty());
    QCOMPARE(read.error().file, std::string("f.json"));
  }

  void otherDocuments() {
    QCOMPARE(kindOf("not json"), std::string("figure.not_json"));
    QCOMPARE(kindOf("{}"), std::string("figure.not_a_figure"));
    QCOMPARE(kindOf("[]"), std::string("figure.not_a_figure"));
    QCOMPARE(kindOf(R"({"moescope_figure": 3})"), std::string("figure.newer"));
    QCOMPARE(kindOf(R"({"moescope_figure": 0})"), std::string("figure.bad_format"));
    QCOMPARE(kindOf(R"({"moescope_figure": 1})"), std::string("figure.bad_format"));
    QCOMPARE(kindOf(std::string(100000, '[')), std::string("figure.not_json"));
  }

  void csvOfAMap() {
    FigureSpec spec = everything();
    spec.bars.reset();
    spec.lines.clear();
    const QStringList lines = QString::fromStdString(toCsv(spec)).split("\r\n");
    QCOMPARE(lines.size(), 8);  // header, 6 cells, the empty rest after the last line end
    QCOMPARE(lines[0], "Layer,Expert,Load ÷ uniform");
    QCOMPARE(lines[1], "3,0,0.1");
    QCOMPARE(lines[3], "3,2,");
    QCOMPARE(lines[4], "\"7, \"\"x\"\"\",0,4");
    QCOMPARE(lines[2].split(',').last().toDouble(), 1.0 / 3.0);
  }

  void csvOfBarsAndLines() {
    FigureSpec spec = everything();
    spec.map.reset();
    spec.y.label = "Load ÷ uniform";
    spec.lines.clear();
    QCOMPARE(QString::fromStdString(toCsv(spec)),
             "rank,name,Load ÷ uniform,highlighted\r\n0,41,3,1\r\n1,7,1.5,0\r\n");
    spec = everything();
    spec.map.reset();
    spec.bars.reset();
    spec.y.label = "CV";
    spec.x.label = "Token";
    QCOMPARE(QString::fromStdString(toCsv(spec)),
             "series,Token,CV,low,high\r\nCV,1,0.5,0.4,0.6\r\nCV,2,0.25,0.2,0.3\r\n");
  }
};

QTEST_APPLESS_MAIN(TestFigureSpec)
#include "tst_figure_spec.moc"
