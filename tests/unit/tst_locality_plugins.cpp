// The analyses of plugins/{locality,cross_layer,languages,router_scores} on a recorded trace, against numpy.
#include <QTest>

#include "tests/support/locality_trace.h"

MOESCOPE_PLUGIN(locality);
MOESCOPE_PLUGIN(cross_layer);
MOESCOPE_PLUGIN(languages);
MOESCOPE_PLUGIN(router_scores);

using namespace moescope::analysis;
using namespace moescope::test;
using moescope::trace::CaptureLevel;
using std::string;

namespace {

std::int64_t whole(std::int64_t value) { return value; }

const Analyses& allAnalyses() {
  static const Analyses all([](moescope::plugin::PluginRegistry& registry) {
    moescope_plugin_locality(registry);
    moescope_plugin_cross_layer(registry);
    moescope_plugin_languages(registry);
    moescope_plugin_router_scores(registry);
  });
  return all;
}

constexpr const char* kIds[] = {"sparsity",
                                "routing-consistency",
                                "cross-layer-flow",
                                "affinity",
                                "language-divergence",
                                "exclusive-experts",
                                "auxiliary-losses",
                                "top-p",
                                "expert-similarity"};

}  // namespace

class TestLocalityPlugins : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { m_store = localityTrace(m_folder, m_texts); }

  void everyResultSaysWhatItRestsOn() {
    for (const char* id : kIds) {
      const auto result = allAnalyses().run(id, *m_store, draws(id));
      QVERIFY2(result.has_value(), result ? "" : result.error().text().c_str());
      QCOMPARE(result->analysis, string(id));
      checkShape(*result);
    }
  }

  void sparsity() {
    const auto result = allAnalyses().run("sparsity", *m_store, {{"draws", "50"}});
    QVERIFY(result.has_value());
    for (const auto& expected : m_texts.document["sparsity"]) {
      const std::int64_t chunk = expected["chunk"];
      const auto value = [&](const char* column) {
        return numberIn(*result, "sparsity", column, {string("1"), whole(chunk)});
      };
      QVERIFY_NEAR(value("sparsity"), expected["cls"].get<double>(), 1e-12);
      QVERIFY_NEAR(value("random"), std::pow(0.75, static_cast<double>(chunk)), 1e-12);
      QVERIFY_NEAR(value("gain"), value("sparsity") - value("random"), 1e-12);
      if (chunk < 64) QVERIFY(value("low") <= value("sparsity") && value("sparsity") <= value("high"));
    }
    QVERIFY_NEAR(numberIn(*result, "sparsity", "sparsity", {string("all"), whole(1)}), 0.75, 1e-12);
  }

  void consistency() {
    const auto result =
        allAnalyses().run("routing-consistency", *m_store, {{"draws", "50"}, {"cache", "1,2"}});
    QVERIFY(result.has_value());
    for (const auto& expected : m_texts.document["consistency"]) {
      const std::int64_t m = expected["size"];
      const auto value = [&](const char* column) {
        return numberIn(*result, "srp", column, {string("1"), m});
      };
      QVERIFY_NEAR(value("srp"), expected["f1"].get<double>(), 1e-12);
      QVERIFY_NEAR(value("random"), expected["random"].get<double>(), 1e-9);
      QCOMPARE(value("threshold"), expected["threshold"].get<double>());
      QVERIFY(value("low") < value("high"));
      const auto hits = [&](double ratio, const char* column) {
        return numberIn(*result, "sch", column, {string("1"), m, ratio});
      };
      QVERIFY_NEAR(hits(1.0, "hit_rate"), expected["hits"]["3"].get<double>(), 1e-12);
      QVERIFY_NEAR(hits(2.0, "hit_rate"), expected["hits"]["6"].get<double>(), 1e-12);
      QCOMPARE(hits(2.0, "cache_experts"), 6.0);
      QVERIFY(hits(1.0, "random") < hits(1.0, "hit_rate"));
    }
    // No text has 256 tokens.
    QVERIFY(std::isnan(numberIn(*result, "srp", "srp", {string("1"), whole(256)})));
    const ResultMatrix* experts = result->matrix("expert_srp_4");
    QVERIFY(experts != nullptr);
    QVERIFY_NEAR(experts->values[12], m_texts.document["consistency"][0]["experts"][0].get<double>(), 1e-12);
    QVERIFY(std::isnan(experts->values[23]));  // the dead expert of layer 1
  }

  void flowAndAffinity() {
    for (const char* rule : {"top1", "all"}) {
      const auto& expected = m_texts.document["transitions"][rule];
      const auto flow = allAnalyses().run("cross-layer-flow", *m_store, {{"pairs", rule}, {"layers", "0,1"}});
      const auto affinity = allAnalyses().run("affinity", *m_store, {{"pairs", rule}});
      QVERIFY(flow.has_value() && affinity.has_value());
      const std::vector<ResultCell> key{whole(0), whole(1)};
      QVERIFY_NEAR(numberIn(*flow, "flow", "mi", key), expected["information"].get<double>(), 1e-9);
      QVERIFY_NEAR(numberIn(*flow, "flow", "mi_bias", key), expected["bias"].get<double>(), 1e-12);
      QVERIFY_NEAR(numberIn(*flow, "flow", "mean_max", key), expected["mean_max"].get<double>(), 1e-9);
      QVERIFY_NEAR(numberIn(*affinity, "affinity", "weighted_max", key),
                   expected["weighted_max"].get<double>(), 1e-9);
      QVERIFY(numberIn(*flow, "flow", "mi_low", key) < numberIn(*flow, "flow", "mi_high", key));
      QVERIFY_NEAR(numberIn(*affinity, "coverage", "coverage", {whole(0), whole(1), whole(2)}),
                   expected["coverage2"].get<double>(), 1e-9);
      double tokens = 0.0;
      for (const auto& row : flow->table("streams")->rows) tokens += std::get<double>(row[4]);
      QVERIFY_NEAR(tokens, expected["tokens"].get<double>(), 1e-6);
    }
  }

  void languages() {
    for (const CaptureLevel capture : {CaptureLevel::Full, CaptureLevel::Ids}) {
      const auto store = localityTrace(m_folder, m_texts, {.capture = capture});
      const auto& expected = m_texts.document["language"];
      const auto means = allAnalyses().run("language-divergence", *store, {{"draws", "50"}});
      const auto pairs =
          allAnalyses().run("language-divergence", *store, {{"draws", "50"}, {"pairs", "sentence"}});
      QVERIFY(means.has_value() && pairs.has_value());
      QCOMPARE(means->parameters.at("reference"), string("en"));
      for (const char* language : {"de", "fr"}) {
        const std::vector<ResultCell> key{string(language), whole(0)};
        QVERIFY_NEAR(numberIn(*means, "divergence", "divergence", key),
                     expected["mean"][language].get<double>(), 2e-6);
        QVERIFY_NEAR(numberIn(*pairs, "divergence", "divergence", key),
                     expected["paired"][language].get<double>(), 2e-6);
        QVERIFY_NEAR(numberIn(*pairs, "divergence", "baseline", key), expected["neighbours"].get<double>(),
                     2e-6);
        QCOMPARE(numberIn(*pairs, "divergence", "pairs", key), 3.0);
        QVERIFY_NEAR(numberIn(*means, "divergence", "jaccard", key),
                     expected["jaccard"][language].get<double>(), 1e-12);
        QVERIFY_NEAR(numberIn(*means, "divergence", "reference_jaccard", key),
                     expected["jaccard"]["en"].get<double>(), 1e-12);
      }
      const ResultMatrix* delta = means->matrix("delta_layer0");
      QVERIFY(delta != nullptr);
      for (std::size_t e = 0; e < 12; ++e)
        QVERIFY_NEAR(delta->values[e], expected["delta_de"][e].get<double>(), 1e-12);
    }
  }

  void exclusive() {
    const auto& expected = m_texts.document["exclusive"];
    const auto result = allAnalyses().run("exclusive-experts", *m_store, {{"keep", "5"}, {"draws", "30"}});
    QVERIFY(result.has_value());
    for (std::size_t l = 0; l < 3; ++l) {
      const string label = std::vector<string>{"en", "de", "fr"}[l];
      QCOMPARE(numberIn(*result, "counts", "exclusive", {label, whole(0)}),
               static_cast<double>(expected["exclusive"][l].size()));
    }
    const ResultMatrix* matrix = result->matrix("selectivity_layer0");  // rows: de, en, fr
    for (std::size_t e = 0; e < 12; ++e)
      QVERIFY_NEAR(matrix->values[12 + e], expected["selectivity"][0][e].get<double>(), 1e-12);
    const auto set = allAnalyses().run("exclusive-experts", *m_store,
                                       {{"keep", "5"}, {"draws", "0"}, {"targets", "de,fr"}});
    QVERIFY(set.has_value());
    QCOMPARE(numberIn(*set, "counts", "exclusive", {string("de,fr"), whole(0)}),
             static_cast<double>(expected["pair_de_fr"].size()));
  }

  void losses() {
    const auto& expected = m_texts.document["loss"];
    const auto full = allAnalyses().run("auxiliary-losses", *m_store, {{"draws", "50"}});
    const auto ids = allAnalyses().run("auxiliary-losses",
                                       *localityTrace(m_folder, m_texts, {.capture = CaptureLevel::Ids}),
                                       {{"draws", "50"}});
    QVERIFY(full.has_value() && ids.has_value());
    for (const AnalysisResult* result : {&*full, &*ids}) {
      const auto value = [&](const char* column) { return numberIn(*result, "losses", column, {whole(0)}); };
      QVERIFY_NEAR(value("load_balance"), expected["switch"].get<double>(), 2e-6);
      QVERIFY_NEAR(value("load_balance_summed"), expected["summed"].get<double>(), 6e-6);
      QVERIFY_NEAR(value("sequence_wise"), expected["sequence_switch"].get<double>(), 2e-6);
      QVERIFY_NEAR(value("z_loss_floor"), expected["z_loss_floor"].get<double>(), 2e-5);
      QVERIFY(value("load_balance_low") < value("load_balance_high"));
    }
    QVERIFY_NEAR(numberIn(*full, "losses", "z_loss", {whole(0)}), expected["z_loss"].get<double>(), 2e-5);
    QVERIFY(std::isnan(numberIn(*ids, "losses", "z_loss", {whole(0)})));
    QVERIFY(std::ranges::any_of(ids->notes,
                                [](const string& n) { return n.find("--capture full") != string::npos; }));
  }

  void topPAndSimilarity() {
    const auto result = allAnalyses().run("top-p", *m_store, {{"draws", "50"}, {"labels", "corpus"}});
    QVERIFY(result.has_value());
    for (const auto& expected : m_texts.document["top_p"]) {
      const std::vector<ResultCell> key{whole(0), expected["p"].get<double>()};
      QVERIFY_NEAR(numberIn(*result, "top_p", "mean", key), expected["mean"].get<double>(), 1e-12);
      QVERIFY_NEAR(numberIn(*result, "top_p", "mean_below", key), expected["below"].get<double>(), 1e-12);
      QVERIFY_NEAR(numberIn(*result, "captured", "captured", {whole(0)}), expected["captured"].get<double>(),
                   1e-6);
      QVERIFY_NEAR(numberIn(*result, "captured", "entropy", {whole(0)}), expected["entropy"].get<double>(),
                   1e-5);
    }
    QCOMPARE(numberIn(*result, "by_label", "tokens", {string("en"), whole(0)}), 78.0);
    const auto similar = allAnalyses().run("expert-similarity", *m_store);
    QVERIFY(similar.has_value());
    const ResultMatrix* matrix = similar->matrix("similarity_layer0");
    for (std::size_t i = 0; i < 144; ++i)
      QVERIFY_NEAR(matrix->values[i], m_texts.document["similarity"][i / 12][i % 12].get<double>(), 1e-12);
  }

  void withoutLogitsTheErrorSaysHowToGetThem() {
    const auto store = localityTrace(m_folder, m_texts, {.capture = CaptureLevel::Weights});
    for (const char* id : {"top-p", "expert-similarity"}) {
      const auto result = allAnalyses().run(id, *store);
      QVERIFY(!result.has_value());
      QCOMPARE(result.error().kind, string("analysis.not_recorded"));
      QVERIFY(result.error().text().find("--capture full") != string::npos);
    }
  }

  void captureNoneHasNoRouting() {
    const auto store = localityTrace(m_folder, m_texts, {.capture = CaptureLevel::None});
    for (const char* id : kIds) {
      const auto result = allAnalyses().run(id, *store);
      QVERIFY2(!result.has_value(), id);
      QCOMPARE(result.error().kind, string("analysis.not_recorded"));
    }
  }

  void oneLabelAndBadParameters() {
    const auto one = localityTrace(m_folder, m_texts, {.oneLabel = true});
    for (const char* id : {"language-divergence", "exclusive-experts"})
      QCOMPARE(allAnalyses().run(id, *one).error().kind, string("analysis.one_label"));
    const std::vector<std::pair<const char*, AnalysisParameters>> bad{
        {"language-divergence", {{"reference", "klingon"}}},
        {"language-divergence", {{"pairs", "nothing"}}},
        {"language-divergence", {{"labels", "regex:a=b"}}},
        {"exclusive-experts", {{"targets", "en,xx"}}},
        {"sparsity", {{"chunks", "0"}}},
        {"sparsity", {{"chunks", ""}}},
        {"sparsity", {{"layer", "17"}}},
        {"routing-consistency", {{"cache", "nan"}}},
        {"top-p", {{"p", "1.5"}}},
        {"cross-layer-flow", {{"layers", "0"}}},
        {"affinity", {{"pairs", "some"}}},
        {"auxiliary-losses", {{"draws", "-1"}}}};
    for (const auto& [id, parameters] : bad) {
      const auto result = allAnalyses().run(id, *m_store, parameters);
      QVERIFY2(!result.has_value(), id);
      QCOMPARE(result.error().kind, string("analysis.bad_param"));
    }
  }

  void emptyTextsChangeNothing() {
    const auto store = localityTrace(m_folder, m_texts, {.emptyText = true});
    for (const char* id : kIds) {
      const auto with = allAnalyses().run(id, *store, {{"draws", "0"}});
      const auto without = allAnalyses().run(id, *m_store, {{"draws", "0"}});
      QVERIFY2(with.has_value(), id);
      for (std::size_t m = 0; m < with->matrices.size(); ++m) {
        for (std::size_t i = 0; i < with->matrices[m].values.size(); ++i) {
          const double a = with->matrices[m].values[i], b = without->matrices[m].values[i];
          QVERIFY2((std::isnan(a) && std::isnan(b)) || near(a, b, 1e-12), id);
        }
      }
    }
  }

  void everyAnalysisCanBeCancelled() {
    std::stop_source stop;
    stop.request_stop();
    for (const char* id : kIds) {
      const auto result = allAnalyses().run(id, *m_store, {}, stop.get_token());
      QVERIFY2(!result.has_value(), id);
      QCOMPARE(result.error().kind, string("cancelled"));
    }
  }

 private:
  static AnalysisParameters draws(const string& id) {
    return id == "expert-similarity" ? AnalysisParameters{} : AnalysisParameters{{"draws", "20"}};
  }

  QTemporaryDir m_folder;
  LocalityTexts m_texts;
  std::shared_ptr<moescope::trace::TraceStore> m_store;
};

QTEST_APPLESS_MAIN(TestLocalityPlugins)
#include "tst_locality_plugins.moc"
