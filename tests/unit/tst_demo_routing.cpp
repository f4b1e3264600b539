// The analyses on the demo's recording, against what numpy makes of the same file and against the model card.
#include <QTest>

#include <array>
#include <cmath>
#include <fstream>

#include "core/trace/trace_store.h"
#include "plugins/co_activation/co_activation_analysis.h"
#include "plugins/specialization/context_independence_analysis.h"
#include "plugins/specialization/specialization_analysis.h"
#include "plugins/specialization/token_drop_analysis.h"
#include "plugins/specialization/vocabulary_analysis.h"
#include "plugins/stability/margin_analysis.h"
#include "tests/unit/routing_vectors.h"

using namespace moescope;
using namespace moescope::analysis;
using namespace moescope::analysis::fixture;

namespace {

using Where = std::vector<std::pair<std::string, std::string>>;

/// Mutual information of layers 0 to 5 by resources/demo/MODEL_CARD.md: up to 32 windows of 256 tokens of a
/// domain.
constexpr std::array kModelCardBits{0.565, 0.386, 0.314, 0.274, 0.380, 0.355};

const nlohmann::json& expected() {
  static const nlohmann::json document = [] {
    std::ifstream file(MOESCOPE_TEST_DATA "/analysis/demo_routing.json");
    return nlohmann::json::parse(file);
  }();
  return document;
}

Result<AnalysisResult> runOnDemo(const Analysis& analysis, const AnalysisParameters& given) {
  static const auto store =
      trace::TraceStore::open(MOESCOPE_RESOURCES "/demo/demo.moescope", trace::OpenMode::ReadOnly);
  if (!store) qFatal("%s", store.error().text().c_str());
  AnalysisParameters parameters;
  for (const ParameterInfo& info : analysis.info().parameters) parameters[info.id] = info.defaultValue;
  for (const auto& [id, value] : given) parameters[id] = value;
  return analysis.run({**store, {(*store)->runs().front().id}, parameters, std::nullopt, {}, {}, {}});
}

AnalysisResult mustRun(const Analysis& analysis, const AnalysisParameters& given) {
  auto result = runOnDemo(analysis, given);
  if (!result) qFatal("%s", result.error().text().c_str());
  return std::move(*result);
}

Where at(std::size_t layer) { return {{"layer", std::to_string(layer)}}; }

}  // namespace

class TestDemoRouting : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void specialization() {
    const AnalysisResult result =
        mustRun(specialization::SpecializationAnalysis(), {{"draws", "200"}, {"shuffles", "100"}});
    const ResultTable& table = *result.table("information");
    for (std::size_t layer = 0; layer < kModelCardBits.size(); ++layer) {
      const auto& values = expected()["layers"][layer];
      const auto* rates = result.matrix("rates_layer" + std::to_string(layer));
      QCOMPARE(rates->rowNames, expected()["labels"].get<std::vector<std::string>>());
      QCOMPARE(difference(rates->values, flat(values["rates"])), std::string());
      for (const char* id : {"mi_bits", "miller_madow_bits"})
        QCOMPARE(difference(column(table, id, at(layer)), flat(values[id]), 1e-10), std::string());
      const double slack = 5.0 * values["shuffled_spread"].get<double>() * std::sqrt(2.0 / 100.0);
      const double shuffled = column(table, "shuffled_bits", at(layer)).front();
      QVERIFY(std::abs(shuffled - values["shuffled_bits"].get<double>()) < slack);
      const double bits = column(table, "mi_bits", at(layer)).front();
      QVERIFY2(std::abs(bits - kModelCardBits[layer]) < 0.015, QByteArray::number(bits));
      QVERIFY(column(table, "mi_basic_low", at(layer)).front() > 2.0 * shuffled);
    }
    // 61 documents of 11 domains: windows are resampled, and the note says so.
    QVERIFY(result.interval.find("windows of") != std::string::npos);
    QVERIFY(toJson(result)["notes"].dump().find("few texts") != std::string::npos);
  }

  void vocabularyAndSpread() {
    const AnalysisResult vocabulary =
        mustRun(specialization::VocabularyAnalysis(), {{"draws", "0"}, {"top", "0"}});
    const AnalysisResult spread = mustRun(specialization::ContextIndependenceAnalysis(), {{"draws", "0"}});
    for (std::size_t layer = 0; layer < expected()["layers"].size(); ++layer) {
      const auto& values = expected()["layers"][layer];
      for (const auto& [key, entry] : values["vocabulary"].items()) {
        Where here = at(layer);
        here.emplace_back("key", key);
        for (const char* id : {"all_ids", "min_count", "token_weighted", "ids", "min_count_ids", "tokens"})
          QCOMPARE(difference(column(*vocabulary.table("values"), id, here), flat(entry[id])), std::string());
      }
      for (const auto& [key, entry] : values["spread"].items()) {
        Where here = at(layer);
        here.emplace_back("key", key);
        for (const char* id : {"spread", "keys", "explained"})
          QCOMPARE(difference(column(*spread.table("spread"), id, here), flat(entry[id])), std::string());
      }
    }
  }

  void coActivationAndDrop() {
    const AnalysisResult pairs =
        mustRun(co_activation::CoActivationAnalysis(), {{"draws", "100"}, {"pairs", "1"}});
    const AnalysisResult drop = mustRun(specialization::TokenDropAnalysis(), {{"draws", "0"}});
    for (std::size_t layer = 0; layer < expected()["layers"].size(); ++layer) {
      const auto& values = expected()["layers"][layer];
      const ResultTable& table = *pairs.table("pairs");
      QCOMPARE(difference(column(table, "value", at(layer)), flat(values["strongest"][0])), std::string());
      QCOMPARE(difference(column(table, "from", at(layer)), flat(values["strongest"][1])), std::string());
      QCOMPARE(difference(column(table, "to", at(layer)), flat(values["strongest"][2])), std::string());
      QCOMPARE(difference(column(*pairs.table("order"), "expert", at(layer)), flat(values["order"])),
               std::string());
      QVERIFY(column(table, "value_low", at(layer)).front() < column(table, "value", at(layer)).front());
      QCOMPARE(difference(column(*drop.table("drop"), "dropped", at(layer)), flat(values["dropped"])),
               std::string());
    }
  }

  void marginsSayWhatIsMissing() {
    const auto result = runOnDemo(stability::MarginAnalysis(), {});
    QVERIFY(!result.has_value());
    QCOMPARE(result.error().kind, std::string("analysis.not_recorded"));
  }
};

QTEST_APPLESS_MAIN(TestDemoRouting)
#include "tst_demo_routing.moc"
