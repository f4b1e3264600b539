// Specialization by label against the definitions of analyses.md 2.3 and 10, against numpy, and on bad input.
#include <QTest>

#include <array>
#include <cmath>
#include <numbers>

#include "core/analysis/divergence.h"
#include "core/analysis/drawn_totals.h"
#include "core/analysis/specialization.h"
#include "plugins/specialization/label_information_analysis.h"
#include "plugins/specialization/specialization_analysis.h"
#include "tests/unit/routing_vectors.h"

using namespace moescope;
using namespace moescope::analysis;
using namespace moescope::analysis::fixture;
using namespace moescope::specialization;

namespace {

bool near(double actual, double expected, double tolerance = 1e-9) {
  return std::abs(actual - expected) <= tolerance;
}

const VectorTrace& vectors() {
  static const VectorTrace trace;
  return trace;
}

RouterSpec router(int experts, int topK, int layer = 0) {
  RouterSpec out;
  out.layer = {layer};
  out.experts = experts;
  out.topK = topK;
  return out;
}

AnalysisResult mustRun(const VectorTrace& trace, const Analysis& analysis, const AnalysisParameters& given) {
  auto result = trace.run(analysis, given);
  if (!result) qFatal("%s", result.error().text().c_str());
  return std::move(*result);
}

/// Intervals of two generators agree: each end within a fifth of the width, and a little for ends at a
/// border.
std::string intervalDifference(const std::vector<double>& low, const std::vector<double>& high,
                               const std::vector<double>& expectedLow,
                               const std::vector<double>& expectedHigh) {
  if (low.size() != expectedLow.size()) return "other lengths";
  for (std::size_t i = 0; i < low.size(); ++i) {
    const double slack = 0.2 * (expectedHigh[i] - expectedLow[i]) + 1e-9;
    if (!(std::abs(low[i] - expectedLow[i]) <= slack && std::abs(high[i] - expectedHigh[i]) <= slack))
      return QString("interval %1: %2 to %3 instead of %4 to %5")
          .arg(i)
          .arg(low[i])
          .arg(high[i])
          .arg(expectedLow[i])
          .arg(expectedHigh[i])
          .toStdString();
  }
  return "";
}

/// DrawnTotals against the sums as they are defined: of some draws, and of one that holds a single unit.
void sameAsSums(const LabelCounts& counts) {
  const auto experts = static_cast<std::size_t>(counts.experts);
  const auto labels = static_cast<std::size_t>(counts.labels);
  const StratifiedDraws draws(counts.strata, 3, 9);
  const auto units = static_cast<std::size_t>(counts.units());
  std::vector<std::uint16_t> again(units, 0);
  again.back() = static_cast<std::uint16_t>(units);
  const DrawnTotals drawn(counts);
  for (const auto& times : {draws.draw(0), draws.draw(1), draws.draw(2), again}) {
    std::vector<double> tokens(labels, 0.0), sums(labels * experts, 0.0);
    for (std::size_t entry = 0; entry < counts.unitOf.size(); ++entry) {
      const double weight = times[static_cast<std::size_t>(counts.unitOf[entry])];
      const auto label = static_cast<std::size_t>(counts.labelOf[entry]);
      tokens[label] += weight * static_cast<double>(counts.tokens[entry]);
      for (std::size_t e = 0; e < experts; ++e)
        sums[label * experts + e] += weight * static_cast<double>(counts.counts[entry * experts + e]);
    }
    const LabelTotals totals = drawn.of(times);
    QCOMPARE(totals.tokens, tokens);
    QCOMPARE(totals.counts, sums);
  }
}

}  // namespace

