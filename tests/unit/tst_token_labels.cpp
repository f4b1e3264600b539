// Where labels of tokens come from: what can be typed, and which token gets which label.
#include <QTest>

#include "core/analysis/label_units.h"
#include "core/analysis/text_units.h"
#include "tests/unit/routing_vectors.h"

using namespace moescope;
using namespace moescope::analysis;
using fixture::VectorTrace;

namespace {

RouterSpec smallRouter() {
  RouterSpec router;
  router.experts = 4;
  router.topK = 1;
  return router;
}

/// Labels of the rows of a run, "-" for none.
std::string labelsOf(const LabelUnits& units) {
  std::string out;
  for (const std::int32_t entry : units.entryOfToken)
    out += entry < 0
               ? "-"
               : units.labels[static_cast<std::size_t>(units.entries[static_cast<std::size_t>(entry)].label)];
  return out;
}

}  // namespace

class TestTokenLabels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void sources() {
    QVERIFY(labelSourceFrom("corpus")->perText());
    QCOMPARE(labelSourceFrom("corpus:language")->key, std::string("language"));
    const auto regex = labelSourceFrom(R"(regex:d=^\d+$;semi=\;)");
    QVERIFY(regex.has_value());
    QCOMPARE(regex->labels.size(), std::size_t{2});
    QVERIFY(*regex->labels[0].pattern.matches("12"));
    QVERIFY(!*regex->labels[0].pattern.matches("12\n"));
    QVERIFY(*regex->labels[1].pattern.matches("a;b"));
    QVERIFY(!*regex->labels[1].pattern.matches("\xE2\x82"));  // half a character
    const auto tokens = labelSourceFrom("tokens:a=0-2,5;b=7-7");
    QVERIFY(tokens.has_value());
    QCOMPARE(tokens->labels[0].ranges, (std::vector<trace::TokenRange>{{0, 3}, {5, 6}}));
    QCOMPARE(labelSourceFrom("positions:32")->width, 32);
  }

  void badSources_data() {
    QTest::addColumn<QString>("text");
    for (const char* text :
         {"", "corpus:", "colour", "regex:", "regex:a", "regex:=x", "regex:a=(", "regex:a=x;a=y",
          "regex:other=x", "regex:a=", "tokens:a=5-2", "tokens:a=", "tokens:a=x", "tokens:a=-1",
          "tokens:a=1-99999999999999999999", "positions:0", "positions:x", "regex:a=x;"})
      QTest::newRow(text) << QString(text);
  }
  void badSources() {
    QFETCH(QString, text);
    const auto source = labelSourceFrom(text.toStdString());
    QVERIFY(!source.has_value() || text == "regex:a=x;");
    if (!source) QCOMPARE(source.error().kind, std::string("analysis.bad_param"));
  }

  void nestedRepetitionEndsInAnError() {
    const auto pattern = TokenPattern::compile("^(?:(?:a|aa|a?)+)+$");
    QVERIFY(pattern.has_value());
    const auto found = pattern->matches(std::string(200, 'a') + "b");
    QVERIFY(!found.has_value());
    QCOMPARE(found.error().kind, std::string("analysis.bad_param"));
  }

  void tokensGetTheFirstLabelThatFits() {
    VectorTrace trace({smallRouter()});
    trace.addRun({{"", {0, 2, 1, 2}, {{{0}, {1}, {2}, {3}}}}, {"", {4, 0}, {{{0}, {1}}}}},
                 trace::CaptureLevel::Ids);
    const auto run = analysedRun(trace.store(), trace.runs(), trace::CaptureLevel::Ids);
    QVERIFY(run.has_value());
    const auto byRegex =
        labelUnits(trace.store(), *run, *labelSourceFrom("regex:D=[0-9];A=^a$|1"), false, {});
    QVERIFY2(byRegex.has_value(), byRegex ? "" : byRegex.error().text().c_str());
    QCOMPARE(labelsOf(*byRegex), std::string("ADotherDotherA"));
    const auto byRow = labelUnits(trace.store(), *run, *labelSourceFrom("tokens:X=1-2;Y=2-4"), false, {});
    QCOMPARE(labelsOf(*byRow), std::string("otherXXYYother"));
    const auto byPosition = labelUnits(trace.store(), *run, *labelSourceFrom("positions:2"), false, {});
    QCOMPARE(byPosition->labels, (std::vector<std::string>{"0–1", "2–3"}));
    QCOMPARE(labelsOf(*byPosition), std::string("0–10–12–32–30–10–1"));
  }

  void oneLabel() {
    VectorTrace trace({smallRouter()});
    trace.addRun({{"a", {0}, {{{0}}}}, {"a", {1}, {{{1}}}}}, trace::CaptureLevel::Ids);
    const auto run = analysedRun(trace.store(), trace.runs(), trace::CaptureLevel::Ids);
    for (const char* source :
         {"corpus", "corpus:nothing", "regex:a=nowhere", "tokens:a=7-9", "positions:9"}) {
      const auto units = labelUnits(trace.store(), *run, *labelSourceFrom(source), false, {});
      QVERIFY2(!units.has_value(), source);
      QCOMPARE(units.error().kind, std::string("analysis.one_label"));
      QVERIFY(!units.error().advice.empty());
    }
  }

  void longTextsAreCutWhereThereAreFew() {
    std::vector<trace::SequenceRecord> few(2);
    few[0].length = 600;
    few[1].length = 256;
    few[0].textHash = "a";
    few[1].textHash = "b";
    const TextUnits cut = textUnits(few);
    QVERIFY(cut.cut);
    QCOMPARE(cut.units, 4);
    QCOMPARE(cut.unitOf(0, 599), 2);
    QCOMPARE(cut.unitOf(1, 0), 3);
    std::vector<trace::SequenceRecord> many(kFewTexts, few[0]);
    for (std::size_t s = 0; s < many.size(); ++s) many[s].textHash = std::to_string(s);
    QVERIFY(!textUnits(many).cut);
    QCOMPARE(textUnits(many).units, kFewTexts);
  }
};

QTEST_APPLESS_MAIN(TestTokenLabels)
#include "tst_token_labels.moc"
