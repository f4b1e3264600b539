#include "tests/unit/series_fixture.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/support/softmax_choice.h"

extern "C" void moescope_plugin_congestion_fit(moescope::plugin::PluginRegistry& registry);
extern "C" void moescope_plugin_load_balance(moescope::plugin::PluginRegistry& registry);

namespace moescope::analysis::series_fixture {

namespace {

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
    const auto chosen = test::softmaxChoice(z, kTopK);
    ids.insert(ids.end(), chosen.ids.begin(), chosen.ids.end());
    weights.insert(weights.end(), chosen.weights.begin(), chosen.weights.end());
    if (complete) {
      for (const auto id : chosen.ids) ++m_out.counts[layer][static_cast<std::size_t>(id)];
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

}  // namespace

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

SeriesTest::SeriesTest() {
  moescope_plugin_congestion_fit(m_fit);
  moescope_plugin_load_balance(m_balance);
}

void SeriesTest::openTrace() {
  m_folder = std::make_unique<QTemporaryDir>();
  m_store = must(trace::TraceStore::create((m_folder->path() + "/series.moescope").toStdString()));
}

void SeriesTest::closeTrace() {
  must(m_store->close());
  m_store.reset();
}

std::vector<Recorded> SeriesTest::record(const std::vector<RunShape>& shapes) {
  std::vector<Recorded> out;
  for (const RunShape& shape : shapes) out.push_back(Recording(*m_store, shape).recorded());
  must(m_store->flush());
  return out;
}

std::vector<trace::RunId> SeriesTest::ids(const std::vector<Recorded>& runs) {
  std::vector<trace::RunId> out;
  for (const Recorded& recorded : runs) out.push_back(recorded.run);
  return out;
}

Result<AnalysisResult> SeriesTest::run(const Registry& registry, std::vector<trace::RunId> runs,
                                       AnalysisParameters parameters, int* partials) {
  AnalysisInput input{*m_store, std::move(runs), std::move(parameters), {}, {}, {}, {}};
  if (partials) input.partial = [partials](const AnalysisResult&) { ++*partials; };
  return registry.only().run(input);
}

}  // namespace moescope::analysis::series_fixture