class TestSpecialization : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void totalsOfDraws_data() {
    QTest::addColumn<qint64>("scale");
    QTest::newRow("16 bits") << qint64{1};
    QTest::newRow("a count of more than 16 bits") << qint64{10'000};
    QTest::newRow("a sum of more than 32 bits") << qint64{5'000'000'000};
  }

  void totalsOfDraws() {
    QFETCH(const qint64, scale);
    // 17 experts and rows that fill no register. A unit may have tokens of both labels.
    LabelCounts counts{2, 17, {4, 3}, {0, 1, 2, 3, 4, 5, 6, 0}, {0, 1, 0, 0, 1, 1, 1, 1}, {}, {}, 0};
    for (std::size_t entry = 0; entry < counts.unitOf.size(); ++entry) {
      counts.tokens.push_back(static_cast<std::int64_t>(10 + entry));
      for (std::size_t e = 0; e < 17; ++e)
        counts.counts.push_back(scale * static_cast<std::int64_t>(entry * e % 7));
    }
    sameAsSums(counts);
  }

  /// Every count fits 16 bits, but a unit drawn again and again would not fit 32.
  void totalsOfManyRowsOfOneUnit() {
    LabelCounts counts{1, 3, {9}, {}, {}, {}, {}, 0};
    for (int entry = 0; entry < 9000; ++entry) {
      counts.unitOf.push_back(entry < 8 ? entry : 8);
      counts.labelOf.push_back(0);
      counts.tokens.push_back(32767);
      counts.counts.insert(counts.counts.end(), {32767, 32767 - entry % 5, 1});
    }
    sameAsSums(counts);
  }

  void toyRates() {
    // Two labels with 4 and 2 tokens, 2 of 4 experts each.
    const LabelTotals totals{2, 4, {4.0, 2.0}, {4, 2, 2, 0, 0, 0, 2, 2}};
    const std::vector<double> rates = labelRates(totals);
    QCOMPARE(rates, (std::vector<double>{1.0, 0.5, 0.5, 0.0, 0.0, 0.0, 1.0, 1.0}));
    QCOMPARE(labelShares(totals), (std::vector<double>{1, 1, 0.5, 0, 0, 0, 0.5, 1}));
    // One label: experts 0 and 1; the other: experts 2 and 3, evenly: one bit.
    const LabelTotals apart{2, 4, {1, 1}, {5, 5, 0, 0, 0, 0, 1, 1}};
    QVERIFY(near(labelInformation(apart).plugIn, 1.0));
    QVERIFY(near(labelInformation(apart).most, 1.0));
    // Miller-Madow with 10 and 2 samples, 4 experts in the mixture of 4 / (1/10 + 1/2) samples.
    const double nat = 3.0 / (2.0 * (4.0 / 0.6)) - (1.0 / 20.0 + 1.0 / 4.0) / 2.0;
    QVERIFY(near(labelInformation(apart).millerMadow, 1.0 + nat / std::numbers::ln2));
    const LabelTotals same{2, 4, {1, 1}, {3, 1, 0, 0, 6, 2, 0, 0}};
    QVERIFY(near(labelInformation(same).plugIn, 0.0));
    const LabelTotals one{2, 2, {1, 0}, {3, 1, 0, 0}};
    QVERIFY(std::isnan(labelInformation(one).plugIn));
    QVERIFY(std::isnan(labelRates(one)[2]));
  }

  void toyDivergences() {
    const std::array half{1.0, 1.0}, first{3.0, 0.0}, nothing{0.0, 0.0}, second{0.0, 1.0};
    QVERIFY(near(jensenShannon(half, first), 0.215761554));  // analyses.md section 4
    QVERIFY(near(jensenShannon(first, second), std::log(2.0)));
    QVERIFY(near(l1Distance(half, first), 1.0));
    QVERIFY(near(flooredKl(half, first), 0.5 * std::log(0.5) + 0.5 * std::log(0.5 / 1e-9)));
    QVERIFY(std::isnan(jensenShannon(half, nothing)));
    QVERIFY(std::isnan(flooredKl(nothing, half)));
  }

  void againstNumpy_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("labels");
    QTest::addColumn<QString>("k");
    const auto& expected = vectors().expected();
    QTest::newRow("corpus") << "corpus"
                            << "corpus"
                            << "all";
    QTest::newRow("first choices") << "corpus_k1"
                                   << "corpus:label"
                                   << "1";
    const auto text = [&](const char* key) {
      return QString::fromStdString(expected[key].get<std::string>());
    };
    QTest::newRow("regex") << "regex"
                           << "regex:" + text("regex") << "all";
    QTest::newRow("tokens") << "tokens"
                            << "tokens:" + text("ranges") << "all";
    QTest::newRow("positions") << "positions" << QString("positions:%1").arg(expected["window"].get<int>())
                               << "all";
  }
  void againstNumpy() {
    QFETCH(QString, name);
    QFETCH(QString, labels);
    QFETCH(QString, k);
    const auto& expected = vectors().expected()["specialization"][name.toStdString()];
    const AnalysisResult result =
        mustRun(vectors(), SpecializationAnalysis(),
                {{"labels", labels.toStdString()}, {"k", k.toStdString()}, {"draws", "2000"}});
    QVERIFY(!result.sample.empty() && !result.baseline.empty() && result.interval.starts_with("95 %"));
    QCOMPARE(difference(column(*result.table("labels"), "tokens"), flat(expected["tokens"])), std::string());
    for (std::size_t layer = 0; layer < expected["layers"].size(); ++layer) {
      const auto& values = expected["layers"][layer];
      const auto* rates = result.matrix("rates_layer" + std::to_string(layer));
      QVERIFY(rates != nullptr);
      QCOMPARE(rates->rowNames, expected["labels"].get<std::vector<std::string>>());
      QCOMPARE(*rates->baseline, (k == "1" ? 1.0 : 4.0) / 16.0);
      QCOMPARE(difference(rates->values, flat(values["rates"])), std::string());
      QCOMPARE(intervalDifference(rates->low, rates->high, flat(values["low"]), flat(values["high"])),
               std::string());
      QCOMPARE(
          difference(result.matrix("shares_layer" + std::to_string(layer))->values, flat(values["shares"])),
          std::string());
      QCOMPARE(difference(result.matrix("divergence_layer" + std::to_string(layer))->values,
                          flat(values["divergence"])),
               std::string());
      const std::vector<std::pair<std::string, std::string>> here{{"layer", std::to_string(layer)}};
      const ResultTable& table = *result.table("information");
      for (const char* id : {"mi_bits", "miller_madow_bits"})
        QCOMPARE(difference(column(table, id, here), flat(values[id]), 1e-10), std::string());
      QCOMPARE(intervalDifference(column(table, "mi_low", here), column(table, "mi_high", here),
                                  flat(values["mi_low"]), flat(values["mi_high"])),
               std::string());
    }
  }

