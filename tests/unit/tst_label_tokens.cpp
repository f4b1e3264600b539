// The tokens behind a cell of a specialization map, against counts made by hand from the rows below.
#include <QTest>

#include "core/analysis/label_tokens.h"
#include "tests/unit/routing_vectors.h"

using namespace moescope;
using namespace moescope::analysis;
using fixture::VectorTrace;

namespace {

RouterSpec twoOfFour() {
  RouterSpec router;
  router.experts = 4;
  router.topK = 2;
  return router;
}

struct Bench {
  VectorTrace trace{{twoOfFour()}};
  std::optional<AnalysedRun> run;

  Bench() {
    // Label a: rows 0 to 4; label b: rows 5 and 6.
    trace.addRun({{"a", {0, 2, 0, 1, 2}, {{{0, 1}, {1, 2}, {1, 0}, {3, 2}, {2, 1}}}},
                  {"b", {0, 2}, {{{1, 3}, {1, 0}}}}},
                 trace::CaptureLevel::Ids);
    auto found = analysedRun(trace.store(), trace.runs(), trace::CaptureLevel::Ids);
    if (!found) qFatal("%s", found.error().text().c_str());
    run = *std::move(found);
  }
  [[nodiscard]] LabelTokens tokens(const char* source, const char* label, int expert, int choices = 0,
                                   int most = 10) {
    const auto keys = labelTokenKeys(trace.store(), *run, *labelSourceFrom(source), label, {});
    if (!keys) qFatal("%s", keys.error().text().c_str());
    auto out = labelTokens(trace.store(), *run, 0, expert, *keys,
                           {.choices = choices, .most = most, .places = 2, .around = 1}, {});
    if (!out) qFatal("%s", out.error().text().c_str());
    return *std::move(out);
  }
};

}  // namespace

class TestLabelTokens : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void onlyRowsOfTheLabelHaveAKey() {
    Bench bench;
    const auto keys = [&](const char* source, const char* label) {
      return *labelTokenKeys(bench.trace.store(), *bench.run, *labelSourceFrom(source), label, {});
    };
    using Keys = std::vector<std::int32_t>;
    QCOMPARE(keys("corpus", "b"), (Keys{-1, -1, -1, -1, -1, 0, 2}));
    QCOMPARE(keys("positions:2", "2–3"), (Keys{-1, -1, 0, 1, -1, -1, -1}));
    QCOMPARE(keys("tokens:x=1-1,6-6", "x"), (Keys{-1, 2, -1, -1, -1, -1, 2}));
    QCOMPARE(keys("corpus", "nowhere"), Keys(7, -1));
  }

  void theMostFrequentComeFirst() {
    Bench bench;
    const LabelTokens of = bench.tokens("corpus", "a", 1);
    // Expert 1 serves rows 0, 1, 2 and 4 of label a: both 0s and both 2s.
    QCOMPARE(of.tokens, 5);
    QCOMPARE(of.chosen, 4);
    QCOMPARE(of.ids, 2);
    QCOMPARE(of.top.size(), std::size_t{2});
    QCOMPARE(of.top[0].id, 0);
    QCOMPARE(of.top[0].chosen, 2);
    QCOMPARE(of.top[0].occurrences, 2);  // the 0 of label b does not count
    QCOMPARE(of.top[1].id, 2);
    QCOMPARE(of.top[1].rate, 1.0);
  }

  void firstChoicesAndALimit() {
    Bench bench;
    const LabelTokens of = bench.tokens("corpus", "a", 1, 1, 1);
    // Its first choices are rows 1 (id 2) and 2 (id 0): both once of two.
    QCOMPARE(of.chosen, 2);
    QCOMPARE(of.ids, 2);
    QCOMPARE(of.top.size(), std::size_t{1});
    QCOMPARE(of.top[0].id, 0);
    QCOMPARE(of.top[0].rate, 0.5);
  }

  void byRateRareOnesAreLeftOut() {
    Bench bench;
    const auto keys = tokenKeys(bench.trace.store(), *bench.run, TokenKey::Input, {});
    const auto ids = [&](std::int64_t least) {
      const auto of =
          labelTokens(bench.trace.store(), *bench.run, 0, 2, *keys, {.byRate = true, .least = least}, {});
      std::vector<std::int32_t> out;
      for (const TopToken& token : of->top) out.push_back(token.id);
      return out;
    };
    // Expert 2 serves the one 1 and two of three 2s.
    QCOMPARE(ids(1), (std::vector<std::int32_t>{1, 2}));
    QCOMPARE(ids(2), std::vector<std::int32_t>{2});
  }

  void placesAreOfTheLabel() {
    Bench bench;
    const LabelTokens of = bench.tokens("corpus", "b", 1);
    std::vector<std::int64_t> rows;
    for (const TokenContext& context : of.contexts) rows.push_back(context.row);
    QCOMPARE(rows, (std::vector<std::int64_t>{5, 6}));
    QCOMPARE(of.contexts[1].before, bench.trace.store().tokenBytes(bench.run->record.id, 0));
    QVERIFY(of.contexts[1].after.empty());  // the end of the text
  }

  void anExpertThatServesNone() {
    Bench bench;
    const LabelTokens of = bench.tokens("corpus", "b", 2);
    QCOMPARE(of.tokens, 2);
    QCOMPARE(of.chosen, 0);
    QVERIFY(of.top.empty() && of.contexts.empty());
  }

  void canBeStopped() {
    Bench bench;
    std::stop_source stop;
    stop.request_stop();
    const auto keys =
        labelTokenKeys(bench.trace.store(), *bench.run, *labelSourceFrom("corpus"), "a", stop.get_token());
    QVERIFY(!keys);
    QCOMPARE(keys.error().kind, std::string("cancelled"));
  }
};

QTEST_APPLESS_MAIN(TestLabelTokens)
#include "tst_label_tokens.moc"
