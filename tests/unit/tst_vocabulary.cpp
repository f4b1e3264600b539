// Specialization by token and position, early routing and token drop: toys, numpy, bad input.
#include <QTest>

#include <cmath>

#include "core/analysis/context_independence.h"
#include "core/analysis/token_drop.h"
#include "core/analysis/vocabulary_specialization.h"
#include "plugins/specialization/context_independence_analysis.h"
#include "plugins/specialization/early_routing_analysis.h"
#include "plugins/specialization/token_drop_analysis.h"
#include "plugins/specialization/vocabulary_analysis.h"
#include "tests/unit/routing_vectors.h"

using namespace moescope;
using namespace moescope::analysis;
using namespace moescope::analysis::fixture;
using namespace moescope::specialization;

namespace {

using Where = std::vector<std::pair<std::string, std::string>>;

const VectorTrace& vectors() {
  static const VectorTrace trace;
  return trace;
}

AnalysisResult mustRun(const Analysis& analysis, const AnalysisParameters& given) {
  auto result = vectors().run(analysis, given);
  if (!result) qFatal("%s", result.error().text().c_str());
  return std::move(*result);
}

bool near(double actual, double expected, double tolerance = 1e-9) {
  return std::abs(actual - expected) <= tolerance;
}

}  // namespace

