// `congestion-fit` and `load-balance` from a trace to their results, through the plug-ins' entry functions.
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>

#include "core/analysis/load_metrics.h"
#include "core/analysis/series_loads.h"
#include "core/analysis/text_logits.h"
#include "core/plugin/plugin_registry.h"
#include "core/trace/trace_store.h"

extern "C" void moescope_plugin_congestion_fit(moescope::plugin::PluginRegistry& registry);
extern "C" void moescope_plugin_load_balance(moescope::plugin::PluginRegistry& registry);

using namespace moescope;
using namespace moescope::analysis;

namespace {

constexpr int kLayers = 2, kExperts = 6, kTopK = 2, kTokens = 40;

template <class T>
T must(Result<T> result) {
  if (!result) qFatal("%s", result.error().text().c_str());
  return std::move(*result);
}
void must(const Result<void>& result) {
  if (!result) qFatal("%s", result.error().text().c_str());
}

struct RunShape {
  int texts = 24, windows = 1;
  trace::CaptureLevel capture = trace::CaptureLevel::Ids;
  std::optional<std::int64_t> step = 1000;
  int experts = kExperts;
  bool logProbs = true;
  bool finish = true;     ///< the last text is complete
  int deadExpert = -1;    ///< never chosen, logit far below
  float badLogit = 0.0F;  ///< added to one logit of the first text
  std::string config = R"({"router_aux_loss_coef": 0.01})";
  unsigned seed = 1;
};

/// What was recorded, kept beside the trace: choices and surprise of every token.
struct Recorded {
  trace::RunId run = 0;
  std::vector<std::vector<std::int64_t>> counts;  // [layers][experts]
  double lossSum = 0.0, lossTokens = 0.0;
  std::vector<std::vector<float>> logitsOfExpert;  // [experts] of layer 0, even texts, all tokens
};

class Recording {
 public:
  Recording(trace::TraceStore& store, const RunShape& shape) : m_shape(shape), m_random(shape.seed) {
    trace::ModelRecord model;
    model.family = "olmoe";
    model.configJson = shape.config;
    model.weightsFingerprint = std::to_string(shape.experts) + "/" + std::to_string(shape.seed);
    model.tokenizerHash = "tokenizer";
    for (int l = 0; l < kLayers; ++l) {
      RouterSpec router;
      router.layer = LayerIndex{l};
      router.experts = shape.experts;
      router.topK = kTopK;
      model.routers.push_back(router);
    }
    trace::RunRecord run;
    run.name = "corpus";
    run.kind = trace::RunKind::Corpus;
    run.capture = shape.capture;
    run.trainStep = shape.step;
    if (shape.step) run.checkpointLabel = "step" + std::to_string(*shape.step);
    m_recorder = must(store.startRun(model, run));
    m_out.run = m_recorder->run();
    m_out.counts.assign(kLayers, std::vector<std::int64_t>(static_cast<std::size_t>(shape.experts), 0));
    m_out.logitsOfExpert.resize(static_cast<std::size_t>(shape.experts));
    const int sequences = shape.texts * shape.windows;
    for (int s = 0; s < sequences; ++s) sequence(s, s + 1 < sequences || shape.finish);
    must(m_recorder->end(trace::RunStatus::Closed));
  }

  [[nodiscard]] const Recorded& recorded() const { return m_out; }

 private:
  double unit() { return static_cast<double>(m_random() >> 11) * 0x1p-53; }

