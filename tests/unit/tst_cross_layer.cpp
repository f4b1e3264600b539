// Expert transitions, cross-layer flow and affinity against small cases by hand and against numpy.
#include <QTest>

#include <array>

#include "core/analysis/cross_layer_flow.h"
#include "tests/support/locality_vectors.h"

using namespace moescope::analysis;
using moescope::test::LocalityTexts;
using moescope::trace::kEmptySlot;

class TestCrossLayer : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void pairsOfOneToken() {
    const std::array<std::uint16_t, 2> a{0, 1}, b{2, 0};
    ExpertTransitions top(3, 3), rank(3, 3), all(3, 3);
    top.add(a, b, PairRule::TopOne);
    rank.add(a, b, PairRule::RankAligned);
    all.add(a, b, PairRule::AllPairs);
    QCOMPARE(top.weights, (std::vector<double>{0, 0, 1, 0, 0, 0, 0, 0, 0}));
    QCOMPARE(rank.weights, (std::vector<double>{0, 0, 0.5, 0.5, 0, 0, 0, 0, 0}));
    QCOMPARE(all.weights, (std::vector<double>{0.25, 0, 0.25, 0.25, 0, 0.25, 0, 0, 0}));
    for (const auto* transitions : {&top, &rank, &all}) QCOMPARE(transitions->tokens, 1.0);
  }

  void rowsOfTheConditionalSumToOne() {
    ExpertTransitions all(3, 4);
    all.add(std::array<std::uint16_t, 2>{0, 1}, std::array<std::uint16_t, 2>{3, 0}, PairRule::AllPairs);
    all.add(std::array<std::uint16_t, 1>{1}, std::array<std::uint16_t, 2>{2, 1}, PairRule::AllPairs);
    const std::vector<double> p = all.conditional();
    for (std::size_t row = 0; row < 2; ++row)
      QVERIFY_NEAR(p[row * 4] + p[row * 4 + 1] + p[row * 4 + 2] + p[row * 4 + 3], 1.0, 1e-15);
    QVERIFY(std::isnan(p[8]));  // expert 2 was never chosen
  }

  void tokensWithoutAChoiceAreLeftOut() {
    ExpertTransitions top(2, 2);
    top.add(std::array<std::uint16_t, 2>{kEmptySlot, 1}, std::array<std::uint16_t, 2>{0, 1},
            PairRule::TopOne);
    top.add({}, std::array<std::uint16_t, 1>{0}, PairRule::TopOne);
    QCOMPARE(top.tokens, 0.0);
    const FlowSummary none = flowSummary(top);
    QVERIFY(std::isnan(none.mutualInformation) && std::isnan(none.meanMax) && std::isnan(none.guessWithout));
    QVERIFY(std::isnan(coverage(top, 1).known));
    QVERIFY(flowStreams(top).empty());
  }

  void fullDependenceAndNone() {
    ExpertTransitions same(4, 4), spread(4, 4);
    for (std::uint16_t i = 0; i < 4; ++i) {
      same.add(std::array{i}, std::array{i}, PairRule::TopOne);
      for (std::uint16_t j = 0; j < 4; ++j) spread.add(std::array{i}, std::array{j}, PairRule::TopOne);
    }
    const FlowSummary full = flowSummary(same);
    QVERIFY_NEAR(full.mutualInformation, std::log(4.0), 1e-12);
    QVERIFY_NEAR(full.normalizedInformation, 1.0, 1e-12);
    QCOMPARE(full.weightedMax, 1.0);
    QCOMPARE(full.guessWithout, 0.25);
    const FlowSummary none = flowSummary(spread);
    QVERIFY_NEAR(none.mutualInformation, 0.0, 1e-12);
    QCOMPARE(none.meanMax, 0.25);
    QVERIFY_NEAR(none.bias, 9.0 / 32.0, 1e-15);
  }

  /// analyses.md 2.5: (M - 1)^2 / 2N = 0.0095 nat for 64 experts and 208,896 tokens.
  void biasOfTheMutualInformation() {
    ExpertTransitions spread(64, 64);
    for (std::uint16_t i = 0; i < 64; ++i) {
      for (std::uint16_t j = 0; j < 64; ++j) spread.add(std::array{i}, std::array{j}, PairRule::TopOne);
    }
    ExpertTransitions many(64, 64);
    many.add(spread, 51.0);
    QCOMPARE(many.tokens, 208896.0);
    QVERIFY_NEAR(flowSummary(many).bias, 0.0095, 5e-5);
  }

  void oneLiveExpertLater() {
    ExpertTransitions one(2, 2);
    one.add(std::array<std::uint16_t, 1>{0}, std::array<std::uint16_t, 1>{1}, PairRule::TopOne);
    const FlowSummary summary = flowSummary(one);
    QCOMPARE(summary.mutualInformation, 0.0);
    QVERIFY(std::isnan(summary.normalizedInformation));
    QCOMPARE(summary.weightedMax, 1.0);
  }

  void againstNumpy_data() {
    QTest::addColumn<QString>("rule");
    for (const char* rule : {"top1", "rank", "all"}) QTest::newRow(rule) << QString(rule);
  }

  void againstNumpy() {
    QFETCH(QString, rule);
    const LocalityTexts texts;
    const auto& expected = texts.document["transitions"][rule.toStdString()];
    ExpertTransitions transitions(texts.experts, texts.experts);
    const auto from = texts.pieces(0), to = texts.pieces(1);
    for (std::size_t p = 0; p < from.size(); ++p) {
      for (int token = 0; token < from[p].tokens(); ++token)
        transitions.add(from[p].row(token), to[p].row(token), *pairRuleFrom(rule.toStdString()));
    }
    QCOMPARE(transitions.tokens, expected["tokens"].get<double>());
    for (int i = 0; i < texts.experts; ++i) {
      for (int j = 0; j < texts.experts; ++j)
        QVERIFY_NEAR(transitions.row(i)[static_cast<std::size_t>(j)], expected["weights"][i][j].get<double>(),
                     1e-9);
    }
    const FlowSummary summary = flowSummary(transitions);
    QVERIFY_NEAR(summary.mutualInformation, expected["information"].get<double>(), 1e-9);
    QVERIFY_NEAR(summary.bias, expected["bias"].get<double>(), 1e-12);
    QVERIFY_NEAR(summary.normalizedInformation, expected["normalized"].get<double>(), 1e-9);
    QVERIFY_NEAR(summary.meanMax, expected["mean_max"].get<double>(), 1e-9);
    QVERIFY_NEAR(summary.weightedMax, expected["weighted_max"].get<double>(), 1e-9);
    QVERIFY_NEAR(summary.guessWithout, expected["guess_without"].get<double>(), 1e-9);
    QVERIFY_NEAR(coverage(transitions, 1).known, summary.weightedMax, 1e-12);
    QVERIFY_NEAR(coverage(transitions, 2).known, expected["coverage2"].get<double>(), 1e-9);
    QVERIFY_NEAR(coverage(transitions, 2).unknown, expected["coverage2_unknown"].get<double>(), 1e-9);
    QVERIFY_NEAR(coverage(transitions, 99).known, 1.0, 1e-12);
  }

  /// Nodes above 1.5 / M by themselves, the others merged; nothing is lost.
  void streamsMergeSmallNodes() {
    ExpertTransitions transitions(4, 4);
    const auto add = [&](std::uint16_t i, std::uint16_t j, int times) {
      for (int n = 0; n < times; ++n) transitions.add(std::array{i}, std::array{j}, PairRule::TopOne);
    };
    add(0, 3, 6), add(1, 3, 1), add(2, 0, 1), add(3, 1, 2);
    const std::vector<FlowStream> streams = flowStreams(transitions);
    QCOMPARE(streams.size(), std::size_t{3});
    QCOMPARE(streams[0].fromExpert, 0);
    QCOMPARE(streams[0].toExpert, 3);
    QCOMPARE(streams[0].tokens, 6.0);
    QCOMPARE(streams[1].fromExpert, -1);
    QCOMPARE(streams[1].toExpert, 3);
    QCOMPARE(streams[1].tokens, 1.0);
    QCOMPARE(streams[2].toExpert, -1);
    QCOMPARE(streams[2].tokens, 3.0);
  }
};

QTEST_APPLESS_MAIN(TestCrossLayer)
#include "tst_cross_layer.moc"
