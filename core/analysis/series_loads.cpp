#include "core/analysis/series_loads.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

using trace::SequenceRecord;

/// The same text at the same place of its run of windows has the same key in every run.
std::vector<std::pair<std::string, SequenceRecord>> keyedSequences(const trace::TraceStore& store,
                                                                   trace::RunId run) {
  std::vector<std::pair<std::string, SequenceRecord>> out;
  std::unordered_map<std::string, int> seen;
  for (SequenceRecord& sequence : store.sequences(run)) {
    const int occurrence = seen[sequence.textHash]++;
    if (!sequence.complete) continue;
    std::string key = fmt::format("{}#{}", sequence.textHash, occurrence);
    out.emplace_back(std::move(key), std::move(sequence));
  }
  return out;
}

bool sameRouters(std::vector<RouterSpec> a, std::vector<RouterSpec> b) {
  // The bias is trained like a weight.
  for (auto* routers : {&a, &b}) {
    for (RouterSpec& router : *routers) router.selectionBias.clear();
  }
  return a == b;
}

bool allFinite(const trace::SequenceStats& stats) {
  const auto finite = [](const std::vector<double>& v) {
    return std::ranges::all_of(v, [](double x) { return std::isfinite(x); });
  };
  return finite(stats.gateMass) && finite(stats.logitSum) && finite(stats.probabilitySum);
}

bool isUsable(const std::optional<trace::SequenceStats>& stats, int experts) {
  const auto size = static_cast<std::size_t>(experts);
  return stats && stats->tokens > 0 && stats->counts.size() == size && stats->gateMass.size() == size &&
         stats->logitSum.size() == size && stats->probabilitySum.size() == size &&
         stats->massTokens == stats->tokens && stats->logitTokens == stats->tokens && allFinite(*stats);
}

void add(RouterLoads& loads, std::size_t unit, const trace::SequenceStats& stats) {
  const auto experts = static_cast<std::size_t>(loads.experts);
  loads.tokens[unit] += static_cast<double>(stats.tokens);
  for (std::size_t e = 0; e < experts; ++e) {
    const std::size_t cell = unit * experts + e;
    loads.counts[cell] += static_cast<double>(stats.counts[e]);
    loads.logitSum[cell] += stats.logitSum[e];
    loads.probabilitySum[cell] += stats.probabilitySum[e];
    loads.gateMass[cell] += stats.gateMass[e];
  }
}

class SeriesReader {
 public:
  SeriesReader(const trace::TraceStore& store, const std::vector<trace::RunId>& runs,
               const SeriesReading& reading)
      : m_store(store), m_runs(runs), m_reading(reading) {}

  Result<SeriesLoads> read() {
    if (auto done = readRecords(); !done) return fail(done.error());
    if (auto done = matchTexts(); !done) return fail(done.error());
    for (const auto& record : m_records) {
      if (auto done = readPoint(record); !done) return fail(done.error());
    }
    describe();
    return std::move(m_series);
  }

 private:
  Result<void> readRecords();
  Result<void> matchTexts();
  Result<void> readPoint(const trace::RunRecord& record);
  bool readRouter(SeriesPoint& point, std::size_t router, std::span<const SequenceRecord> sequences);
  bool readLosses(SeriesPoint& point, const trace::RunRecord& record);
  void describe();
  [[nodiscard]] std::string file() const { return m_store.path().string(); }

  const trace::TraceStore& m_store;
  const std::vector<trace::RunId>& m_runs;
  const SeriesReading& m_reading;
  std::vector<trace::RunRecord> m_records;
  std::vector<std::string> m_keys;  // of the texts that all runs have
  ResamplingUnits m_units;          // [keys]
  SeriesLoads m_series;
  std::size_t m_dropped = 0;  // finished sequences of any run that another lacks
  int m_unusable = 0;
};

