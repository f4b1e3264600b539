// The texts of locality_vectors.h recorded into a trace, for tests of whole analyses. Not a model.
#pragma once

#include <QTemporaryDir>

#include <memory>
#include <string>

#include "core/plugin/plugin_registry.h"
#include "core/trace/trace_store.h"
#include "tests/support/locality_vectors.h"

namespace moescope::test {

struct TraceOptions {
  trace::CaptureLevel capture = trace::CaptureLevel::Full;
  bool oneLabel = false;   ///< all texts have the label en
  bool emptyText = false;  ///< a text without tokens is added
};

inline void recordText(trace::RunRecorder& recorder, const LocalityTexts& texts, int text,
                       const TraceOptions& options) {
  const auto t = static_cast<std::size_t>(text);
  const std::string language = options.oneLabel ? "en" : texts.document["languages"][t].get<std::string>();
  const std::int32_t ordinal = recorder.beginSequence(
      {1,
       "text " + std::to_string(text),
       {{"label", language}, {"sentence", std::to_string(texts.document["sentences"][t].get<int>())}}});
  const int count = texts.lengths[t];
  std::vector<trace::TokenRow> rows;
  for (int i = 0; i < count; ++i) {
    trace::TokenRow row;
    row.id = i % 7;
    row.sequence = ordinal;
    row.position = i;
    rows.push_back(row);
  }
  const auto first = recorder.appendTokens(rows, std::vector<std::string>(rows.size(), "x"));
  QVERIFY(first.has_value());
  std::vector<std::vector<float>> logits(static_cast<std::size_t>(texts.layers));
  std::vector<std::vector<std::int32_t>> ids(logits.size());
  const std::vector<float> entropies(rows.size()),
      weights(rows.size() * static_cast<std::size_t>(texts.topK), 0.25F);
  trace::RoutingBatch batch;
  batch.firstToken = *first;
  batch.count = count;
  batch.entropyAfter = entropies;
  for (std::size_t layer = 0; layer < logits.size(); ++layer) {
    logits[layer] = texts.logits(text, static_cast<int>(layer));
    const auto chosen = texts.ids(text, static_cast<int>(layer));
    ids[layer].assign(chosen.begin(), chosen.end());
    batch.routers.push_back({texts.topK, logits[layer], ids[layer], weights, {}, {}});
  }
  QVERIFY(recorder.appendRouting(batch).has_value());
  QVERIFY(recorder.endSequence(true).has_value());
}

/// A run with id 1.
inline std::shared_ptr<trace::TraceStore> localityTrace(const QTemporaryDir& folder,
                                                        const LocalityTexts& texts,
                                                        const TraceOptions& options = {}) {
  static int number = 0;
  auto store =
      trace::TraceStore::create(folder.filePath(QString("locality%1.moescope").arg(number++)).toStdString());
  if (!store) qFatal("%s", store.error().text().c_str());
  trace::ModelRecord model;
  model.family = "olmoe";
  model.name = "plain arrays";
  model.configJson = "{}";
  for (int layer = 0; layer < texts.layers; ++layer) {
    RouterSpec router;
    router.layer = LayerIndex{layer};
    router.experts = texts.experts;
    router.topK = texts.topK;
    model.routers.push_back(router);
  }
  trace::RunRecord run;
  run.name = "locality";
  run.kind = trace::RunKind::Corpus;
  run.samplerJson = "{}";
  run.capture = options.capture;
  auto recorder = (*store)->startRun(model, run);
  if (!recorder) qFatal("%s", recorder.error().text().c_str());
  for (int text = 0; text < texts.texts(); ++text) recordText(**recorder, texts, text, options);
  if (options.emptyText) {
    (*recorder)->beginSequence({0, "empty", {{"label", "en"}, {"sentence", "9"}}});
    if (!(*recorder)->endSequence(true)) qFatal("an empty text");
  }
  if (!(*recorder)->end(trace::RunStatus::Closed)) qFatal("end");
  if (!(*store)->flush()) qFatal("flush");
  return *store;
}

/// What a plug-in registered, by id.
class Analyses : public plugin::PluginRegistry {
 public:
  explicit Analyses(void (*entry)(plugin::PluginRegistry&)) { entry(*this); }
  void add(std::unique_ptr<analysis::Analysis> analysis) override {
    m_analyses.push_back(std::move(analysis));
  }
  void add(std::unique_ptr<figure::Exporter>) override {}
  void add(std::unique_ptr<plugin::ViewPart>) override {}
  void add(std::unique_ptr<checkpoint::ModelAdapter>) override {}

  [[nodiscard]] const analysis::Analysis& get(const std::string& id) const {
    for (const auto& analysis : m_analyses) {
      if (analysis->info().id == id) return *analysis;
    }
    qFatal("no analysis %s", id.c_str());
  }

  /// With defaults for parameters that are not given.
  [[nodiscard]] Result<analysis::AnalysisResult> run(const std::string& id, const trace::TraceStore& store,
                                                     analysis::AnalysisParameters parameters = {},
                                                     std::stop_token stop = {}, trace::RunId run = 1) const {
    for (const auto& parameter : get(id).info().parameters)
      parameters.try_emplace(parameter.id, parameter.defaultValue);
    return get(id).run({store, {run}, std::move(parameters), std::nullopt, {}, {}, std::move(stop)});
  }

 private:
  std::vector<std::unique_ptr<analysis::Analysis>> m_analyses;
};

/// A number of the first row whose leading cells are `key`; NaN if it is empty. Fails if there is no such
/// row.
inline double numberIn(const analysis::AnalysisResult& result, std::string_view table,
                       const std::string& column, const std::vector<analysis::ResultCell>& key) {
  const analysis::ResultTable* found = result.table(table);
  if (found == nullptr) qFatal("no such table");
  const auto names = std::ranges::find(found->columns, column, &analysis::ResultColumn::name);
  if (names == found->columns.end()) qFatal("no column %s", column.c_str());
  const auto index = static_cast<std::size_t>(names - found->columns.begin());
  for (const auto& row : found->rows) {
    if (!std::equal(key.begin(), key.end(), row.begin())) continue;
    if (const auto* real = std::get_if<double>(&row[index])) return *real;
    if (const auto* whole = std::get_if<std::int64_t>(&row[index])) return static_cast<double>(*whole);
    return std::nan("");
  }
  qFatal("no such row in %s", std::string(table).c_str());
}

/// Every table fits its columns, every matrix its names, and the result says what it rests on.
inline void checkShape(const analysis::AnalysisResult& result) {
  for (const std::string* text : {&result.sample, &result.baseline, &result.interval})
    QVERIFY(!text->empty());
  QVERIFY(!result.tables.empty());
  for (const auto& table : result.tables) {
    for (const auto& row : table.rows) QCOMPARE(row.size(), table.columns.size());
  }
  for (const auto& matrix : result.matrices) {
    const std::size_t cells = matrix.rowNames.size() * matrix.columnNames.size();
    QCOMPARE(matrix.values.size(), cells);
    QVERIFY(matrix.low.empty() || matrix.low.size() == cells);
    QVERIFY(matrix.high.empty() || matrix.high.size() == cells);
  }
  const auto again = analysis::resultFromJson(toJson(result).dump());
  QVERIFY2(again.has_value(), again ? "" : again.error().text().c_str());
}

}  // namespace moescope::test
