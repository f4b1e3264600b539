// A plug-in for tests: analyses that throw, that wait to be stopped, and that give every kind of cell.
// Not part of the program.
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "core/plugin/plugin_registry.h"

using namespace moescope;

namespace {

using analysis::AnalysisInfo;
using analysis::AnalysisInput;
using analysis::AnalysisResult;
using analysis::AnalysisScope;

class TestAnalysis : public analysis::Analysis {
 public:
  using Run = Result<AnalysisResult> (*)(const AnalysisInput&);
  TestAnalysis(AnalysisInfo info, Run function) : m_info(std::move(info)), m_run(function) {}
  [[nodiscard]] const AnalysisInfo& info() const override { return m_info; }
  [[nodiscard]] Result<AnalysisResult> run(const AnalysisInput& input) const override { return m_run(input); }

 private:
  AnalysisInfo m_info;
  Run m_run;
};

/// A row a run with its parameters, and a matrix with intervals and a cell that is undefined.
Result<AnalysisResult> cells(const AnalysisInput& input) {
  AnalysisResult result;
  result.sample = "test sample";
  result.baseline = "test baseline";
  result.interval = "test interval";
  result.notes = {"first note", "second note"};
  analysis::ResultTable table{
      "cells", "All kinds of cells", {{"run", ""}, {"text", ""}, {"value", "nat"}}, {}};
  for (const trace::RunId run : input.runs) {
    table.rows.push_back({std::int64_t{run}, input.parameters.at("text"), 0.25});
    table.rows.push_back({std::int64_t{-1}, std::monostate{}, std::nan("")});
  }
  result.tables.push_back(std::move(table));
  analysis::ResultMatrix matrix{"pairs",
                                "Pairs",
                                "Label",
                                "Expert",
                                "share",
                                "",
                                {"a,b", "c"},
                                {"0", "1"},
                                {0.5, -1e-7, std::nan(""), 3.0},
                                {0.25, -2.0, std::nan(""), 2.0},
                                {0.75, 1.0, std::nan(""), 4.0},
                                0.5};
  result.matrices.push_back(std::move(matrix));
  return result;
}

Result<AnalysisResult> throwing(const AnalysisInput&) { throw std::runtime_error("thrown on purpose"); }

Result<AnalysisResult> waiting(const AnalysisInput& input) {
  for (std::int64_t i = 0; !input.stop.stop_requested(); ++i) {
    input.progress({"Waiting", i, 0, "turns"});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return fail("cancelled", "", "", "stopped");
}

Result<AnalysisResult> ragged(const AnalysisInput&) {
  AnalysisResult result;
  result.tables.push_back({"ragged", "Ragged", {{"a", ""}, {"b", ""}}, {{1.0}}});
  return result;
}

/// How often it was called in this process.
Result<AnalysisResult> counts(const AnalysisInput&) {
  static std::int64_t calls = 0;
  AnalysisResult result;
  result.tables.push_back({"calls", "Calls", {{"calls", ""}}, {{++calls}}});
  return result;
}

class ThrowingExporter : public figure::Exporter {
 public:
  [[nodiscard]] const figure::ExporterInfo& info() const override { return m_info; }
  [[nodiscard]] Result<std::string> writeResult(const AnalysisResult&) const override { throw 42; }

 private:
  figure::ExporterInfo m_info{"test-export", "Test export", ".txt"};
};

void add(plugin::PluginRegistry& registry, const char* id, AnalysisScope scope, trace::CaptureLevel needs,
         TestAnalysis::Run function, const char* summary = "For tests") {
  AnalysisInfo info{id, std::string("Test ") + id, summary, scope, needs, {{"text", "as is", "any text"}}};
  registry.add(std::make_unique<TestAnalysis>(std::move(info), function));
}

}  // namespace

MOESCOPE_PLUGIN(test_plugin) {
  add(registry, "test-cells", AnalysisScope::Run, trace::CaptureLevel::Ids, cells);
  add(registry, "test-full", AnalysisScope::Run, trace::CaptureLevel::Full, cells);
  add(registry, "test-series", AnalysisScope::Series, trace::CaptureLevel::Ids, cells);
  add(registry, "test-weights", AnalysisScope::Checkpoint, trace::CaptureLevel::None, cells);
  add(registry, "test-throws", AnalysisScope::Run, trace::CaptureLevel::Ids, throwing);
  add(registry, "test-waits", AnalysisScope::Run, trace::CaptureLevel::Ids, waiting);
  add(registry, "test-ragged", AnalysisScope::Run, trace::CaptureLevel::Ids, ragged);
  add(registry, "test-counts", AnalysisScope::Run, trace::CaptureLevel::Ids, counts, "Turns \x1b[31mred");
  registry.add(std::make_unique<ThrowingExporter>());
}