Result<void> SeriesReader::readRecords() {
  std::optional<trace::ModelRecord> firstModel;
  for (const trace::RunId id : m_runs) {
    auto record = m_store.run(id);
    if (!record) return fail("trace.no_such_run", file(), "", fmt::format("there is no run {}", id));
    const std::string where = fmt::format("run {}", id);
    if (record->capture == trace::CaptureLevel::None) {
      return fail("analysis.not_recorded", file(), where, "the run was recorded without routing",
                  "record it again with capture ids or more");
    }
    const auto model = m_store.model(record->model);
    auto routers = m_store.routers(id);
    for (RouterSpec& router : routers) {
      for (const float bias : router.selectionBias)
        m_series.largestBias = std::max(m_series.largestBias, std::abs(static_cast<double>(bias)));
      router.selectionBias.clear();
    }
    if (m_records.empty()) {
      m_series.routers = std::move(routers);
      firstModel = model;
    } else if (!sameRouters(m_series.routers, routers) ||
               (model && firstModel && model->tokenizerHash != firstModel->tokenizerHash)) {
      return fail("analysis.mixed_models", file(), where,
                  fmt::format("its routers or its tokenizer differ from those of run {}", m_records[0].id),
                  "choose checkpoints of one model");
    }
    m_records.push_back(*std::move(record));
  }
  return {};
}

Result<void> SeriesReader::matchTexts() {
  std::vector<SequenceRecord> kept;
  std::unordered_set<std::string> known;
  for (std::size_t r = 0; r < m_records.size(); ++r) {
    auto sequences = keyedSequences(m_store, m_records[r].id);
    for (const auto& keyed : sequences) known.insert(keyed.first);
    if (r == 0) {
      for (auto& [key, sequence] : sequences) {
        m_keys.push_back(key);
        kept.push_back(std::move(sequence));
      }
      continue;
    }
    std::unordered_set<std::string> present;
    for (const auto& keyed : sequences) present.insert(keyed.first);
    std::size_t to = 0;
    for (std::size_t i = 0; i < m_keys.size(); ++i) {
      if (!present.contains(m_keys[i])) continue;
      if (to != i) {
        m_keys[to] = std::move(m_keys[i]);
        kept[to] = std::move(kept[i]);
      }
      ++to;
    }
    m_keys.resize(to);
    kept.resize(to);
  }
  m_dropped = known.size() - m_keys.size();
  if (m_keys.empty()) {
    return fail(
        "analysis.no_texts", file(), m_records.size() == 1 ? fmt::format("run {}", m_records[0].id) : "",
        m_records.size() == 1 ? "the run has no finished text" : "the runs have no finished text in common",
        "record a corpus, the same for every checkpoint");
  }
  m_units = resamplingUnits(kept);
  m_series.texts = m_units.units;
  m_series.drawn = m_units.description();
  return {};
}

bool SeriesReader::readRouter(SeriesPoint& point, std::size_t router,
                              std::span<const SequenceRecord> sequences) {
  const int experts = m_series.routers[router].experts;
  RouterLoads loads(experts, m_series.texts);
  for (const SequenceRecord& sequence : sequences) {
    if (m_reading.stop.stop_requested()) return false;
    const int unit = point.unitOf[static_cast<std::size_t>(sequence.ordinal)];
    if (unit < 0) continue;
    const auto stats = m_store.sequenceStats(point.run, static_cast<int>(router), sequence.ordinal);
    if (isUsable(stats, experts)) {
      add(loads, static_cast<std::size_t>(unit), *stats);
    } else {
      ++m_unusable;
    }
  }
  point.routers.push_back(std::move(loads));
  return true;
}

/// Tokens without a finite log-probability (the first of a text, rows lost to damage) are left out.
bool SeriesReader::readLosses(SeriesPoint& point, const trace::RunRecord& record) {
  point.lossSum.assign(static_cast<std::size_t>(m_series.texts), 0.0);
  point.lossTokens = point.lossSum;
  const std::int64_t blocks = (record.tokens + trace::kBlockTokens - 1) / trace::kBlockTokens;
  for (std::int64_t b = 0; b < blocks; ++b) {
    if (m_reading.stop.stop_requested()) return false;
    const auto block = m_store.tokenBlock(record.id, b);
    if (!block || block->damaged) continue;
    for (std::size_t i = 0; i < static_cast<std::size_t>(block->count); ++i) {
      const auto sequence = static_cast<std::size_t>(block->sequences[i]);
      if (sequence >= point.unitOf.size() || point.unitOf[sequence] < 0) continue;
      if (!std::isfinite(block->logProbs[i])) continue;
      const auto unit = static_cast<std::size_t>(point.unitOf[sequence]);
      point.lossSum[unit] -= static_cast<double>(block->logProbs[i]);
      point.lossTokens[unit] += 1.0;
    }
  }
  return true;
}

