// The analyses of locality, cross-layer flow and languages on the demo's recording, against what numpy makes
// of the same file.
#include <QTest>

#include "tests/support/locality_trace.h"

MOESCOPE_PLUGIN(locality);
MOESCOPE_PLUGIN(cross_layer);
MOESCOPE_PLUGIN(languages);

using namespace moescope::analysis;
using namespace moescope::test;
using std::string;

class TestDemoLocality : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    const auto store = moescope::trace::TraceStore::open(MOESCOPE_RESOURCES "/demo/demo.moescope",
                                                         moescope::trace::OpenMode::ReadOnly);
    QVERIFY2(store.has_value(), store ? "" : store.error().text().c_str());
    m_store = *store;
  }

  void sparsityAndConsistency() {
    const auto sparsity = onDemo(&moescope_plugin_locality, "sparsity", {{"draws", "100"}});
    const auto consistency = onDemo(&moescope_plugin_locality, "routing-consistency",
                                    {{"windows", "16"}, {"cache", "2"}, {"draws", "100"}});
    QVERIFY(sparsity.has_value() && consistency.has_value());
    for (std::size_t l = 0; l < 6; ++l) {
      const string layer = std::to_string(l);
      const auto chunk = [&](const char* column) {
        return numberIn(*sparsity, "sparsity", column, {layer, std::int64_t{8}});
      };
      QVERIFY_NEAR(chunk("sparsity"), expected(l)["cls8"].get<double>(), 1e-9);
      QVERIFY(chunk("low") < chunk("sparsity") && chunk("sparsity") < chunk("high"));
      const auto segment = [&](const char* column) {
        return numberIn(*consistency, "srp", column, {layer, std::int64_t{16}});
      };
      QVERIFY_NEAR(segment("srp"), expected(l)["srp16"].get<double>(), 1e-9);
      QVERIFY(segment("low") < segment("srp") && segment("srp") < segment("high"));
      // Neighbouring tokens of a text share experts more than random choices do.
      QVERIFY(chunk("gain") > 0.0 && segment("srp") > segment("random"));
      const auto hits = [&](const char* column) {
        return numberIn(*consistency, "sch", column, {layer, std::int64_t{16}, 2.0});
      };
      QVERIFY(hits("hit_rate") > hits("random"));
    }
  }

  void affinity() {
    const auto result = onDemo(&moescope_plugin_cross_layer, "affinity", {{"draws", "50"}});
    QVERIFY(result.has_value());
    for (std::int64_t l = 0; l < 5; ++l) {
      const auto& values = expected(static_cast<std::size_t>(l))["affinity"];
      QVERIFY_NEAR(numberIn(*result, "affinity", "weighted_max", {l, l + 1}),
                   values["weighted_max"].get<double>(), 1e-9);
      QVERIFY_NEAR(numberIn(*result, "affinity", "mi_normalized", {l, l + 1}),
                   values["normalized"].get<double>(), 1e-9);
    }
  }

  void languages() {
    const auto result = onDemo(&moescope_plugin_languages, "language-divergence", {{"draws", "50"}});
    QVERIFY(result.has_value());
    QCOMPARE(result->parameters.at("reference"), string("english"));
    for (std::size_t l = 0; l < 6; ++l) {
      for (const auto& [label, value] : expected(l)["divergence"].items()) {
        const auto of = [&](const char* column) {
          return numberIn(*result, "divergence", column, {string(label), static_cast<std::int64_t>(l)});
        };
        QVERIFY_NEAR(of("divergence"), value.get<double>(), 1e-9);
        QVERIFY(of("divergence") > of("baseline"));
      }
    }
  }

 private:
  [[nodiscard]] const nlohmann::json& expected(std::size_t layer) const {
    return m_expected["layers"][layer];
  }

  moescope::Result<AnalysisResult> onDemo(void (*entry)(moescope::plugin::PluginRegistry&), const string& id,
                                          AnalysisParameters parameters) {
    for (const auto& run : m_store->runs()) {
      if (run.name == "corpus") return Analyses(entry).run(id, *m_store, std::move(parameters), {}, run.id);
    }
    qFatal("the demo has no corpus run");
  }

  nlohmann::json m_expected = vectorsIn("demo_locality.json");
  std::shared_ptr<moescope::trace::TraceStore> m_store;
};

QTEST_APPLESS_MAIN(TestDemoLocality)
#include "tst_demo_locality.moc"
