// AnalysisResult as JSON and back, and as CSV. Expected texts are written by hand.
#include <QTest>

#include <cmath>
#include <limits>

#include "core/analysis/analysis_result.h"

using namespace moescope::analysis;

namespace {

AnalysisResult example() {
  AnalysisResult result;
  result.analysis = "example";
  result.parameters = {{"draws", "10"}, {"layer", "all"}};
  result.sample = "run 1 “corpus”";
  result.baseline = "uniform load";
  result.interval = "95 %";
  result.notes = {"one note"};
  result.tables.push_back(
      {"numbers",
       "Numbers",
       {{"name", ""}, {"value", "nat"}, {"count", "tokens"}},
       {{std::string("a \"quoted\", text"), 0.1, std::int64_t{1} << 53},
        {std::string("two\nlines"), std::numeric_limits<double>::infinity(), std::monostate{}}}});
  ResultMatrix matrix;
  matrix.id = "pairs";
  matrix.title = "Pairs";
  matrix.rowLabel = "Label";
  matrix.columnLabel = "Expert";
  matrix.valueLabel = "share";
  matrix.rowNames = {"code", "prose, French"};
  matrix.columnNames = {"0", "1"};
  matrix.values = {0.5, std::nan(""), -2.0, 1e-300};
  matrix.baseline = 0.25;
  result.matrices.push_back(matrix);
  matrix.id = "with_interval";
  matrix.low = {0.25, std::nan(""), -3.0, 0.0};
  matrix.high = {0.75, std::nan(""), -1.0, 1.0};
  matrix.baseline.reset();
  result.matrices.push_back(matrix);
  return result;
}

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

}  // namespace

class TestAnalysisResult : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void jsonAndBack() {
    const AnalysisResult before = example();
    const auto read = resultFromJson(toJson(before).dump());
    QVERIFY(read);
    QCOMPARE(read->analysis, before.analysis);
    QVERIFY(read->parameters == before.parameters);
    QCOMPARE(read->sample, before.sample);
    QCOMPARE(read->baseline, before.baseline);
    QCOMPARE(read->interval, before.interval);
    QVERIFY(read->notes == before.notes);
    // What is not finite comes back as an empty cell.
    ResultTable table = before.tables[0];
    table.rows[1][1] = std::monostate{};
    QVERIFY(read->tables.at(0) == table);
    QCOMPARE(read->matrices.size(), std::size_t{2});
    for (std::size_t i = 0; i < 2; ++i) {
      const ResultMatrix &a = read->matrices[i], &b = before.matrices[i];
      QCOMPARE(a.id, b.id);
      QCOMPARE(a.title, b.title);
      QCOMPARE(a.rowLabel, b.rowLabel);
      QCOMPARE(a.columnLabel, b.columnLabel);
      QCOMPARE(a.valueLabel, b.valueLabel);
      QVERIFY(a.rowNames == b.rowNames);
      QVERIFY(a.columnNames == b.columnNames);
      QVERIFY(same(a.values, b.values));
      QVERIFY(same(a.low, b.low));
      QVERIFY(same(a.high, b.high));
      QVERIFY(a.baseline == b.baseline);
    }
  }

  void readsCells() {
    const ResultTable table{
        "t",
        "T",
        {{"layer", ""}, {"cv", ""}, {"name", ""}},
        {{std::int64_t{3}, 0.25, std::string("a")}, {ResultCell(), ResultCell(), ResultCell()}}};
    QCOMPARE(columnOf(table, "cv"), std::optional<std::size_t>(1));
    QVERIFY(!columnOf(table, "") && !columnOf(table, "gini"));
    QCOMPARE(numberAt(table, 0, "layer"), 3.0);
    QCOMPARE(numberAt(table, 0, "cv"), 0.25);
    QVERIFY(std::isnan(numberAt(table, 0, "name")) && std::isnan(numberAt(table, 1, "cv")));
    QVERIFY(std::isnan(numberAt(table, 0, "gini")));
    QCOMPARE(wordAt(table, 0, "name"), std::string("a"));
    QVERIFY(wordAt(table, 0, "cv").empty() && wordAt(table, 1, "name").empty() &&
            wordAt(table, 0, "x").empty());
  }

  void findsPartsById() {
    const AnalysisResult result = example();
    QVERIFY(result.table("numbers") == &result.tables[0]);
    QVERIFY(result.table("pairs") == nullptr);
    QVERIFY(result.matrix("with_interval") == &result.matrices[1]);
    QVERIFY(result.matrix("numbers") == nullptr);
  }

  void csvOfATable() {
    QCOMPARE(toCsv(example().tables[0]), std::string("name,value,count\r\n"
                                                     "\"a \"\"quoted\"\", text\",0.1,9007199254740992\r\n"
                                                     "\"two\nlines\",,\r\n"));
  }

  void csvOfAMatrix() {
    const AnalysisResult result = example();
    QCOMPARE(toCsv(result.matrices[0]),
             std::string("row,column,value\r\ncode,0,0.5\r\ncode,1,\r\n\"prose, French\",0,-2\r\n"
                         "\"prose, French\",1,1e-300\r\n"));
    QCOMPARE(toCsv(result.matrices[1]),
             std::string("row,column,value,low,high\r\ncode,0,0.5,0.25,0.75\r\ncode,1,,,\r\n"
                         "\"prose, French\",0,-2,-3,-1\r\n\"prose, French\",1,1e-300,0,1\r\n"));
  }

  void damagedTexts_data() {
    QTest::addColumn<QString>("text");
    const auto changed = [](auto change) {
      nlohmann::ordered_json json = toJson(example());
      change(json);
      return QString::fromStdString(json.dump());
    };
    QTest::newRow("no JSON") << QStringLiteral("{\"analysis\":");
    QTest::newRow("a list") << QStringLiteral("[]");
    QTest::newRow("a key missing") << changed([](auto& json) { json.erase("sample"); });
    QTest::newRow("another type") << changed([](auto& json) { json["notes"] = 3; });
    QTest::newRow("a short row") << changed([](auto& json) { json["tables"][0]["rows"][0].erase(2); });
    QTest::newRow("a value too few") << changed([](auto& json) { json["matrices"][0]["values"].erase(0); });
    QTest::newRow("an interval too short")
        << changed([](auto& json) { json["matrices"][1]["low"].erase(0); });
    QTest::newRow("a text for a value")
        << changed([](auto& json) { json["matrices"][0]["values"][0] = "x"; });
  }
  void damagedTexts() {
    QFETCH(QString, text);
    const auto read = resultFromJson(text.toStdString());
    QVERIFY(!read);
    QCOMPARE(read.error().kind, std::string("trace.damaged"));
  }
};

QTEST_APPLESS_MAIN(TestAnalysisResult)
#include "tst_analysis_result.moc"