  void sequence(int ordinal, bool complete) {
    const int text = ordinal / m_shape.windows;
    m_recorder->beginSequence(
        {kTokens, "text" + std::to_string(text), {{"label", text % 2 == 0 ? "a" : "b"}}});
    std::vector<trace::TokenRow> rows(kTokens);
    for (int i = 0; i < kTokens; ++i) {
      trace::TokenRow& row = rows[static_cast<std::size_t>(i)];
      row.id = i;
      row.sequence = ordinal;
      row.position = i;
      if (i == 0 || !m_shape.logProbs) continue;
      row.logProb = static_cast<float>(-1.0 - 2.0 * unit());
      if (complete) {
        m_out.lossSum -= static_cast<double>(row.logProb);
        m_out.lossTokens += 1.0;
      }
    }
    const std::vector<std::string> bytes(kTokens, "x");
    trace::RoutingBatch batch;
    batch.firstToken = must(m_recorder->appendTokens(rows, bytes));
    batch.count = kTokens;
    const std::vector<float> entropies(kTokens, 1.0F);
    batch.entropyAfter = entropies;
    std::vector<std::vector<float>> logits(kLayers), weights(kLayers);
    std::vector<std::vector<std::int32_t>> ids(kLayers);
    for (std::size_t l = 0; l < kLayers; ++l) {
      for (int t = 0; t < kTokens; ++t) route(l, ordinal, complete, logits[l], ids[l], weights[l]);
      batch.routers.push_back({kTopK, logits[l], ids[l], weights[l], {}, {}});
    }
    must(m_recorder->appendRouting(batch));
    must(m_recorder->endSequence(complete));
  }

  void route(std::size_t layer, int ordinal, bool complete, std::vector<float>& logits,
             std::vector<std::int32_t>& ids, std::vector<float>& weights) {
    std::vector<float> z;
    for (int e = 0; e < m_shape.experts; ++e) {
      float value = static_cast<float>(6.0 * unit() + 0.2 * e);
      if (e == m_shape.deadExpert) value = -50.0F;
      if (ordinal == 0 && e == 1) value += m_shape.badLogit;
      // What binary16 holds exactly, so that medians can be compared.
      z.push_back(std::isfinite(value) ? std::round(value * 64.0F) / 64.0F : value);
    }
    std::vector<std::int32_t> order(z.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](auto a, auto b) {
      return z[static_cast<std::size_t>(a)] > z[static_cast<std::size_t>(b)];
    });
    double sum = 0.0;
    for (const float value : z) sum += std::exp(static_cast<double>(value));
    for (std::size_t k = 0; k < kTopK; ++k) {
      const auto expert = static_cast<std::size_t>(order[k]);
      ids.push_back(order[k]);
      weights.push_back(static_cast<float>(std::exp(static_cast<double>(z[expert])) / sum));
      if (complete) ++m_out.counts[layer][expert];
    }
    if (layer == 0 && (ordinal / m_shape.windows) % 2 == 0) {
      for (std::size_t e = 0; e < z.size(); ++e) m_out.logitsOfExpert[e].push_back(z[e]);
    }
    logits.insert(logits.end(), z.begin(), z.end());
  }

  RunShape m_shape;
  std::mt19937_64 m_random;
  std::unique_ptr<trace::RunRecorder> m_recorder;
  Recorded m_out;
};

class Registry final : public plugin::PluginRegistry {
 public:
  void add(std::unique_ptr<Analysis> analysis) override { m_analyses.push_back(std::move(analysis)); }
  void add(std::unique_ptr<figure::Exporter>) override {}
  void add(std::unique_ptr<plugin::ViewPart>) override {}
  [[nodiscard]] const Analysis& only() const {
    if (m_analyses.size() != 1) qFatal("not one analysis");
    return *m_analyses[0];
  }

 private:
  std::vector<std::unique_ptr<Analysis>> m_analyses;
};

double number(const AnalysisResult& result, const std::string& id, std::size_t row,
              const std::string& column) {
  const ResultTable* table = result.table(id);
  if (!table || row >= table->rows.size()) qFatal("no row %zu in %s", row, id.c_str());
  for (std::size_t c = 0; c < table->columns.size(); ++c) {
    if (table->columns[c].name != column) continue;
    if (const auto* value = std::get_if<double>(&table->rows[row][c])) return *value;
    if (const auto* value = std::get_if<std::int64_t>(&table->rows[row][c]))
      return static_cast<double>(*value);
    return std::nan("");
  }
  qFatal("no column %s", column.c_str());
}

bool mentions(const AnalysisResult& result, const std::string& words) {
  return std::ranges::any_of(result.notes,
                             [&](const std::string& n) { return n.find(words) != std::string::npos; });
}

}  // namespace

