// Runs of made-up texts in a trace, and the analyses of a series over them through the plug-ins' entry
// functions.
#pragma once

#include <QTemporaryDir>
#include <QTest>

#include <memory>

#include "core/plugin/plugin_registry.h"
#include "core/trace/trace_store.h"

namespace moescope::analysis::series_fixture {

inline constexpr int kLayers = 2, kExperts = 6, kTopK = 2, kTokens = 40;

template <class T>
T must(Result<T> result) {
  if (!result) qFatal("%s", result.error().text().c_str());
  return std::move(*result);
}
inline void must(const Result<void>& result) {
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

double number(const AnalysisResult& result, const std::string& id, std::size_t row,
              const std::string& column);
bool mentions(const AnalysisResult& result, const std::string& words);

class Registry final : public plugin::PluginRegistry {
 public:
  void add(std::unique_ptr<Analysis> analysis) override { m_analyses.push_back(std::move(analysis)); }
  void add(std::unique_ptr<figure::Exporter>) override {}
  void add(std::unique_ptr<plugin::ViewPart>) override {}
  void add(std::unique_ptr<checkpoint::ModelAdapter>) override {}
  [[nodiscard]] const Analysis& only() const {
    if (m_analyses.size() != 1) qFatal("not one analysis");
    return *m_analyses[0];
  }

 private:
  std::vector<std::unique_ptr<Analysis>> m_analyses;
};

/// A new trace for every test, and both analyses.
class SeriesTest : public QObject {
 protected:
  SeriesTest();
  std::vector<Recorded> record(const std::vector<RunShape>& shapes);
  static std::vector<trace::RunId> ids(const std::vector<Recorded>& runs);
  Result<AnalysisResult> run(const Registry& registry, std::vector<trace::RunId> runs,
                             AnalysisParameters parameters, int* partials = nullptr);
  static std::string kindOf(const Result<AnalysisResult>& result) {
    return result ? "" : result.error().kind;
  }

  void openTrace();
  void closeTrace();

  std::unique_ptr<QTemporaryDir> m_folder;
  std::shared_ptr<trace::TraceStore> m_store;
  Registry m_fit, m_balance;
};

}  // namespace moescope::analysis::series_fixture