  void shuffledLevelAgainstNumpy() {
    const AnalysisResult result =
        mustRun(vectors(), SpecializationAnalysis(), {{"draws", "0"}, {"shuffles", "100"}});
    QCOMPARE(result.interval, std::string("none: no draws were asked for"));
    const auto levels = column(*result.table("information"), "shuffled_bits");
    const auto& expected = vectors().expected()["shuffled"];
    QCOMPARE(levels.size(), expected.size());
    for (std::size_t layer = 0; layer < levels.size(); ++layer) {
      // Two means of 100: 5 standard errors of their difference.
      const double slack = 5.0 * expected[layer][1].get<double>() * std::sqrt(2.0 / 100.0);
      QVERIFY(near(levels[layer], expected[layer][0].get<double>(), slack));
    }
    QVERIFY(std::isnan(column(*result.table("information"), "mi_low").front()));
  }

  void shuffledTokenLabelsLoseTheirMeaning() {
    const AnalysisResult result =
        mustRun(vectors(), SpecializationAnalysis(), {{"labels", "regex:digits=[0-9]"}, {"draws", "0"}});
    const ResultTable& table = *result.table("information");
    for (int layer = 0; layer < 3; ++layer) {
      const std::vector<std::pair<std::string, std::string>> here{{"layer", std::to_string(layer)}};
      QVERIFY(column(table, "shuffled_bits", here).front() < column(table, "mi_bits", here).front());
    }
  }

  void sameSeedSameResult() {
    const auto once = toJson(mustRun(vectors(), SpecializationAnalysis(), {{"seed", "7"}})).dump();
    QCOMPARE(toJson(mustRun(vectors(), SpecializationAnalysis(), {{"seed", "7"}})).dump(), once);
    QVERIFY(toJson(mustRun(vectors(), SpecializationAnalysis(), {{"seed", "8"}})).dump() != once);
  }

  void overASeries() {
    const AnalysisResult result = mustRun(vectors(), LabelInformationAnalysis(), {{"draws", "50"}});
    const ResultTable& table = *result.table("information");
    QCOMPARE(table.rows.size(), std::size_t{12});
    const auto& expected = vectors().expected()["specialization"]["corpus"]["layers"];
    QCOMPARE(difference(column(table, "mi_bits", {{"step", "1000"}, {"layer", "2"}}),
                        flat(expected[2]["mi_bits"]), 1e-10),
             std::string());
    QVERIFY(result.sample.starts_with("4 checkpoints"));
  }

