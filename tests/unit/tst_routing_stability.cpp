// Stability over a series and margins against their definitions (analyses.md 2.1, 8.1, 8.2), numpy, bad
// input.
#include <QTest>

#include <array>
#include <cmath>

#include "core/analysis/routing_agreement.h"
#include "core/analysis/routing_margin.h"
#include "core/analysis/series_columns.h"
#include "plugins/stability/margin_analysis.h"
#include "plugins/stability/stability_analysis.h"
#include "tests/unit/routing_vectors.h"

using namespace moescope;
using namespace moescope::analysis;
using namespace moescope::analysis::fixture;
using stability::MarginAnalysis;
using stability::StabilityAnalysis;

namespace {

using Where = std::vector<std::pair<std::string, std::string>>;

const VectorTrace& vectors() {
  static const VectorTrace trace;
  return trace;
}

RouterSpec router(int experts, int topK) {
  RouterSpec out;
  out.experts = experts;
  out.topK = topK;
  return out;
}

std::string stepOf(const nlohmann::json& entry) {
  return std::to_string(vectors().expected()["steps"][entry["run"].get<std::size_t>()].get<int>());
}

}  // namespace

class TestRoutingStability : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void toyAgreement() {
    // o = 1/2 with K = 4: Jaccard o / (2 - o) = 1/3.
    const std::array<std::uint16_t, 4> a{0, 1, 2, 3}, b{0, 1, 8, 9};
    AgreementSums sums;
    addToken(a, b, 4, sums);
    RoutingAgreement one = agreementOf(sums, 4, 16);
    QCOMPARE(one.overlap, 0.5);
    QCOMPARE(one.jaccard, 1.0 / 3.0);
    QCOMPARE(one.topSame, 1.0);
    QCOMPARE(one.exactSet, 0.0);
    QCOMPARE(one.kappa, (0.5 - 0.25) / 0.75);
    const std::array<std::uint16_t, 4> reordered{3, 2, 1, 0};
    addToken(a, reordered, 4, sums);
    const RoutingAgreement two = agreementOf(sums, 4, 16);
    QCOMPARE(two.exactSet, 0.5);
    QCOMPARE(two.topFlip, 0.5);
    QCOMPARE(two.overlap, 0.75);
    QCOMPARE(two.jaccard, (1.0 / 3.0 + 1.0) / 2.0);  // mean over tokens, not of the mean overlap
    QVERIFY(std::isnan(agreementOf({}, 4, 16).overlap));
    QVERIFY(std::isnan(agreementOf(sums, 4, 4).kappa));
    const std::array<std::uint16_t, 4> gap{0, 1, trace::kEmptySlot, trace::kEmptySlot};
    AgreementSums narrow;
    addToken(gap, gap, 4, narrow);
    QCOMPARE(agreementOf(narrow, 4, 16).exactSet, 1.0);
  }

  void toyMargin() {
    const std::array<float, 4> logits{0.0F, 2.0F, 1.0F, -1.0F};
    const RouterSpec spec = router(4, 2);
    const std::vector<double> scores = selectionScores(logits, spec);
    const double sum = std::exp(2.0) + std::exp(1.0) + 1.0 + std::exp(-1.0);
    QVERIFY(std::abs(selectionMargin(scores, 2) - (std::exp(1.0) - 1.0) / sum) < 1e-12);
    QVERIFY(std::isnan(selectionMargin(scores, 4)));
    RouterSpec sigmoid = router(4, 1);
    sigmoid.score = ScoreKind::SigmoidAll;
    sigmoid.selectionBias = {1.0F, 0.0F, 0.0F, 0.0F};
    QVERIFY(std::abs(selectionScores(logits, sigmoid)[0] - 1.5) < 1e-12);
    RouterSpec late = router(4, 1);
    late.score = ScoreKind::TopkSoftmax;
    QCOMPARE(selectionMargin(selectionScores(logits, late), 1), 1.0);
    QCOMPARE(evenMargin(selectionScores(logits, late)), 1.0);  // 2, 1, 0, -1
    // Two groups of which the better stays: the others are no candidates, and no end of the range.
    late.groups = {.count = 2, .keep = 1, .maskWithZero = false};
    const auto limited = selectionScores(logits, late);
    QVERIFY(std::isinf(limited[2]) && std::isinf(limited[3]));
    QCOMPARE(evenMargin(limited), 2.0);  // 0 and 2
    QVERIFY(std::isnan(evenMargin(std::vector<double>{0.5})));
  }

  void againstNumpy() {
    const auto result = vectors().run(StabilityAnalysis(), {{"draws", "50"}});
    QVERIFY2(result.has_value(), result ? "" : result.error().text().c_str());
    const ResultTable& agreement = *result->table("agreement");
    const ResultTable& drift = *result->table("drift");
    const auto& expected = vectors().expected()["stability"];
    QCOMPARE(agreement.rows.size(), expected["rows"].size());
    for (const auto& entry : expected["rows"]) {
      const Where here{{"step", stepOf(entry)},
                       {"layer", std::to_string(entry["layer"].get<int>())},
                       {"against", entry["against"]}};
      for (const char* id :
           {"overlap", "churn", "jaccard", "exact_set", "top1_same", "top1_flip", "kappa", "top1_kappa"})
        QCOMPARE(difference(column(agreement, id, here), flat(entry[id])), std::string());
      for (const char* id : {"jsd", "l1", "kl"})
        QCOMPARE(difference(column(drift, id, here), flat(entry[id])), std::string());
      if (stepOf(entry) != "1000" || entry["against"] != "last") {
        QVERIFY(column(agreement, "overlap_low", here).front() < entry["overlap"].get<double>());
        QVERIFY(column(agreement, "overlap_high", here).front() > entry["overlap"].get<double>());
      }
    }
    for (std::size_t layer = 0; layer < expected["late"].size(); ++layer) {
      QCOMPARE(difference(column(*result->table("fluctuation"), "share", {{"layer", std::to_string(layer)}}),
                          flat(expected["late"][layer])),
               std::string());
    }
    QCOMPARE(column(agreement, "overlap_chance").front(), 0.25);
    QVERIFY(result->interval.find("40 texts") != std::string::npos);
  }

  void progressWithoutSteps() {
    std::vector<trace::RunRecord> runs(3);
    QCOMPARE(trainingProgress(runs).places, (std::vector<double>{0.0, 0.5, 1.0}));
    QVERIFY(!trainingProgress(runs).bySteps);
    for (auto& run : runs) run.trainStep = 5;
    QCOMPARE(trainingProgress(runs).places, (std::vector<double>{1.0, 1.0, 1.0}));  // equal steps
    runs[0].trainStep = 0;
    runs[1].trainStep = 2;
    QCOMPARE(trainingProgress(runs).places, (std::vector<double>{0.0, 0.4, 1.0}));
    runs[0].trainStep = 9;
    QVERIFY(!trainingProgress(runs).bySteps);
  }

  void marginsAgainstNumpy() {
    for (const char* of : {"scores", "logits"}) {
      const auto result = vectors().run(MarginAnalysis(), {{"of", of}, {"draws", "50"}});
      QVERIFY2(result.has_value(), result ? "" : result.error().text().c_str());
      const ResultTable& table = *result->table("margins");
      for (const auto& entry : vectors().expected()["margins"]) {
        if (entry["of"] != of) continue;
        const Where here{{"layer", std::to_string(entry["layer"].get<int>())}};
        for (const char* id : {"mean", "even_gap", "small_share"})
          QCOMPARE(difference(column(table, id, here), flat(entry[id]), 1e-10), std::string());
        std::vector<double> quantiles;
        for (const char* id : {"q01", "q05", "q25", "q50", "q75", "q95", "q99"})
          quantiles.push_back(column(table, id, here).front());
        QCOMPARE(difference(quantiles, flat(entry["quantiles"]), 1e-10), std::string());
        QVERIFY(column(table, "mean_low", here).front() < entry["mean"].get<double>());
      }
    }
  }

  void marginsNeedLogits() {
    VectorTrace trace({router(4, 1)});
    trace.addRun({{"", {0}, {{{0}}}}}, trace::CaptureLevel::Weights);
    const auto result = trace.run(MarginAnalysis());
    QVERIFY(!result.has_value());
    QCOMPARE(result.error().kind, std::string("analysis.not_recorded"));
    QVERIFY(result.error().advice.find("--capture full") != std::string::npos);
  }

  void everyExpertChosenHasNoMargin() {
    VectorTrace trace({router(2, 2)});
    trace.addRun({{"", {0, 1}, {{{0, 1}, {1, 0}}}}}, trace::CaptureLevel::Full);
    const auto result = trace.run(MarginAnalysis());
    QVERIFY(result.has_value());
    QCOMPARE(column(*result->table("margins"), "tokens").front(), 0.0);
    QVERIFY(std::isnan(column(*result->table("margins"), "mean").front()));
  }

  void runsThatCannotBeCompared() {
    VectorTrace trace({router(4, 1)});
    const auto first = trace.addRun({{"", {0, 1}, {{{0}, {1}}}}}, trace::CaptureLevel::Ids);
    const auto longer = trace.addRun({{"", {0, 1, 2}, {{{0}, {1}, {2}}}}}, trace::CaptureLevel::Ids);
    const auto other = trace.addRun({{"", {0, 2}, {{{0}, {1}}}}}, trace::CaptureLevel::Ids);
    const auto none = trace.addRun({{"", {0, 1}, {{{0}, {1}}}}}, trace::CaptureLevel::None);
    const StabilityAnalysis analysis;
    const auto kindOf = [&](std::vector<trace::RunId> runs) {
      return trace.runOn(std::move(runs), analysis).error().kind;
    };
    QCOMPARE(kindOf({first, longer}), std::string("analysis.different_tokens"));
    QCOMPARE(kindOf({first, other}), std::string("analysis.different_tokens"));
    QVERIFY(trace.runOn({first, other}, analysis).error().message.find("from token 1 on") !=
            std::string::npos);
    QCOMPARE(kindOf({first, none}), std::string("analysis.not_recorded"));
    QCOMPARE(kindOf({first}), std::string("analysis.too_few_runs"));
    QCOMPARE(kindOf({}), std::string("analysis.too_few_runs"));
    QCOMPARE(kindOf({first, 99}), std::string("analysis.no_texts"));
    QVERIFY(trace.runOn({first, first}, analysis).has_value());
  }
};

QTEST_APPLESS_MAIN(TestRoutingStability)
#include "tst_routing_stability.moc"
