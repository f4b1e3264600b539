#include "tests/unit/routing_vectors.h"

#include <QtGlobal>

#include <cmath>
#include <fstream>

#include <fmt/format.h>

namespace moescope::analysis::fixture {

namespace {

template <class T>
T must(Result<T> result) {
  if (!result) qFatal("%s", result.error().text().c_str());
  return std::move(*result);
}
void must(const Result<void>& result) {
  if (!result) qFatal("%s", result.error().text().c_str());
}

std::vector<int> decoded(const nlohmann::json& text, const std::string& codes) {
  std::vector<int> out;
  for (const char c : text.get<std::string>()) out.push_back(static_cast<int>(codes.find(c)));
  return out;
}

/// Records tokens [begin, end) in one step.
void record(trace::RunRecorder& recorder, const std::vector<trace::TokenRow>& rows,
            const std::vector<std::string>& words, const std::vector<std::vector<float>>& logits,
            const std::vector<std::vector<std::int32_t>>& choices, int width) {
  std::vector<std::string> bytes;
  for (const auto& row : rows) bytes.push_back(words[static_cast<std::size_t>(row.id)]);
  trace::RoutingBatch batch;
  batch.firstToken = must(recorder.appendTokens(rows, bytes));
  batch.count = static_cast<int>(rows.size());
  const std::vector<float> entropies(rows.size(), 1.0F);
  const std::vector<float> weights(rows.size() * static_cast<std::size_t>(width), 0.25F);
  batch.entropyAfter = entropies;
  for (std::size_t router = 0; router < choices.size(); ++router)
    batch.routers.push_back({width, logits[router], choices[router], weights, {}, {}});
  must(recorder.appendRouting(batch));
}

}  // namespace

VectorTrace::VectorTrace() {
  std::ifstream file(MOESCOPE_TEST_DATA "/analysis/routing_vectors.json");
  m_expected = nlohmann::json::parse(file);
  for (int layer = 0; layer < m_expected["layers"].get<int>(); ++layer) {
    RouterSpec router;
    router.layer = {layer};
    router.experts = m_expected["experts"];
    router.topK = m_expected["top_k"];
    m_routers.push_back(router);
  }
  create();
  for (std::size_t run = 0; run < m_expected["runs"].size(); ++run) addVectorRun(run);
}

VectorTrace::VectorTrace(std::vector<RouterSpec> routers) : m_routers(std::move(routers)) { create(); }

void VectorTrace::create() {
  m_store = must(trace::TraceStore::create(m_folder.filePath("vectors.moescope").toStdString()));
}

trace::RunId VectorTrace::startRun(trace::CaptureLevel capture, std::int64_t step) {
  trace::ModelRecord model;
  model.family = "olmoe";
  model.name = "vectors";
  model.weightsFingerprint = fmt::format("step {}", step);
  model.routers = m_routers;
  trace::RunRecord run;
  run.name = "vectors";
  run.kind = trace::RunKind::Corpus;
  run.capture = capture;
  run.checkpointLabel = fmt::format("step-{}", step);
  run.trainStep = step;
  m_recorder = must(m_store->startRun(model, run));
  m_runs.push_back(m_recorder->run());
  return m_runs.back();
}

void VectorTrace::addVectorRun(std::size_t run) {
  const std::string codes = m_expected["codes"];
  const auto words = m_expected["words"].get<std::vector<std::string>>();
  const auto ids = decoded(m_expected["ids"], codes);
  const auto predicted = decoded(m_expected["predicted"], codes);
  const auto scale = m_expected["logit_scale"].get<float>();
  std::vector<std::vector<int>> logits, choices;
  for (const auto& text : m_expected["runs"][run]["logits"]) logits.push_back(decoded(text, codes));
  for (const auto& text : m_expected["runs"][run]["choices"]) choices.push_back(decoded(text, codes));
  const auto experts = m_expected["experts"].get<std::size_t>();
  const auto width = m_expected["top_k"].get<std::size_t>();

  startRun(trace::CaptureLevel::Full, m_expected["steps"][run].get<std::int64_t>());
  std::size_t first = 0;
  for (std::size_t text = 0; text < m_expected["texts"].size(); ++text) {
    const auto length = m_expected["texts"][text]["length"].get<std::size_t>();
    const auto ordinal = m_recorder->beginSequence({static_cast<std::int64_t>(length),
                                                    fmt::format("text {}", text),
                                                    {{"label", m_expected["texts"][text]["label"]}}});
    std::vector<trace::TokenRow> rows;
    for (std::size_t t = first; t < first + length; ++t) {
      trace::TokenRow row;
      row.id = ids[t];
      row.sequence = ordinal;
      row.position = static_cast<std::int32_t>(t - first);
      row.logProb = -2.0F;
      // What was predicted at a place is the most probable there, not always listed first.
      const std::size_t best = t % 2;
      row.alternativeIds[best] = predicted[t];
      row.alternativeLogProbs[best] = -0.5F;
      row.alternativeIds[1 - best] = (predicted[t] + 1) % static_cast<std::int32_t>(words.size());
      row.alternativeLogProbs[1 - best] = -1.5F;
      rows.push_back(row);
    }
    std::vector<std::vector<float>> z;
    std::vector<std::vector<std::int32_t>> c;
    for (std::size_t router = 0; router < m_routers.size(); ++router) {
      auto& zs = z.emplace_back();
      for (std::size_t i = first * experts; i < (first + length) * experts; ++i)
        zs.push_back(scale * static_cast<float>(logits[router][i]));
      c.emplace_back(choices[router].begin() + static_cast<std::ptrdiff_t>(first * width),
                     choices[router].begin() + static_cast<std::ptrdiff_t>((first + length) * width));
    }
    record(*m_recorder, rows, words, z, c, static_cast<int>(width));
    must(m_recorder->endSequence(true));
    first += length;
  }
  must(m_recorder->end(trace::RunStatus::Closed));
  m_recorder.reset();
}

trace::RunId VectorTrace::addRun(const std::vector<SmallText>& texts, trace::CaptureLevel capture) {
  const std::vector<std::string> words{"a", "b", "1", " c", "\xE2", "e"};
  const trace::RunId run = startRun(capture, static_cast<std::int64_t>(m_runs.size()) * 10);
  for (std::size_t text = 0; text < texts.size(); ++text) {
    const SmallText& small = texts[text];
    std::vector<std::pair<std::string, std::string>> labels;
    if (!small.label.empty()) labels.emplace_back("label", small.label);
    const auto ordinal = m_recorder->beginSequence({0, fmt::format("text {}", text), labels});
    std::vector<trace::TokenRow> rows;
    for (const std::int32_t id : small.ids) {
      trace::TokenRow row;
      row.id = id;
      row.sequence = ordinal;
      row.position = static_cast<std::int32_t>(rows.size());
      rows.push_back(row);
    }
    std::vector<std::vector<float>> logits;
    std::vector<std::vector<std::int32_t>> choices;
    for (std::size_t router = 0; router < m_routers.size(); ++router) {
      logits.emplace_back(rows.size() * static_cast<std::size_t>(m_routers[router].experts), 0.5F);
      auto& all = choices.emplace_back();
      for (const auto& row : small.choices[router]) all.insert(all.end(), row.begin(), row.end());
    }
    if (!rows.empty()) record(*m_recorder, rows, words, logits, choices, m_routers.front().topK);
    must(m_recorder->endSequence(true));
  }
  must(m_recorder->end(trace::RunStatus::Closed));
  m_recorder.reset();
  return run;
}

Result<AnalysisResult> VectorTrace::run(const Analysis& analysis, const AnalysisParameters& given) const {
  const bool isSeries = analysis.info().scope == AnalysisScope::Series;
  return runOn(isSeries ? m_runs : std::vector{m_runs.back()}, analysis, given);
}

Result<AnalysisResult> VectorTrace::runOn(std::vector<trace::RunId> runs, const Analysis& analysis,
                                          const AnalysisParameters& given, std::stop_token stop) const {
  AnalysisParameters parameters;
  for (const ParameterInfo& info : analysis.info().parameters) parameters[info.id] = info.defaultValue;
  for (const auto& [id, value] : given) {
    if (!parameters.contains(id)) qFatal("there is no parameter %s", id.c_str());
    parameters[id] = value;
  }
  return analysis.run({*m_store, std::move(runs), parameters, std::nullopt, {}, {}, std::move(stop)});
}

namespace {

std::string textOf(const ResultCell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return std::to_string(*whole);
  if (const auto* value = std::get_if<double>(&cell)) return fmt::format("{}", *value);
  return "";
}

double numberOf(const ResultCell& cell) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
  if (const auto* value = std::get_if<double>(&cell)) return *value;
  return std::nan("");
}

std::size_t columnIndex(const ResultTable& table, const std::string& name) {
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    if (table.columns[c].name == name) return c;
  qFatal("there is no column %s", name.c_str());
}

}  // namespace