  void partialResultComesFirst() {
    AnalysisParameters parameters;
    const SpecializationAnalysis analysis;
    for (const auto& info : analysis.info().parameters) parameters[info.id] = info.defaultValue;
    int partial = 0;
    const auto result = analysis.run({vectors().store(),
                                      {vectors().runs().back()},
                                      parameters,
                                      std::nullopt,
                                      {},
                                      [&](const AnalysisResult& early) {
                                        ++partial;
                                        QVERIFY(early.matrices.front().low.empty());
                                        QVERIFY(!early.matrices.front().values.empty());
                                      },
                                      {}});
    QVERIFY(result.has_value());
    QCOMPARE(partial, 1);
  }

  void cancelled() {
    std::stop_source stop;
    stop.request_stop();
    const auto result =
        vectors().runOn({vectors().runs().back()}, SpecializationAnalysis(), {}, stop.get_token());
    QVERIFY(!result.has_value());
    QCOMPARE(result.error().kind, std::string("cancelled"));
  }

  void fewTokensAndDeadExpertsAreNoted() {
    VectorTrace trace({router(4, 1)});
    trace.addRun({{"a", {0, 1}, {{{0}, {1}}}}, {"a", {}, {{}}}, {"b", {2}, {{{0}}}}, {"", {3}, {{{1}}}}},
                 trace::CaptureLevel::Ids);
    const AnalysisResult result = mustRun(trace, SpecializationAnalysis(), {});
    const std::string notes = toJson(result)["notes"].dump();
    for (const char* part : {"“b” has only 1 tokens", "2 experts were never chosen",
                             "1 texts without a label", "1 empty texts", "“a” has few texts"})
      QVERIFY2(notes.find(part) != std::string::npos, part);
    QCOMPARE(result.interval, std::string("none: a label has only one text or window to resample"));
    QVERIFY(std::isnan(result.matrix("rates_layer0")->low.front()));
    QVERIFY(std::isnan(result.matrix("shares_layer0")->values[3]));
    QCOMPARE(result.matrix("rates_layer0")->values[0], 0.5);
  }

  void captureNoneHasNoRouting() {
    VectorTrace trace({router(4, 1)});
    trace.addRun({{"a", {0, 1}, {{{0}, {1}}}}, {"b", {2}, {{{3}}}}}, trace::CaptureLevel::None);
    const auto result = trace.run(SpecializationAnalysis());
    QVERIFY(!result.has_value());
    QCOMPARE(result.error().kind, std::string("analysis.not_recorded"));
    QVERIFY(result.error().advice.find("--capture ids") != std::string::npos);
    QCOMPARE(trace.run(LabelInformationAnalysis()).error().kind, std::string("analysis.not_recorded"));
  }

  void nothingRecorded() {
    VectorTrace trace({router(4, 1)});
    trace.addRun({{"a", {}, {{}}}}, trace::CaptureLevel::Ids);
    QCOMPARE(trace.run(SpecializationAnalysis()).error().kind, std::string("analysis.no_texts"));
    QCOMPARE(trace.runOn({}, SpecializationAnalysis()).error().kind, std::string("analysis.no_texts"));
    QCOMPARE(trace.runOn({77}, SpecializationAnalysis()).error().kind, std::string("analysis.no_texts"));
  }

  void badParameters() {
    for (const auto& [id, value] : std::vector<std::pair<std::string, std::string>>{{"layer", "9"},
                                                                                    {"layer", ""},
                                                                                    {"layer", "0,,1"},
                                                                                    {"k", "2"},
                                                                                    {"draws", "-1"},
                                                                                    {"draws", "many"},
                                                                                    {"shuffles", "1e3"},
                                                                                    {"seed", "-4"},
                                                                                    {"labels", "colours"}}) {
      const auto result = vectors().run(SpecializationAnalysis(), {{id, value}});
      QVERIFY2(!result.has_value(), (id + "=" + value).c_str());
      QCOMPARE(result.error().kind, std::string("analysis.bad_param"));
    }
  }
};

QTEST_APPLESS_MAIN(TestSpecialization)
#include "tst_specialization.moc"
