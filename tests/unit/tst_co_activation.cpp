// Co-activation against the toy of analyses.md 2.2, against numpy and scipy, and on bad input.
#include <QTest>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/analysis/co_activation.h"
#include "core/analysis/expert_order.h"
#include "plugins/co_activation/co_activation_analysis.h"
#include "tests/unit/routing_vectors.h"

using namespace moescope;
using namespace moescope::analysis;
using namespace moescope::analysis::fixture;
using co_activation::CoActivationAnalysis;

namespace {

const VectorTrace& vectors() {
  static const VectorTrace trace;
  return trace;
}

CoActivationCounts counted(const std::vector<std::uint16_t>& ids, int width, int experts) {
  CoActivationCounter counter(experts, width);
  counter.add(ids, width);
  return counter.counts();
}

}  // namespace

class TestCoActivation : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void toy() {
    const CoActivationCounts counts = counted({0, 1, 2, 0, 2, 3}, 3, 5);
    QCOMPARE(coActivation(counts, PairKind::AllPairs)[0 * 5 + 2], 1.0);
    QCOMPARE(coActivation(counts, PairKind::AdjacentRank)[0 * 5 + 2], 0.5);
    QCOMPARE(counts.tokens, std::int64_t{2});
    QVERIFY(std::isnan(coActivation(counts, PairKind::AllPairs)[4 * 5 + 0]));  // a dead expert
    QVERIFY(std::isnan(coActivation(counts, PairKind::AllPairs)[0]));          // the diagonal
    QCOMPARE(coActivationChance(PairKind::AllPairs, 64, 8), 7.0 / 63.0);
    QCOMPARE(coActivationChance(PairKind::AdjacentRank, 64, 8), 1.75 / 63.0);
  }

  void everyWidthAgrees() {
    // The unrolled ways against counting pair by pair, with and without empty slots.
    std::mt19937_64 random(5);
    for (int width = 1; width <= 9; ++width) {
      for (const bool gaps : {false, true}) {
        std::vector<std::uint16_t> ids;
        std::vector<std::int64_t> all(144, 0), adjacent(144, 0);
        for (int row = 0; row < 300; ++row) {
          std::vector<std::uint16_t> experts(12);
          for (std::uint16_t e = 0; e < 12; ++e) experts[e] = e;
          for (std::size_t i = 11; i > 0; --i) std::swap(experts[i], experts[random() % (i + 1)]);
          experts.resize(static_cast<std::size_t>(width));
          if (gaps && row % 3 == 0) experts.back() = trace::kEmptySlot;
          ids.insert(ids.end(), experts.begin(), experts.end());
          std::erase(experts, trace::kEmptySlot);
          for (std::size_t a = 0; a < experts.size(); ++a) {
            for (std::size_t b = 0; b < experts.size(); ++b) {
              const std::size_t at = experts[a] * 12U + experts[b];
              if (a != b) ++all[at];
              if (a + 1 == b || b + 1 == a) ++adjacent[at];
            }
          }
        }
        const CoActivationCounts counts = counted(ids, width, 12);
        QCOMPARE(counts.all, all);
        QCOMPARE(counts.adjacent, adjacent);
      }
    }
  }

  void againstNumpy() {
    for (const char* kind : {"all-pairs", "adjacent-rank"}) {
      const auto result = vectors().run(CoActivationAnalysis(), {{"kind", kind}, {"draws", "50"}});
      QVERIFY2(result.has_value(), result ? "" : result.error().text().c_str());
      const auto& expected = vectors().expected()["co_activation"];
      for (std::size_t layer = 0; layer < expected.size(); ++layer) {
        const auto* matrix = result->matrix("co_activation_layer" + std::to_string(layer));
        const bool isAll = std::string_view(kind) == "all-pairs";
        QCOMPARE(difference(matrix->values, flat(expected[layer][isAll ? "all" : "adjacent"])),
                 std::string());
        QVERIFY(std::abs(*matrix->baseline - (isAll ? 0.2 : 0.1)) < 1e-12);
      }
    }
  }

  void orderAndStrongestAgainstScipy() {
    const auto result = vectors().run(CoActivationAnalysis(), {{"draws", "2000"}, {"pairs", "3"}});
    QVERIFY(result.has_value());
    const auto& expected = vectors().expected()["co_activation"];
    for (std::size_t layer = 0; layer < expected.size(); ++layer) {
      const std::vector<std::pair<std::string, std::string>> here{{"layer", std::to_string(layer)}};
      QCOMPARE(difference(column(*result->table("order"), "expert", here), flat(expected[layer]["order"])),
               std::string());
      const ResultTable& pairs = *result->table("pairs");
      const double low = expected[layer]["low"], high = expected[layer]["high"];
      const std::vector<std::pair<std::string, std::string>> first{{"layer", std::to_string(layer)},
                                                                   {"rank", "1"}};
      QCOMPARE(difference(column(pairs, "value", first), flat(expected[layer]["strongest"][0])),
               std::string());
      QCOMPARE(difference(column(pairs, "from", first), flat(expected[layer]["strongest"][1])),
               std::string());
      QCOMPARE(difference(column(pairs, "to", first), flat(expected[layer]["strongest"][2])), std::string());
      QVERIFY(std::abs(column(pairs, "value_low", first).front() - low) < 0.2 * (high - low));
      QVERIFY(std::abs(column(pairs, "value_high", first).front() - high) < 0.2 * (high - low));
    }
    QVERIFY(toJson(*result)["notes"].dump().find("1 experts were never chosen") != std::string::npos);
  }

  void clusteringPutsGroupsTogether() {
    // Experts 0 and 3, and 1 and 2, always together.
    std::vector<double> values(16, 0.0);
    values[0 * 4 + 3] = values[3 * 4 + 0] = 1.0;
    values[1 * 4 + 2] = values[2 * 4 + 1] = 0.9;
    values[0] = std::nan("");
    QCOMPARE(clusteringOrder(values, 4), (std::vector<int>{0, 3, 1, 2}));
    QCOMPARE(clusteringOrder(std::vector<double>(9, 0.0), 3), (std::vector<int>{0, 1, 2}));
    QVERIFY(clusteringOrder({}, 0).empty());
    QCOMPARE(clusteringOrder(std::vector<double>(1, 0.0), 1), (std::vector<int>{0}));
  }

  void badInput() {
    QCOMPARE(vectors().run(CoActivationAnalysis(), {{"kind", "triples"}}).error().kind,
             std::string("analysis.bad_param"));
    std::stop_source stop;
    stop.request_stop();
    QCOMPARE(
        vectors().runOn({vectors().runs().back()}, CoActivationAnalysis(), {}, stop.get_token()).error().kind,
        std::string("cancelled"));
    RouterSpec router;
    router.experts = 4;
    router.topK = 2;
    VectorTrace trace({router});
    trace.addRun({{"", {0}, {{{0, 1}}}}}, trace::CaptureLevel::None);
    QCOMPARE(trace.run(CoActivationAnalysis()).error().kind, std::string("analysis.not_recorded"));
    trace.addRun({{"", {0}, {{{0, 1}}}}}, trace::CaptureLevel::Ids);
    const auto result = trace.run(CoActivationAnalysis());
    QVERIFY(result.has_value());
    QCOMPARE(result->interval, std::string("none: there is only one text or window to resample"));
  }
};

QTEST_APPLESS_MAIN(TestCoActivation)
#include "tst_co_activation.moc"
