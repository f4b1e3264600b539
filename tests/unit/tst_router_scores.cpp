// Auxiliary losses, top-p counts and expert similarity against the vectors of analyses.md and against numpy.
#include <QTest>

#include <array>

#include "core/analysis/auxiliary_losses.h"
#include "core/analysis/expert_similarity.h"
#include "core/analysis/top_p_counts.h"
#include "core/trace/router_statistics.h"
#include "tests/support/locality_vectors.h"

using namespace moescope::analysis;
using moescope::test::LocalityTexts;
using Row = std::vector<double>;

class TestRouterScores : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void balanceOfUniformRouting() {
    const Row counts(64, 125.0), probabilities(64, 1000.0 / 64);
    const BalanceLoss loss = balanceLoss(counts, 1000, probabilities, 1000);
    QVERIFY_NEAR(loss.switchForm, 1.0, 1e-12);
    QVERIFY_NEAR(loss.summedForm, 8.0, 1e-12);  // K
  }

  void balanceByHand() {
    // M = 2, top-1: m = (.75, .25), P = (.6, .4): 2 (.45 + .1) = 1.1; anti-correlated it is below 1.
    QVERIFY_NEAR(balanceLoss(Row{3, 1}, 4, Row{2.4, 1.6}, 4).switchForm, 1.1, 1e-12);
    QVERIFY_NEAR(balanceLoss(Row{3, 1}, 4, Row{1.6, 2.4}, 4).switchForm, 0.9, 1e-12);
  }

  void balanceWithoutData() {
    QVERIFY(std::isnan(balanceLoss(Row{0, 0}, 4, Row{1, 1}, 2).switchForm));
    QVERIFY(std::isnan(balanceLoss(Row{1, 1}, 0, Row{1, 1}, 2).summedForm));
    QVERIFY(std::isnan(balanceLoss(Row{1, 1}, 2, Row{0, 0}, 0).switchForm));
    QVERIFY(std::isnan(balanceLoss({}, 2, {}, 2).switchForm));
  }

  /// analyses.md section 7: rows (1, 2, 3) and (0, 0, 0) give 6.409363685.
  void zLossVector() {
    const double mean =
        (squaredLogSumExp(std::array{1.F, 2.F, 3.F}) + squaredLogSumExp(std::array{0.F, 0.F, 0.F})) / 2;
    QVERIFY_NEAR(mean, 6.409363685, 5e-10);
    QVERIFY_NEAR(squaredLogSumExp(std::array{1000.F, 0.F}), 1e6, 1e-6);  // no overflow
    QVERIFY(std::isnan(squaredLogSumExp({})));
  }

  void lossesAgainstNumpy() {
    const LocalityTexts texts;
    const auto& expected = texts.document["loss"];
    const Row counts = expected["counts"], probabilities = expected["mean_p"];
    const BalanceLoss loss = balanceLoss(counts, expected["tokens"], probabilities, 1.0);
    QVERIFY_NEAR(loss.switchForm, expected["switch"].get<double>(), 1e-12);
    QVERIFY_NEAR(loss.summedForm, expected["summed"].get<double>(), 1e-12);
    double sum = 0.0;
    int tokens = 0;
    for (int text = 0; text < texts.texts(); ++text) {
      const auto z = texts.logits(text, 0);
      const auto width = static_cast<std::size_t>(texts.experts);
      for (std::size_t row = 0; row < z.size(); row += width, ++tokens)
        sum += squaredLogSumExp(std::span(z).subspan(row, width));
    }
    QVERIFY_NEAR(sum / tokens, expected["z_loss"].get<double>(), 1e-9);
  }

  /// analyses.md 8.6, with >= at the border.
  void topPVectors() {
    const Row p{.5, .3, .15, .05};
    for (const auto& [mass, count] : {std::pair{.4, 1}, std::pair{.5, 1}, std::pair{.51, 2}, std::pair{.8, 2},
                                      std::pair{.9, 3}, std::pair{.96, 4}})
      QCOMPARE(topPCount(p, mass), count);
    QCOMPARE(topPCount(p, 1.5), 4);
    QCOMPARE(topPCount(p, 0.0), 1);
    QCOMPARE(topPCountBelow(p, .4), 1);
    QCOMPARE(topPCountBelow(p, .51), 1);
    QCOMPARE(topPCountBelow(p, .9), 2);
    QVERIFY(std::isnan(TopPCounts(4).mean()));
  }

  void topPAgainstNumpy() {
    const LocalityTexts texts;
    for (const auto& expected : texts.document["top_p"]) {
      TopPCounts counts(texts.experts);
      std::vector<float> probabilities(static_cast<std::size_t>(texts.experts));
      for (int text = 0; text < texts.texts(); ++text) {
        const auto z = texts.logits(text, 0);
        for (std::size_t row = 0; row < z.size(); row += probabilities.size()) {
          moescope::trace::rowStatistics(std::span(z).subspan(row, probabilities.size()),
                                         moescope::ScoreKind::SoftmaxAll, probabilities);
          counts.add(descendingProbabilities(probabilities), expected["p"]);
        }
      }
      QVERIFY_NEAR(counts.mean(), expected["mean"].get<double>(), 1e-12);
      QVERIFY_NEAR(counts.meanBelow(), expected["below"].get<double>(), 1e-12);
      QCOMPARE(counts.histogram, expected["histogram"].get<std::vector<std::int64_t>>());
    }
  }

  void similarityByHand() {
    LogitProducts products(4);
    products.add(std::array{1.F, 2.F, -1.F, 0.F});
    products.add(std::array{0.F, 0.F, 0.F, 0.F});
    products.add(std::array{1.F, std::nanf(""), 0.F, 0.F});  // left out
    products.add(std::array{1.F, 2.F});                      // left out
    QCOMPARE(products.tokens(), std::int64_t{2});
    const std::vector<double> s = products.similarity();
    QVERIFY_NEAR(s[1], 1.0, 1e-12);  // parallel
    QVERIFY_NEAR(s[2], 0.0, 1e-12);  // opposite
    QVERIFY_NEAR(s[0], 1.0, 1e-12);
    QVERIFY(std::isnan(s[3]) && std::isnan(s[15]));  // a zero column
    QCOMPARE(nearestExperts(s, 4), (std::vector<int>{1, 0, 0, -1}));
  }

  void similarityAgainstNumpy() {
    const LocalityTexts texts;
    LogitProducts products(texts.experts);
    const auto width = static_cast<std::size_t>(texts.experts);
    for (int text = 0; text < texts.texts(); ++text) {
      const auto z = texts.logits(text, 0);
      for (std::size_t row = 0; row < z.size(); row += width) products.add(std::span(z).subspan(row, width));
    }
    const std::vector<double> s = products.similarity();
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t j = 0; j < width; ++j)
        QVERIFY_NEAR(s[i * width + j], texts.document["similarity"][i][j].get<double>(), 1e-12);
    }
  }
};

QTEST_APPLESS_MAIN(TestRouterScores)
#include "tst_router_scores.moc"
