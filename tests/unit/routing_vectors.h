// The seeded series of tests/data/analysis/routing_vectors.json as a trace, small traces for bad input, and
// analyses run as a host would. Not the values that are expected.
#pragma once

#include <QTemporaryDir>

#include <nlohmann/json.hpp>

#include "core/analysis/analysis.h"

namespace moescope::analysis::fixture {

/// A text of a small trace: token ids and, for each router, the chosen experts of each token.
struct SmallText {
  std::string label;  ///< empty: none
  std::vector<std::int32_t> ids;
  std::vector<std::vector<std::vector<std::int32_t>>> choices;  ///< [routers][tokens][k]
};

class VectorTrace {
 public:
  /// The vectors: one run a checkpoint, in order, capture full.
  VectorTrace();
  /// An empty trace for addRun().
  explicit VectorTrace(std::vector<RouterSpec> routers);

  trace::RunId addRun(const std::vector<SmallText>& texts, trace::CaptureLevel capture);

  [[nodiscard]] const nlohmann::json& expected() const { return m_expected; }
  [[nodiscard]] const trace::TraceStore& store() const { return *m_store; }
  [[nodiscard]] const std::vector<trace::RunId>& runs() const { return m_runs; }

  /// On the last run, or on all of them where the analysis is of a series.
  [[nodiscard]] Result<AnalysisResult> run(const Analysis& analysis,
                                           const AnalysisParameters& given = {}) const;
  [[nodiscard]] Result<AnalysisResult> runOn(std::vector<trace::RunId> runs, const Analysis& analysis,
                                             const AnalysisParameters& given = {},
                                             std::stop_token stop = {}) const;

 private:
  void create();
  void addVectorRun(std::size_t run);
  trace::RunId startRun(trace::CaptureLevel capture, std::int64_t step);

  QTemporaryDir m_folder;
  std::vector<RouterSpec> m_routers;
  std::shared_ptr<trace::TraceStore> m_store;
  std::unique_ptr<trace::RunRecorder> m_recorder;
  std::vector<trace::RunId> m_runs;
  nlohmann::json m_expected;
};

/// Values of a column in the rows where `where` (column = text of the cell) holds; NaN for empty cells.
std::vector<double> column(const ResultTable& table, const std::string& name,
                           const std::vector<std::pair<std::string, std::string>>& where = {});
/// A JSON list, nested or not, of numbers and nulls (NaN) in reading order.
std::vector<double> flat(const nlohmann::json& values);
/// Empty if equal within `tolerance` (NaN equals NaN), else what differs.
std::string difference(const std::vector<double>& actual, const std::vector<double>& expected,
                       double tolerance = 1e-12);

}  // namespace moescope::analysis::fixture