Result<void> SeriesReader::readPoint(const trace::RunRecord& record) {
  std::unordered_map<std::string, int> unitOfKey;
  for (std::size_t i = 0; i < m_keys.size(); ++i) unitOfKey.emplace(m_keys[i], m_units.unitOf[i]);
  SeriesPoint point;
  point.run = record.id;
  point.checkpoint = record.checkpointLabel.empty() ? record.name : record.checkpointLabel;
  point.step = record.trainStep;
  point.trainTokens = record.trainTokens;
  point.hasLogits = record.capture == trace::CaptureLevel::Full;
  std::vector<SequenceRecord> sequences;
  for (auto& [key, sequence] : keyedSequences(m_store, record.id)) {
    const auto ordinal = static_cast<std::size_t>(sequence.ordinal);
    if (point.unitOf.size() <= ordinal) point.unitOf.resize(ordinal + 1, -1);
    const auto found = unitOfKey.find(key);
    if (found == unitOfKey.end()) continue;
    point.unitOf[ordinal] = found->second;
    sequences.push_back(std::move(sequence));
  }
  for (std::size_t r = 0; r < m_series.routers.size(); ++r) {
    if (!readRouter(point, r, sequences)) return fail("cancelled", "", "", "cancelled");
  }
  if (m_reading.losses && !readLosses(point, record)) return fail("cancelled", "", "", "cancelled");
  m_series.points.push_back(std::move(point));
  if (m_reading.progress) {
    m_reading.progress({"Reading runs", static_cast<std::int64_t>(m_series.points.size()),
                        static_cast<std::int64_t>(m_runs.size()), "runs"});
  }
  return {};
}

void SeriesReader::describe() {
  double tokens = 0.0;
  if (!m_series.routers.empty()) {
    for (const double n : m_series.points[0].routers[0].tokens) tokens += n;
  }
  auto capture = trace::CaptureLevel::Full;
  for (const auto& record : m_records) capture = std::min(capture, record.capture);
  const std::string runs =
      m_records.size() == 1
          ? fmt::format("run {} “{}”", m_records[0].id, m_records[0].name)
          : fmt::format("{} runs, {} to {}", m_records.size(), m_records.front().id, m_records.back().id);
  m_series.sample = fmt::format("{}, {} tokens{}, {}, capture {}", runs, static_cast<std::int64_t>(tokens),
                                m_records.size() == 1 ? "" : " each", m_series.drawn, name(capture));
  if (m_units.windows) {
    m_series.notes.push_back(fmt::format(
        "Fewer than {} texts: their windows are resampled, so intervals leave out what texts differ by.",
        kFewTexts));
  }
  if (m_dropped > 0) {
    m_series.notes.push_back(fmt::format("{} window{} not in every run and left out.", m_dropped,
                                         m_dropped == 1 ? " is" : "s are"));
  }
  if (m_unusable > 0) {
    m_series.notes.push_back(fmt::format(
        "{} sums over a window and a layer are missing, incomplete or not finite and were left out.",
        m_unusable));
  }
  std::map<std::int64_t, int> steps;
  for (const SeriesPoint& point : m_series.points) {
    if (point.step && ++steps[*point.step] == 2)
      m_series.notes.push_back(fmt::format("Several runs have the training step {}.", *point.step));
  }
}

}  // namespace

RouterLoads::RouterLoads(int expertCount, int textCount) : experts(expertCount), texts(textCount) {
  const auto cells = static_cast<std::size_t>(expertCount) * static_cast<std::size_t>(textCount);
  tokens.assign(static_cast<std::size_t>(textCount), 0.0);
  for (auto* column : {&counts, &logitSum, &probabilitySum, &gateMass}) column->assign(cells, 0.0);
}

Result<SeriesLoads> readSeries(const trace::TraceStore& store, const std::vector<trace::RunId>& runs,
                               const SeriesReading& reading) {
  if (runs.empty()) {
    return fail("analysis.too_few_runs", store.path().string(), "", "no run was chosen",
                "choose a run or a series");
  }
  return SeriesReader(store, runs, reading).read();
}

}  // namespace moescope::analysis
