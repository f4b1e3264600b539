#include <unistd.h>

#include <filesystem>
#include <random>
#include <vector>

#include <fmt/format.h>

#include "app/bench/bench.h"
#include "app/bench/measure.h"
#include "core/trace/trace_store.h"

namespace moescope::bench {

namespace {

using nlohmann::ordered_json;
using namespace trace;

constexpr int kLayers = 16, kExperts = 64, kTopK = 8;
constexpr int kSequenceTokens = 1024;
constexpr std::int64_t kTokens = std::int64_t{128} * 1024;  // 17 million decisions, a second or so

/// One step's columns, drawn once and appended again and again.
struct Step {
  std::vector<float> logits, weights, entropies;
  std::vector<std::int32_t> ids;
  std::vector<TokenRow> tokens;
  std::vector<std::string> bytes;
};

Step makeStep(int rows) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.0F, 2.0F);
  Step step;
  const auto n = static_cast<std::size_t>(rows);
  for (std::size_t i = 0; i < n * kExperts; ++i) step.logits.push_back(normal(random));
  for (std::size_t i = 0; i < n * kTopK; ++i) {
    step.ids.push_back(static_cast<std::int32_t>((i * 7 + i / kTopK) % kExperts));
    step.weights.push_back(static_cast<float>(random() % 1000) / 1000.0F);
  }
  step.entropies.assign(n, 1.5F);
  step.tokens.resize(n);
  for (std::size_t i = 0; i < n; ++i) step.tokens[i].id = static_cast<std::int32_t>(i);
  step.bytes.assign(n, "token");
  return step;
}

ModelRecord syntheticModel() {
  ModelRecord model;
  model.routers.resize(kLayers);
  for (int layer = 0; layer < kLayers; ++layer) {
    RouterSpec& router = model.routers[static_cast<std::size_t>(layer)];
    router.layer = LayerIndex{layer};
    router.experts = kExperts;
    router.topK = kTopK;
  }
  return model;
}

Result<void> append(RunRecorder& recorder, Step& step, const std::stop_token& stop) {
  const auto rows = static_cast<int>(step.tokens.size());
  RoutingBatch batch;
  batch.count = rows;
  batch.entropyAfter = step.entropies;
  batch.routers.assign(kLayers, {kTopK, step.logits, step.ids, step.weights, {}, {}});
  for (std::int64_t token = 0; token < kTokens; token += rows) {
    if (token % kSequenceTokens == 0) {
      if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
      if (token > 0) {
        if (auto ended = recorder.endSequence(true); !ended) return ended;
      }
      const std::int32_t sequence = recorder.beginSequence({});
      for (TokenRow& row : step.tokens) row.sequence = sequence;
    }
    auto first = recorder.appendTokens(step.tokens, step.bytes);
    if (!first) return fail(first.error());
    batch.firstToken = *first;
    if (auto routed = recorder.appendRouting(batch); !routed) return routed;
  }
  if (auto ended = recorder.endSequence(true); !ended) return ended;
  return recorder.end(RunStatus::Closed);
}

struct Sample {
  double wallSeconds = 0.0, cpuSeconds = 0.0;
  double bytes = 0.0;
};

/// From the first row to the closed file.
Result<Sample> measure(CaptureLevel capture, int rows, const std::stop_token& stop) {
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("moescope-bench-{}.moescope", ::getpid());
  std::filesystem::remove(path);
  auto store = TraceStore::create(path);
  if (!store) return fail(store.error());
  RunRecord run;
  run.capture = capture;
  Step step = makeStep(rows);
  Result<void> done;
  Sample sample;
  const double cpuBefore = processSeconds();
  sample.wallSeconds = secondsOf([&] {
    auto recorder = (*store)->startRun(syntheticModel(), run);
    done = recorder ? append(**recorder, step, stop) : fail(recorder.error());
    if (recorder) recorder->reset();
    const auto closed = (*store)->close();
    if (done && !closed) done = fail(closed.error());
  });
  sample.cpuSeconds = processSeconds() - cpuBefore;
  std::error_code ignored;
  sample.bytes = static_cast<double>(std::filesystem::file_size(path, ignored));
  std::filesystem::remove(path, ignored);
  if (!done) return fail(done.error());
  return sample;
}

}  // namespace

Result<ordered_json> benchStore(const BenchOptions& options) {
  constexpr double kDecisions = static_cast<double>(kTokens) * kLayers * kTopK;
  ordered_json result{{"bench", "store"},
                      {"machine", machineLine()},
                      {"routers", kLayers},
                      {"experts", kExperts},
                      {"top_k", kTopK},
                      {"tokens", kTokens},
                      {"unit", "routing decisions a second, from the builder to the closed file"}};
  for (const CaptureLevel capture : {CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full}) {
    for (const int rows : {1, kBlockTokens}) {
      std::vector<double> rates, cpuRates;
      double bytes = 0.0;
      for (int repetition = 0; repetition <= options.repetitions; ++repetition) {
        const auto sample = measure(capture, rows, options.stop);
        if (!sample) return fail(sample.error());
        bytes = sample->bytes;
        if (repetition == 0) continue;  // the first one warms up
        rates.push_back(kDecisions / sample->wallSeconds);
        cpuRates.push_back(kDecisions / sample->cpuSeconds);
      }
      const auto interval = medianInterval(rates);
      result["capture"][std::string(trace::name(capture))][fmt::format("step_{}", rows)] = {
          {"decisions_per_second", interval.median},
          {"low", interval.low},
          {"high", interval.high},
          {"decisions_per_cpu_second", median(cpuRates)},  // of all threads: independent of other load
          {"bytes_per_decision", bytes / kDecisions}};
    }
  }
  return result;
}

}  // namespace moescope::bench
