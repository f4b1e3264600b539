// FigureSpec as a document: it reads back as it was written, refuses what does not fit, and its CSV
// follows RFC 4180.
#include <QFile>
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

/// What version 2 added.
FigureSpec severalPanels() {
  FigureSpec spec;
  spec.kind = "phases";
  spec.title = "Phases";
  spec.groups = {{"surge", 5, Marker::Triangle}, {"between", kPlainColour, Marker::Ring}};
  spec.x = {"Step", 64.0, 2067.0, {}, false, {}, AxisKind::LogZero};
  spec.y = {"CV", 0.0, 2.0, {}, false, {}};
  spec.sharedX = spec.letters = true;
  spec.columns = 2;
  FigurePanel plane;
  plane.heading = "Layer 0, \"a\"";
  plane.headingNote = "peak 1.9 at 64";
  plane.y = spec.y;
  Line line;
  line.name = "CV";
  line.x = {0.0, 64.0};
  line.y = {0.5, 1.5};
  line.low = {0.25, 1.25};
  line.high = {0.75, 1.75};
  line.xLow = {0.0, 60.0};
  line.xHigh = {0.0, 70.0};
  line.colour = kPlainColour;
  line.marker = Marker::Diamond;
  line.dash = Dash::DashDotted;
  line.joined = false;
  line.arrows = line.whiskers = line.named = true;
  line.labels = {"0", ""};
  line.groups = {-1, 0};
  line.ringed = 1;
  plane.lines = {line};
  plane.bands = {{64.0, 256.0, "surge", "64–256", 5, false}};
  plane.references = {{false, 128.0, "chance", true}};
  FigurePanel load;
  load.x = {"Share", 0.0, 1.0, {}, false, "%"};
  load.y = {"", -0.5, 1.5, {{0.0, "code"}, {1.0, "law"}}, true, {}, AxisKind::Category};
  load.bars = Bars{{0.5, 0.25}, {}, {"code", "law"}, {0.4, 0.2}, {0.6, 0.3}, true, 0, {false, true}};
  load.sideColumns = {{"tokens", {"100", "200"}, {0.5, 1.0}}};
  HeatMap map;
  map.rows = 1;
  map.columns = 2;
  map.values = {0.5, 2.0};
  map.colours = {ColourMapId::Diverging, ScaleKind::Log2, 0.25, 4.0, "Ratio"};
  map.indistinct = {true, false};
  map.dotDistinct = true;
  map.missingText = "fewer than 1000 tokens";
  load.map = map;
  spec.panels = {plane, load};
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

  void roundTripOfPanels() {
    const std::string text = toJson(severalPanels()).dump();
    const auto read = figureFromJson(text, "f.json");
    QVERIFY2(read.has_value(), read ? "" : read.error().text().c_str());
    QCOMPARE(toJson(*read).dump(), text);
    QCOMPARE(read->panels.size(), std::size_t{2});
    const Line& line = read->panels[0].lines[0];
    QVERIFY(line.marker == Marker::Diamond && line.dash == Dash::DashDotted && !line.joined && line.arrows);
    QVERIFY(line.whiskers && line.named);
    QCOMPARE(line.groups, std::vector<int>({-1, 0}));
    QCOMPARE(line.xHigh, std::vector<double>({0.0, 70.0}));
    QCOMPARE(line.ringed, 1);
    QCOMPARE(line.colour, kPlainColour);
    QVERIFY(read->groups[1].marker == Marker::Ring);
    QVERIFY(read->x.kind == AxisKind::LogZero);
    QCOMPARE(read->panels[0].bands[0].note, std::string("64–256"));
    QVERIFY(read->panels[0].references[0].level);
    QCOMPARE(read->panels[1].bars->faint, std::vector<bool>({false, true}));
    QVERIFY(read->panels[1].bars->horizontal);
    QCOMPARE(read->panels[1].map->indistinct, std::vector<bool>({true, false}));
    QCOMPARE(read->panels[1].map->missingText, std::string("fewer than 1000 tokens"));
    QCOMPARE(read->panels[1].sideColumns[0].shares, std::vector<double>({0.5, 1.0}));
    QVERIFY(&xAxisOf(*read, read->panels[1]) == &read->x);
    QVERIFY(&yAxisOf(*read, read->panels[1]) == &read->panels[1].y);
  }

  void versionOneIsRead() {
    QFile file(QStringLiteral(MOESCOPE_TEST_DATA "/figure/version_1.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const auto read = figureFromJson(file.readAll().toStdString(), "version_1.json");
    QVERIFY2(read.has_value(), read ? "" : read.error().text().c_str());
    QCOMPARE(panelsOf(*read).size(), std::size_t{1});
    QVERIFY(read->x.kind == AxisKind::Linear);
    QVERIFY(read->lines[0].marker == Marker::Automatic && read->lines[0].joined);
    QCOMPARE(read->lines[0].high, std::vector<double>({2.0, 0.75}));
    QCOMPARE(read->bars->colour, kPlainColour);
    QCOMPARE(read->map->missingText, std::string("no data"));
    QCOMPARE(read->references[0].level, false);
    QVERIFY(read->map->marks[0].second == CellMark::Banned);
  }

  void refusalsInPanels_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("value");
    const std::pair<const char*, const char*> cases[] = {{"/x/kind", "\"cubic\""},
                                                         {"/x/min", "0"},
                                                         {"/panels", "{}"},
                                                         {"/panels/0", "7"},
                                                         {"/panels/0/lines/0/marker", "\"heart\""},
                                                         {"/panels/0/lines/0/groups", "[0,2]"},
                                                         {"/panels/0/lines/0/groups", "[0]"},
                                                         {"/panels/0/lines/0/groups", "[0,1e300]"},
                                                         {"/panels/0/lines/0/labels", "[\"a\"]"},
                                                         {"/panels/0/lines/0/ringed", "2"},
                                                         {"/panels/0/lines/0/x_low", "[1]"},
                                                         {"/panels/0/lines/0/colour", "7"},
                                                         {"/panels/0/lines/0/dash", "3"},
                                                         {"/panels/0/bands/0/high", "1"},
                                                         {"/panels/0/bands/0/colour", "-2"},
                                                         {"/panels/1/bars/low", "[0.1]"},
                                                         {"/panels/1/bars/faint", "[true]"},
                                                         {"/panels/1/map/indistinct", "[true]"},
                                                         {"/panels/1/side_columns/0/texts", "[1]"},
                                                         {"/groups/0/marker", "\"\""},
                                                         {"/columns", "1000000"}};
    for (const auto& [path, value] : cases) QTest::addRow("%s %s", path, value) << path << value;
  }

  void refusalsInPanels() {
    QFETCH(QString, path);
    QFETCH(QString, value);
    auto document = nlohmann::json::parse(toJson(severalPanels()).dump());
    document[nlohmann::json::json_pointer(path.toStdString())] = nlohmann::json::parse(value.toStdString());
    const auto read = figureFromJson(document.dump(), "f.json");
    QVERIFY(!read.has_value());
    QCOMPARE(read.error().kind, std::string("figure.bad_format"));
    QVERIFY(!read.error().where.empty());
  }

  void tooManyPanels() {
    auto document = nlohmann::json::parse(toJson(severalPanels()).dump());
    for (std::size_t i = 0; i < kMostPanels; ++i) document["panels"].push_back(document["panels"][0]);
    QCOMPARE(kindOf(document.dump()), std::string("figure.bad_format"));
  }

  void csvOfPanels() {
    const QString csv = QString::fromStdString(toCsv(severalPanels()));
    QCOMPARE(csv,
             "panel,series,Step,CV,low,high,x_low,x_high,label,group\r\n"
             "\"Layer 0, \"\"a\"\"\",CV,0,0.5,0.25,0.75,0,0,0,\r\n"
             "\"Layer 0, \"\"a\"\"\",CV,64,1.5,1.25,1.75,60,70,,surge\r\n"
             "panel,row,Step,Ratio\r\nb,0,0,0.5\r\nb,0,1,2\r\n"
             "panel,rank,name,Step,highlighted,low,high\r\n"
             "b,0,code,0.5,0,0.4,0.6\r\nb,1,law,0.25,0,0.2,0.3\r\n");
  }

  void letters() {
    QCOMPARE(panelLetter(0), std::string("a"));
    QCOMPARE(panelLetter(25), std::string("z"));
    QCOMPARE(panelLetter(26), std::string("aa"));
    QCOMPARE(panelLetter(27), std::string("ab"));
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
