#include "tests/support/series_trace.h"

#include <QtGlobal>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "tests/support/softmax_choice.h"

namespace moescope::tests {

namespace {

template <class T>
T must(Result<T> result) {
  if (!result) qFatal("%s", result.error().text().c_str());
  return std::move(*result);
}
void must(const Result<void>& result) {
  if (!result) qFatal("%s", result.error().text().c_str());
}

class CheckpointWriter {
 public:
  CheckpointWriter(trace::TraceStore& store, const SeriesShape& shape, std::size_t index)
      : m_shape(shape), m_index(index), m_random(shape.seed * 1000 + index) {
    trace::ModelRecord model;
    model.family = "olmoe";
    model.configJson = R"({"router_aux_loss_coef": 0.01})";
    model.weightsFingerprint = shape.name + std::to_string(index);
    model.tokenizerHash = "tokenizer";
    for (int l = 0; l < shape.layers; ++l) {
      RouterSpec router;
      router.layer = LayerIndex{l};
      router.experts = kSeriesExperts;
      router.topK = kSeriesTopK;
      model.routers.push_back(router);
    }
    trace::RunRecord run;
    run.name = shape.name + " " + std::to_string(shape.steps[index]);
    run.kind = trace::RunKind::Corpus;
    run.capture = trace::CaptureLevel::Ids;
    run.trainStep = shape.steps[index];
    run.trainTokens = shape.steps[index] * 100;
    m_recorder = must(store.startRun(model, run));
    m_out.run = m_recorder->run();
    m_out.counts.assign(static_cast<std::size_t>(shape.layers), std::vector<std::int64_t>(kSeriesExperts, 0));
  }

  RecordedCheckpoint write() {
    for (int t = 0; t < m_shape.texts; ++t) text(t);
    must(m_recorder->end(trace::RunStatus::Closed));
    m_out.loss = m_lossTokens > 0.0 ? m_lossSum / m_lossTokens : std::numeric_limits<double>::quiet_NaN();
    return m_out;
  }

 private:
  double unit() { return static_cast<double>(m_random() >> 11) * 0x1p-53; }

  void text(int ordinal) {
    trace::RunRecorder::SequenceStart start{kSeriesTokens, "text" + std::to_string(ordinal), {}};
    if (m_shape.labels) start.labels = {{"label", ordinal % 2 == 0 ? "a" : "b"}};
    m_recorder->beginSequence(start);
    std::vector<trace::TokenRow> rows(kSeriesTokens);
    for (int i = 0; i < kSeriesTokens; ++i) {
      trace::TokenRow& row = rows[static_cast<std::size_t>(i)];
      row.id = m_shape.sameTokens ? i : i + static_cast<int>(m_index);
      row.sequence = ordinal;
      row.position = i;
      if (i == 0 || !m_shape.logProbs) continue;
      row.logProb = static_cast<float>(-6.0 / (1.0 + static_cast<double>(m_index)) - unit());
      m_lossSum -= static_cast<double>(row.logProb);
      m_lossTokens += 1.0;
    }
    m_out.tokens += kSeriesTokens;
    const std::vector<std::string> bytes(kSeriesTokens, "x");
    trace::RoutingBatch batch;
    batch.firstToken = must(m_recorder->appendTokens(rows, bytes));
    batch.count = kSeriesTokens;
    const std::vector<float> entropies(kSeriesTokens, 1.0F);
    batch.entropyAfter = entropies;
    const auto layers = static_cast<std::size_t>(m_shape.layers);
    std::vector<std::vector<float>> logits(layers), weights(layers);
    std::vector<std::vector<std::int32_t>> ids(layers);
    for (std::size_t l = 0; l < layers; ++l) {
      for (int t = 0; t < kSeriesTokens; ++t) route(l, logits[l], ids[l], weights[l]);
      batch.routers.push_back({kSeriesTopK, logits[l], ids[l], weights[l], {}, {}});
    }
    must(m_recorder->appendRouting(batch));
    must(m_recorder->endSequence(true));
  }

  void route(std::size_t layer, std::vector<float>& logits, std::vector<std::int32_t>& ids,
             std::vector<float>& weights) {
    std::vector<float> z;
    const double slope = 1.0 / (1.0 + static_cast<double>(m_index + layer));
    for (int e = 0; e < kSeriesExperts; ++e) z.push_back(static_cast<float>(6.0 * unit() + slope * e));
    const auto chosen = test::softmaxChoice(z, kSeriesTopK);
    ids.insert(ids.end(), chosen.ids.begin(), chosen.ids.end());
    weights.insert(weights.end(), chosen.weights.begin(), chosen.weights.end());
    for (const auto id : chosen.ids) ++m_out.counts[layer][static_cast<std::size_t>(id)];
    logits.insert(logits.end(), z.begin(), z.end());
  }

  const SeriesShape& m_shape;
  std::size_t m_index;
  std::mt19937_64 m_random;
  std::unique_ptr<trace::RunRecorder> m_recorder;
  RecordedCheckpoint m_out;
  double m_lossSum = 0.0, m_lossTokens = 0.0;
};

}  // namespace

std::vector<RecordedCheckpoint> recordSeries(trace::TraceStore& store, const SeriesShape& shape) {
  std::vector<RecordedCheckpoint> out;
  const std::int64_t series = must(store.startSeries(shape.name, "{}"));
  for (std::size_t i = 0; i < shape.steps.size(); ++i) {
    out.push_back(CheckpointWriter(store, shape, i).write());
    must(store.addToSeries(series, out.back().run));
  }
  must(store.flush());
  return out;
}

double cvOfCounts(const std::vector<std::int64_t>& counts) {
  const auto n = static_cast<double>(counts.size());
  double sum = 0.0, squares = 0.0;
  for (const std::int64_t count : counts) sum += static_cast<double>(count);
  for (const std::int64_t count : counts) squares += std::pow(static_cast<double>(count) - sum / n, 2);
  return std::sqrt(squares / n) / (sum / n);
}

}  // namespace moescope::tests