class TestVocabulary : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void toyVocabulary() {
    // Id 7: 4 occurrences, 3 at expert 0; id 9: once, expert 1.
    const KeyCounts counts{2, 1, {7, 9}, {4, 1}, {3, 1, 0, 1}};
    const VocabularyValues values = vocabularyValues(counts, 2);
    QCOMPARE(values.allIds, 0.875);
    QCOMPARE(values.minCount, 0.75);
    QCOMPARE(values.tokenWeighted, 0.8);
    QCOMPARE(chanceNormalised(0.75, 1, 2), 0.5);
    QVERIFY(std::isnan(chanceNormalised(1.0, 2, 2)));
    QVERIFY(std::isnan(vocabularyValues(counts, 5).minCount));
    QVERIFY(std::isnan(expertVocabulary(counts, 2).values[1]));
    QCOMPARE(topTokens(counts, 1, 1, 9).front().id, 9);
    QVERIFY(topTokens(counts, 1, 5, 9).empty());
  }

  void toySpread() {
    const KeyCounts oneHot{32, 1, {0}, {200}, [] {
                             std::vector<std::int64_t> n(32, 0);
                             n[3] = 200;
                             return n;
                           }()};
    QVERIFY(near(routingSpreads(oneHot).front(), std::sqrt(31.0) / 32.0));  // 0.174, analyses.md section 3
    QVERIFY(near(largestSpread(1, 32), std::sqrt(31.0) / 32.0));
    const KeyCounts uniform{4, 1, {0, 1}, {4, 4}, {1, 1, 1, 1, 1, 1, 1, 1}};
    QVERIFY(near(routingSpreads(uniform)[0], 0.0));
    QVERIFY(near(contextIndependence(uniform, 0).uncertaintyExplained, 0.0));
    const KeyCounts told{2, 1, {0, 1}, {2, 2}, {2, 0, 0, 2}};
    QVERIFY(near(contextIndependence(told, 0).uncertaintyExplained, 1.0));
    QCOMPARE(contextIndependence(told, 2).keys, std::int64_t{0});
    QVERIFY(near(routingDivergence(told, told), 0.0));
    const KeyCounts other{2, 1, {1, 2}, {1, 9}, {1, 0, 9, 0}};
    QVERIFY(near(routingDivergence(told, other), std::log(2.0)));
    QVERIFY(std::isnan(routingDivergence(told, KeyCounts{2, 1, {5}, {1}, {1, 0}})));
  }

  void toyDrop() {
    // Three tokens that want the same two experts; each takes two choices.
    const std::vector<std::uint16_t> ids{0, 1, 1, 0, 0, 1};
    QCOMPARE(expertCapacity(1.25, 2, 3, 4), std::int64_t{2});
    QCOMPARE(expertCapacity(1.1, 1, 100, 1), std::int64_t{110});  // 110.00000000000001 in binary
    QCOMPARE(expertCapacity(1.1, 1, 101, 1), std::int64_t{112});
    QCOMPARE(expertCapacity(1.0, 1, 1'000'000'001, 1), std::int64_t{1'000'000'001});
    QCOMPARE(droppedChoices(ids, 2, 4, 2, DropOrder::Sequence),
             (std::vector<std::uint8_t>{0, 0, 0, 0, 1, 1}));
    QCOMPARE(droppedChoices(ids, 2, 4, 2, DropOrder::FirstChoices),
             (std::vector<std::uint8_t>{0, 0, 0, 1, 0, 1}));
    const std::vector<std::uint16_t> gaps{trace::kEmptySlot, 0, 0, trace::kEmptySlot};
    QCOMPARE(droppedChoices(gaps, 2, 4, 1, DropOrder::Sequence), (std::vector<std::uint8_t>{0, 0, 1, 0}));
  }

  void againstNumpy() {
    const AnalysisResult first = mustRun(VocabularyAnalysis(), {{"draws", "20"}, {"top", "5"}});
    const AnalysisResult all = mustRun(VocabularyAnalysis(), {{"draws", "0"}, {"top", "5"}, {"k", "all"}});
    for (const auto& entry : vectors().expected()["vocabulary"]) {
      const AnalysisResult& result = entry["k"] == 1 ? first : all;
      const Where here{{"layer", std::to_string(entry["layer"].get<int>())}, {"key", entry["key"]}};
      const ResultTable& values = *result.table("values");
      for (const char* id : {"all_ids", "min_count", "token_weighted", "ids", "min_count_ids", "tokens"})
        QCOMPARE(difference(column(values, id, here), flat(entry[id])), std::string());
      QCOMPARE(difference(column(*result.table("experts"), "value", here), flat(entry["experts"])),
               std::string());
      std::vector<double> occurrences, chosen, ids;
      for (const auto& expert : entry["top"]) {
        for (const auto& token : expert) {
          ids.push_back(token[0]);
          occurrences.push_back(token[1]);
          chosen.push_back(token[2]);
        }
      }
      QCOMPARE(difference(column(*result.table("top_tokens"), "token_id", here), ids), std::string());
      QCOMPARE(difference(column(*result.table("top_tokens"), "occurrences", here), occurrences),
               std::string());
      QCOMPARE(difference(column(*result.table("top_tokens"), "chosen", here), chosen), std::string());
    }
    const ResultTable& values = *first.table("values");
    for (std::size_t row = 0; row < values.rows.size(); ++row) {
      const double value = column(values, "token_weighted")[row];
      // Routing here depends on the input token only.
      if (row < 3) QVERIFY(column(values, "token_weighted_shuffled")[row] < value);
      QVERIFY(column(values, "token_weighted_low")[row] < column(values, "token_weighted_high")[row]);
    }
  }

  void contextsShowTheToken() {
    const AnalysisResult result =
        mustRun(VocabularyAnalysis(),
                {{"key", "input"}, {"expert", "3"}, {"contexts", "2"}, {"top", "3"}, {"layer", "1"}});
    const ResultTable* contexts = result.table("contexts");
    QVERIFY(contexts != nullptr && contexts->rows.size() >= 3);
    const auto words = vectors().expected()["words"].get<std::vector<std::string>>();
    const std::string codes = vectors().expected()["codes"], ids = vectors().expected()["ids"];
    const std::string choices = vectors().expected()["runs"].back()["choices"][1];
    for (std::size_t r = 0; r < contexts->rows.size(); ++r) {
      const auto row = static_cast<std::size_t>(column(*contexts, "row")[r]);
      QCOMPARE(column(*contexts, "token_id")[r], static_cast<double>(codes.find(ids[row])));
      QCOMPARE(choices[4 * row], codes[3]);  // k = 1: the first choice
    }
    QVERIFY(vectors().run(VocabularyAnalysis(), {{"expert", "16"}}).error().kind == "analysis.bad_param");
  }

  void contextIndependenceAgainstNumpy() {
    const AnalysisResult result =
        mustRun(ContextIndependenceAnalysis(), {{"min_count", "20"}, {"draws", "20"}});
    const ResultTable& table = *result.table("spread");
    for (const auto& entry : vectors().expected()["context_independence"]) {
      const Where here{{"layer", std::to_string(entry["layer"].get<int>())}, {"key", entry["key"]}};
      for (const char* id : {"spread", "keys", "explained"})
        QCOMPARE(difference(column(table, id, here), flat(entry[id])), std::string());
    }
    // Nothing occurs so often: the panel gets empty cells and a note, not zeros.
    const AnalysisResult none =
        mustRun(ContextIndependenceAnalysis(), {{"min_count", "5000"}, {"draws", "0"}});
    QVERIFY(std::isnan(column(*none.table("spread"), "spread").front()));
    QVERIFY(none.notes.front().find("5000") != std::string::npos);
  }

  void earlyRoutingAgainstNumpy() {
    const AnalysisResult result = mustRun(EarlyRoutingAnalysis(), {{"draws", "20"}});
    const ResultTable& table = *result.table("divergence");
    const auto& steps = vectors().expected()["steps"];
    for (const auto& entry : vectors().expected()["early_routing"]) {
      const Where here{{"layer", std::to_string(entry["layer"].get<int>())},
                       {"step", std::to_string(steps[entry["run"].get<std::size_t>()].get<int>())}};
      QCOMPARE(difference(column(table, "divergence", here), flat(entry["divergence"]), 1e-10),
               std::string());
    }
    QVERIFY(column(table, "divergence", {{"step", "100"}, {"layer", "0"}}).front() >
            column(table, "divergence", {{"step", "700"}, {"layer", "0"}}).front());
  }

  void tokenDropAgainstNumpy() {
    for (const auto& [name, order, group] :
         {std::tuple("sequence_text", "sequence", "text"), std::tuple("first_text", "first-choices", "text"),
          std::tuple("first_100", "first-choices", "100")}) {
      const AnalysisResult result =
          mustRun(TokenDropAnalysis(), {{"order", order}, {"group", group}, {"bin", "8"}, {"draws", "50"}});
      const auto& layers = vectors().expected()["token_drop"][name];
      for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        const Where here{{"layer", std::to_string(layer)}};
        std::vector<double> first, choices, dropped;
        for (const auto& bin : layers[layer]) {
          first.push_back(bin[0]);
          choices.push_back(bin[1]);
          dropped.push_back(bin[2]);
        }
        const ResultTable& table = *result.table("drop");
        QCOMPARE(difference(column(table, "first_position", here), first), std::string());
        QCOMPARE(difference(column(table, "choices", here), choices), std::string());
        QCOMPARE(difference(column(table, "dropped", here), dropped), std::string());
      }
    }
    QCOMPARE(vectors().run(TokenDropAnalysis(), {{"group", "half"}}).error().kind,
             std::string("analysis.bad_param"));
    QCOMPARE(vectors().run(TokenDropAnalysis(), {{"capacity", "nan"}}).error().kind,
             std::string("analysis.bad_param"));
  }

  void noAlternatives() {
    RouterSpec router;
    router.experts = 2;
    router.topK = 1;
    VectorTrace trace({router});
    trace.addRun({{"a", {0, 1}, {{{0}, {1}}}}}, trace::CaptureLevel::Ids);
    QCOMPARE(trace.run(VocabularyAnalysis(), {{"key", "predicted"}}).error().kind,
             std::string("analysis.not_recorded"));
    const auto result = trace.run(VocabularyAnalysis(), {{"key", "next"}});
    QVERIFY(result.has_value());
    QCOMPARE(result->interval, std::string("none: there is only one text or window to resample"));
    QCOMPARE(column(*result->table("values"), "tokens").front(), 1.0);
    QVERIFY(std::isnan(column(*result->table("values"), "min_count").front()));
  }
};

QTEST_APPLESS_MAIN(TestVocabulary)
#include "tst_vocabulary.moc"
