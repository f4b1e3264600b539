// Language divergence and exclusive experts against the vectors of analyses.md section 4 and against numpy.
#include <QTest>

#include <array>

#include "core/analysis/exclusive_experts.h"
#include "core/analysis/language_divergence.h"
#include "core/analysis/token_similarity.h"
#include "tests/support/locality_vectors.h"

using namespace moescope::analysis;
using moescope::test::LocalityTexts;
using Row = std::vector<double>;

class TestLanguages : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void divergenceVectors() {
    QVERIFY_NEAR(normalizedDivergence(Row{.5, .5}, Row{1, 0}), 0.622556249, 5e-10);
    QVERIFY_NEAR(normalizedDivergence(Row{.7, .2, .1}, Row{.1, .2, .7}), 0.852786244, 5e-10);
    QVERIFY_NEAR(normalizedDivergence(Row{.4, .3, .2, .1}, Row{.25, .25, .25, .25}), 0.523592222, 5e-10);
    QVERIFY_NEAR(normalizedDivergence(Row{1, 0}, Row{0, 1}), 1.0, 1e-12);  // disjoint one-hots
    QVERIFY_NEAR(normalizedDivergence(Row{.5, .5, 0, 0}, Row{0, 0, .5, .5}), 1.0, 1e-12);  // disjoint halves
    QVERIFY_NEAR(normalizedDivergence(Row{1, 0, 0}, Row{0, 0, 1}), std::log(2.0) / std::log(3.0), 1e-12);
    QCOMPARE(normalizedDivergence(Row{.7, .2, .1}, Row{.7, .2, .1}), 0.0);
    QVERIFY_NEAR(normalizedDivergence(Row{5, 5}, Row{8, 0}), 0.622556249, 5e-10);  // sums are divided out
  }

  void undefinedDivergence() {
    QVERIFY(std::isnan(normalizedDivergence(Row{.5, .5}, Row{.5, .5})));  // both uniform
    QVERIFY(std::isnan(normalizedDivergence(Row{0, 0}, Row{1, 0})));
    QVERIFY(std::isnan(normalizedDivergence(Row{}, Row{})));
    QVERIFY(std::isnan(normalizedDivergence(Row{1}, Row{1})));
    QVERIFY(std::isnan(normalizedDivergence(Row{1, 0}, Row{1, 0, 0})));
    QVERIFY(std::isnan(normalizedDivergence(Row{std::nan(""), 1}, Row{1, 0})));
  }

  void emptyTextsAreLeftOut() {
    const Row empty{std::nan(""), std::nan("")};
    QCOMPARE(meanRow({{1, 0}, empty, {0, 1}}), (Row{.5, .5}));
    QVERIFY(meanRow({empty}).empty());
    QCOMPARE(meanRow({{1, 0}, {0, 1}}, std::array<std::uint16_t, 2>{3, 1}), (Row{.75, .25}));
    QVERIFY(std::isnan(meanDivergence({empty}, {{1, 0}})));
    QVERIFY_NEAR(pairedDivergence({{.5, .5}, empty}, {{1, 0}, {1, 0}}), 0.622556249, 5e-10);
    QVERIFY(std::isnan(pairedDivergence({}, {})));
    QVERIFY(std::isnan(neighbourDivergence({{1, 0}})));
  }

  void tokensOfATextAreCompared() {
    // {0,1} {0,1} {0,2} | {2,99}: pairs 1, 1/3, 0, 1/3, 0, 1/3.
    const std::vector<TextChoices> pieces{{0, 2, {0, 1, 1, 0, 0, 2}}, {0, 2, {2, 99}}};
    QVERIFY_NEAR(tokenSimilarity(pieces, 128), 1.0 / 3.0, 1e-15);
    // An empty slot is no choice: {0} and {0, 1}.
    const std::vector<TextChoices> shorter{{0, 2, {0, moescope::trace::kEmptySlot, 0, 1}}};
    QCOMPARE(tokenSimilarity(shorter, 4), 0.5);
    QVERIFY(std::isnan(tokenSimilarity({}, 4)));
    QVERIFY(std::isnan(tokenSimilarity(std::vector<TextChoices>{{0, 1, {3}}}, 4)));
  }

  void languagesAgainstNumpy() {
    const auto document = LocalityTexts().document["language"];
    const auto rows = [&](const char* key, int language) {
      TextRows out;
      for (int i = 0; i < 3; ++i) out.push_back(document[key][3 * language + i].get<Row>());
      return out;
    };
    for (const auto& [word, language] : {std::pair{"de", 1}, std::pair{"fr", 2}}) {
      QVERIFY_NEAR(meanDivergence(rows("q", 0), rows("q", language)), document["mean"][word].get<double>(),
                   1e-12);
      QVERIFY_NEAR(pairedDivergence(rows("q", 0), rows("q", language)),
                   document["paired"][word].get<double>(), 1e-12);
    }
    QVERIFY_NEAR(neighbourDivergence(rows("q", 0)), document["neighbours"].get<double>(), 1e-12);
    const Row english = meanRow(rows("rates", 0)), german = meanRow(rows("rates", 1));
    for (std::size_t e = 0; e < english.size(); ++e)
      QVERIFY_NEAR(german[e] - english[e], document["delta_de"][e].get<double>(), 1e-12);
  }

  void shuffledLevelKnowsNoLanguage() {
    TextRows a, b;
    for (int i = 0; i < 30; ++i) {
      a.push_back({.8, .1, .1});
      b.push_back({.1, .1, .8});
    }
    const double observed = meanDivergence(a, b);
    const double level = shuffledDivergence(a, b, 20, 5);
    QVERIFY(level >= 0.0 && level < observed / 10);
    QCOMPARE(shuffledDivergence(a, b, 20, 5), level);  // seeded
    QVERIFY(std::isnan(shuffledDivergence({}, {}, 20, 5)));
  }

  void selectivityAgainstNumpy() {
    const auto document = LocalityTexts().document["exclusive"];
    Row rates;
    for (const auto& row : document["rates"]) rates.insert(rates.end(), row.begin(), row.end());
    const std::vector<double> s = selectivity(rates, 3, 12, document["keep"]);
    for (int l = 0; l < 3; ++l) {
      for (int e = 0; e < 12; ++e)
        QVERIFY_NEAR(s[static_cast<std::size_t>(12 * l + e)], document["selectivity"][l][e].get<double>(),
                     1e-12);
      QCOMPARE(exclusiveExperts(s, 12, std::array{l}, 0.4), document["exclusive"][l].get<std::vector<int>>());
    }
    QCOMPARE(exclusiveExperts(s, 12, std::array{1, 2}, 0.4), document["pair_de_fr"].get<std::vector<int>>());
    QCOMPARE(sharedExperts(s, 3, 12, 0.4), document["shared"].get<std::vector<int>>());
  }

  void selectivityAtTheEdges() {
    // Dead experts have no selectivity; ties keep the lower id; more to keep than there are keeps all.
    const Row rates{.5, .5, .5, 0, .2, .2, 0, 0};
    QCOMPARE(selectivity(rates, 2, 4, 2)[2], 0.0);
    QVERIFY_NEAR(selectivity(rates, 2, 4, 99)[0], .5 / .7, 1e-9);
    QCOMPARE(selectivity(rates, 2, 4, 99)[3], 0.0);
    QVERIFY_NEAR(selectivity(Row{.5, .1}, 1, 2, 2)[0], 1.0, 1e-9);  // a single language has everything
    QVERIFY(sharedExperts(selectivity(Row{0, 0}, 1, 2, 2), 1, 2, 0.4).empty());
  }
};

QTEST_APPLESS_MAIN(TestLanguages)
#include "tst_languages.moc"
