// The series in the shipped demo trace against what was measured while its checkpoints were trained
// (resources/demo/SERIES.md says why the two are close and not equal).
#include <QTest>

#include <cmath>
#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

#include "core/trace/trace_store.h"

using namespace moescope;
using namespace moescope::trace;

namespace {

std::shared_ptr<TraceStore> demo() {
  static const auto store = TraceStore::open(MOESCOPE_RESOURCES "/demo/demo.moescope", OpenMode::ReadOnly);
  if (!store) qFatal("%s", store.error().text().c_str());
  return *store;
}

nlohmann::json training() {
  std::ifstream file(MOESCOPE_TEST_DATA "/series/demo_training.json");
  return nlohmann::json::parse(file)["snapshots"];
}

/// Mean over the labels of their mean loss, nat a token.
double lossOf(RunId run) {
  std::map<std::int32_t, std::string> labels;
  for (const auto& sequence : demo()->sequences(run)) {
    for (const auto& [key, value] : sequence.labels) {
      if (key == "label") labels[sequence.ordinal] = value;
    }
  }
  std::map<std::string, std::pair<double, int>> sums;
  for (std::int64_t b = 0; b * kBlockTokens < demo()->run(run)->tokens; ++b) {
    const auto block = demo()->tokenBlock(run, b);
    for (std::size_t i = 0; i < block->logProbs.size(); ++i) {
      if (std::isnan(block->logProbs[i])) continue;
      auto& [sum, count] = sums[labels[block->sequences[i]]];
      sum -= block->logProbs[i];
      ++count;
    }
  }
  double mean = 0;
  for (const auto& [label, sum] : sums) mean += sum.first / sum.second / static_cast<double>(sums.size());
  return mean;
}

double loadEntropyOf(RunId run, int router) {
  const auto load = demo()->load(run, router, {0, demo()->run(run)->tokens});
  double total = 0;
  for (const auto count : load.counts) total += static_cast<double>(count);
  double entropy = 0;
  for (const auto count : load.counts) {
    const double share = static_cast<double>(count) / total;
    if (share > 0) entropy -= share * std::log(share);
  }
  return entropy / std::log(static_cast<double>(load.counts.size()));
}

}  // namespace

class TestDemoSeries : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void theFirstRunIsTheCorpus() {
    const auto runs = demo()->runs();
    QCOMPARE(runs.size(), std::size_t{13});
    QCOMPARE(runs[0].capture, CaptureLevel::Weights);
    QVERIFY(!runs[0].trainStep);
  }

  void twelveRunsOfTheSameTexts() {
    const auto all = demo()->allSeries();
    QCOMPARE(all.size(), std::size_t{1});
    QCOMPARE(all[0].runs.size(), std::size_t{12});
    const auto snapshots = training();
    const auto first = demo()->sequences(all[0].runs[0]);
    QVERIFY(first.size() >= 40);
    for (std::size_t i = 0; i < 12; ++i) {
      const auto run = *demo()->run(all[0].runs[i]);
      QCOMPARE(*run.trainStep, snapshots[i]["step"].get<std::int64_t>());
      QCOMPARE(*run.trainTokens, snapshots[i]["tokens_seen"].get<std::int64_t>());
      QCOMPARE(run.status, RunStatus::Closed);
      QCOMPARE(run.capture, CaptureLevel::Ids);
      const auto sequences = demo()->sequences(run.id);
      QCOMPARE(sequences.size(), first.size());
      for (std::size_t s = 0; s < first.size(); ++s) {
        QCOMPARE(sequences[s].textHash, first[s].textHash);
        QCOMPARE(sequences[s].length, first[s].length);
        QVERIFY(demo()->sequenceStats(run.id, 5, first[s].ordinal)->logitTokens > 0);
      }
    }
  }

  void lossesAreCloseToThoseOfTheTraining() {
    const auto runs = demo()->allSeries()[0].runs;
    const auto snapshots = training();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const double difference = lossOf(runs[i]) - snapshots[i]["validation_loss"].get<double>();
      QVERIFY2(difference > -0.1 && difference < 0.3, std::to_string(difference).c_str());
    }
  }

  void loadEntropiesAreCloseToThoseOfTheTraining() {
    const auto runs = demo()->allSeries()[0].runs;
    const auto snapshots = training();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const bool early = snapshots[i]["step"].get<int>() < 32;
      for (int layer = 0; layer < 6; ++layer) {
        const double wanted = snapshots[i]["load_entropy_by_layer"][static_cast<std::size_t>(layer)];
        const double difference = std::abs(loadEntropyOf(runs[i], layer) - wanted);
        const double tolerance = !early ? 0.03 : layer < 4 ? 0.04 : 0.14;
        QVERIFY2(difference < tolerance, std::to_string(difference).c_str());
      }
    }
  }
};

QTEST_APPLESS_MAIN(TestDemoSeries)
#include "tst_demo_series.moc"