std::vector<double> column(const ResultTable& table, const std::string& name,
                           const std::vector<std::pair<std::string, std::string>>& where) {
  std::vector<double> out;
  for (const auto& row : table.rows) {
    bool fits = row.size() == table.columns.size();
    for (const auto& [key, value] : where) fits = fits && textOf(row[columnIndex(table, key)]) == value;
    if (fits) out.push_back(numberOf(row[columnIndex(table, name)]));
  }
  return out;
}

std::vector<double> flat(const nlohmann::json& values) {
  std::vector<double> out;
  if (!values.is_array()) return {values.is_null() ? std::nan("") : values.get<double>()};
  for (const auto& value : values) {
    const std::vector<double> part = flat(value);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

std::string difference(const std::vector<double>& actual, const std::vector<double>& expected,
                       double tolerance) {
  if (actual.size() != expected.size())
    return fmt::format("{} values instead of {}", actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const bool same = std::isnan(actual[i]) ? std::isnan(expected[i])
                                            : std::abs(actual[i] - expected[i]) <=
                                                  tolerance * std::max(1.0, std::abs(expected[i]));
    if (!same) return fmt::format("value {} is {} instead of {}", i, actual[i], expected[i]);
  }
  return "";
}

}  // namespace moescope::analysis::fixture