class TestSeriesAnalyses : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    m_folder = std::make_unique<QTemporaryDir>();
    m_store = must(trace::TraceStore::create((m_folder->path() + "/series.moescope").toStdString()));
  }
  void cleanup() {
    must(m_store->close());
    m_store.reset();
  }

  void loadBalanceOfASeries() {
    const auto runs = record({{.step = 0, .seed = 1}, {.step = 500, .seed = 2}, {.step = 2000, .seed = 3}});
    int partials = 0;
    const auto result = must(run(m_balance, ids(runs), {{"draws", "200"}}, &partials));
    QCOMPARE(partials, 1);
    QCOMPARE(result.analysis, std::string("load-balance"));
    QCOMPARE(result.parameters.at("seed"), std::string("1"));
    for (std::size_t p = 0; p < 3; ++p) {
      QCOMPARE(number(result, "series", p, "step"),
               static_cast<double>(*m_store->run(runs[p].run)->trainStep));
      QVERIFY(std::abs(number(result, "series", p, "loss") - runs[p].lossSum / runs[p].lossTokens) < 1e-6);
      QVERIFY(number(result, "series", p, "loss_low") < number(result, "series", p, "loss_high"));
      double mean = 0.0;
      for (std::size_t l = 0; l < kLayers; ++l) {
        const double cv = loadMetrics(runs[p].counts[l], 24 * kTokens).cv;
        QCOMPARE(number(result, "layers", p * kLayers + l, "cv"), cv);
        QVERIFY(number(result, "layers", p * kLayers + l, "cv_low") <
                number(result, "layers", p * kLayers + l, "cv_high"));
        mean += cv / kLayers;
      }
      QVERIFY(std::abs(number(result, "series", p, "cv") - mean) < 1e-12);
    }
    QCOMPARE(result.table("baseline")->rows.size(), std::size_t{13 * kLayers});
    QVERIFY(result.interval.find("24 texts") != std::string::npos);
    QVERIFY(result.sample.find("960 tokens each, 24 texts, capture ids") != std::string::npos);
  }

  void loadBalanceOfOneRun() {
    const auto runs = record({{.texts = 6, .windows = 4, .step = std::nullopt}});
    const auto result = must(run(m_balance, ids(runs), {{"draws", "100"}}));
    QVERIFY(result.interval.find("24 windows of 6 texts") != std::string::npos);
    QVERIFY(mentions(result, "windows are resampled"));
    QVERIFY(std::isfinite(number(result, "series", 0, "gini_high")));
    QVERIFY(std::isnan(number(result, "series", 0, "step")));
  }

  void oneTextIsCutIntoWindowsOfTokens() {
    for (const bool finish : {true, false}) {
      const auto runs = record({{.texts = 1, .step = std::nullopt, .finish = finish}});
      const auto result = must(run(m_balance, ids(runs), {{"draws", "100"}}));
      QVERIFY(result.interval.find("2 windows of about 20 tokens") != std::string::npos);
      QVERIFY(number(result, "series", 0, "cv_low") <= number(result, "series", 0, "cv_high"));
      QCOMPARE(number(result, "series", 0, "loss_tokens"), static_cast<double>(kTokens - 1));
      if (!finish) continue;
      QCOMPARE(number(result, "layers", 0, "cv"), loadMetrics(runs[0].counts[0], kTokens).cv);
      QVERIFY(std::abs(number(result, "series", 0, "loss") - runs[0].lossSum / runs[0].lossTokens) < 1e-6);
    }
  }

  void runsWithoutLogProbabilities() {
    const auto runs = record({{.logProbs = false}});
    const auto result = must(run(m_balance, ids(runs), {{"draws", "10"}}));
    QVERIFY(std::isnan(number(result, "series", 0, "loss")));
    QVERIFY(mentions(result, "no loss"));
  }

  void congestionOfASeries() {
    const auto runs = record({{.step = 0, .seed = 1}, {.step = 500, .seed = 2}, {.step = 2000, .seed = 3}});
    int partials = 0;
    const auto result = must(run(m_fit, ids(runs), {{"draws", "100"}}, &partials));
    QCOMPARE(partials, 1);
    QCOMPARE(result.table("series")->rows.size(), std::size_t{3});
    QCOMPARE(result.table("layers")->rows.size(), std::size_t{3 * kLayers});
    for (std::size_t p = 0; p < 3; ++p) {
      // Top-2 of noisy logits with rising means: the load rises with q.
      QVERIFY(number(result, "series", p, "r_quality_load") > 0.9);
      const auto& counts = runs[p].counts;
      double peak = 0.0;
      for (const auto& layer : counts)
        peak += loadMetrics(layer, 24 * kTokens).peakFactor / static_cast<double>(counts.size());
      QVERIFY(std::abs(number(result, "series", p, "b0a") - peak) < 1e-12);
      QVERIFY(number(result, "series", p, "heldout_l1") < 2.0);
    }
    // alpha from the model's config.
    QVERIFY(std::abs(number(result, "series", 0, "gamma_explicit") - 0.01 * kExperts) < 1e-12);
    QVERIFY(mentions(result, "Q4 is the log of the mean gate weight"));
    QVERIFY(mentions(result, "too few checkpoints for phases: 2"));
    QVERIFY(mentions(result, "Lowest correlation of two estimators"));
    QVERIFY(std::isnan(number(result, "estimators", 0, "gamma_q3")));
  }

  void fullCaptureHasMediansAndTypes() {
    const auto runs = record({{.capture = trace::CaptureLevel::Full, .step = 1, .seed = 4},
                              {.capture = trace::CaptureLevel::Full, .step = 2, .seed = 5}});
    const auto result = must(run(m_fit, ids(runs), {{"draws", "30"}, {"estimator", "q3"}, {"types", "3"}}));
    QVERIFY(std::isfinite(number(result, "estimators", 0, "gamma_q3")));
    QVERIFY(std::isfinite(number(result, "layers", 0, "gamma_multi_type")));
    QCOMPARE(number(result, "layers", 0, "types"), 3.0);
    QCOMPARE(result.table("agreement")->rows.size(), std::size_t{6});
    QVERIFY(!mentions(result, "Q4 is the log"));
    QVERIFY(number(result, "layers", 0, "gamma_low") <= number(result, "layers", 0, "gamma_high"));
  }

  void logitsAreReadByText() {
    const auto runs = record({{.capture = trace::CaptureLevel::Full}});
    const auto loads = must(readSeries(*m_store, ids(runs), {}));
    QVERIFY(loads.points[0].hasLogits);
    const TextLogits logits = readTextLogits(*m_store, runs[0].run, 0, loads.points[0].unitOf, {});
    QCOMPARE(logits.rows(), std::size_t{24 * kTokens});
    for (std::size_t e = 0; e < kExperts; ++e) {
      std::vector<float> even;
      for (std::size_t r = 0; r < logits.rows(); ++r) {
        if (logits.texts[r] % 2 == 0) even.push_back(logits.row(r)[e]);
      }
      QVERIFY(even == runs[0].logitsOfExpert[e]);
    }
    QCOMPARE(logits.chosen[7].size(), std::size_t{kTopK});
  }

  void deadExperts() {
    const auto runs =
        record({{.step = 1, .deadExpert = 2, .seed = 1}, {.step = 2, .deadExpert = 2, .seed = 2}});
    const auto result = must(run(m_fit, ids(runs), {{"draws", "20"}, {"estimator", "q4"}}));
    QCOMPARE(number(result, "layers", 0, "experts_left_out"), 1.0);
    QVERIFY(mentions(result, "4 experts in 4 fits were never chosen"));
    const auto balance = must(run(m_balance, ids(runs), {{"draws", "20"}}));
    QCOMPARE(number(balance, "series", 0, "dead"), 1.0);
  }

  void logitsThatAreNotFinite() {
    const auto runs = record({{.step = 1, .badLogit = INFINITY, .seed = 1}, {.step = 2, .seed = 2}});
    const auto result = must(run(m_fit, ids(runs), {{"draws", "20"}}));
    QVERIFY(mentions(result, "missing, incomplete or not finite"));
    QVERIFY(std::isfinite(number(result, "series", 0, "gamma")));
  }

  void unfinishedTextsAreLeftOut() {
    const auto runs = record({{.step = 1, .finish = false, .seed = 1}, {.step = 2, .seed = 2}});
    const auto loads = must(readSeries(*m_store, ids(runs), {}));
    QCOMPARE(loads.texts, 23);
    QVERIFY(std::ranges::any_of(loads.notes,
                                [](const auto& n) { return n.find("not in every run") != n.npos; }) ||
            loads.notes.empty());
  }

  void badInput() {
    const auto runs = record({{.step = 1, .seed = 1},
                              {.step = 1, .seed = 2},
                              {.experts = 8, .seed = 3},
                              {.capture = trace::CaptureLevel::None, .seed = 4},
                              {.texts = 1, .finish = false, .seed = 5}});
    const auto id = ids(runs);
    QCOMPARE(kindOf(run(m_fit, {id[0]}, {})), std::string("analysis.too_few_runs"));
    QCOMPARE(kindOf(run(m_balance, {}, {})), std::string("analysis.too_few_runs"));
    QCOMPARE(kindOf(run(m_fit, {id[0], id[2]}, {})), std::string("analysis.mixed_models"));
    QCOMPARE(kindOf(run(m_fit, {id[0], id[3]}, {})), std::string("analysis.not_recorded"));
    QCOMPARE(kindOf(run(m_balance, {id[3]}, {})), std::string("analysis.not_recorded"));
    QCOMPARE(kindOf(run(m_fit, {id[0], id[4]}, {})), std::string("analysis.no_texts"));
    QCOMPARE(kindOf(run(m_fit, {id[0], 99}, {})), std::string("trace.no_such_run"));
    QCOMPARE(kindOf(run(m_fit, {id[0], id[1]}, {{"estimator", "q3"}})), std::string("analysis.not_recorded"));
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"estimator", "q9"},
                                                                                      {"loss", "l0"},
                                                                                      {"equilibrium", "r4"},
                                                                                      {"draws", "-1"},
                                                                                      {"draws", "many"},
                                                                                      {"seed", "1.5"},
                                                                                      {"alpha", "nan"},
                                                                                      {"c", ""},
                                                                                      {"types", "65"}}) {
      const auto result = run(m_fit, {id[0], id[1]}, {{name, value}});
      QCOMPARE(kindOf(result), std::string("analysis.bad_param"));
      QVERIFY(result.error().text().find(name) != std::string::npos);
    }
    const auto equal = must(run(m_fit, {id[0], id[1]}, {{"draws", "5"}}));
    QVERIFY(mentions(equal, "Several runs have the training step 1"));
  }

  void cancelled() {
    const auto runs = record({{.step = 1, .seed = 1}, {.step = 2, .seed = 2}});
    std::stop_source stop;
    stop.request_stop();
    for (const Analysis* analysis : {&m_fit.only(), &m_balance.only()}) {
      const AnalysisInput input{*m_store, ids(runs), {}, {}, {}, {}, stop.get_token()};
      const auto result = analysis->run(input);
      QCOMPARE(kindOf(result), std::string("cancelled"));
    }
  }

  void initTestCase() {
    moescope_plugin_congestion_fit(m_fit);
    moescope_plugin_load_balance(m_balance);
    QCOMPARE(m_fit.only().info().id, std::string("congestion-fit"));
    QCOMPARE(m_balance.only().info().id, std::string("load-balance"));
  }

 private:
  std::vector<Recorded> record(const std::vector<RunShape>& shapes) {
    std::vector<Recorded> out;
    for (const RunShape& shape : shapes) out.push_back(Recording(*m_store, shape).recorded());
    must(m_store->flush());
    return out;
  }
  static std::vector<trace::RunId> ids(const std::vector<Recorded>& runs) {
    std::vector<trace::RunId> out;
    for (const Recorded& recorded : runs) out.push_back(recorded.run);
    return out;
  }
  Result<AnalysisResult> run(const Registry& registry, std::vector<trace::RunId> runs,
                             AnalysisParameters parameters, int* partials = nullptr) {
    AnalysisInput input{*m_store, std::move(runs), std::move(parameters), {}, {}, {}, {}};
    if (partials) input.partial = [partials](const AnalysisResult&) { ++*partials; };
    return registry.only().run(input);
  }
  static std::string kindOf(const Result<AnalysisResult>& result) {
    return result ? "" : result.error().kind;
  }

  std::unique_ptr<QTemporaryDir> m_folder;
  std::shared_ptr<trace::TraceStore> m_store;
  Registry m_fit, m_balance;
};

QTEST_APPLESS_MAIN(TestSeriesAnalyses)
#include "tst_series_analyses.moc"
