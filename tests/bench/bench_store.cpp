// Routing decisions a second from the builder to disk, with 16 layers of top-8 of 64. Prints; asserts nothing.
// Usage: bench_store [SECONDS] [FOLDER]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "core/trace/trace_store.h"

using namespace moescope;
using namespace moescope::trace;

namespace {

constexpr int kLayers = 16, kExperts = 64, kTopK = 8;

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

void measure(CaptureLevel capture, int rows, double seconds, const std::filesystem::path& folder) {
  using Clock = std::chrono::steady_clock;
  const auto path = folder / ("bench_" + std::string(name(capture)) + ".moescope");
  std::filesystem::remove(path);
  auto store = TraceStore::create(path);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().text().c_str());
    std::exit(1);
  }
  ModelRecord model;
  model.routers.resize(kLayers);
  for (int layer = 0; layer < kLayers; ++layer) {
    model.routers[static_cast<std::size_t>(layer)].layer = LayerIndex{layer};
    model.routers[static_cast<std::size_t>(layer)].experts = kExperts;
    model.routers[static_cast<std::size_t>(layer)].topK = kTopK;
  }
  RunRecord run;
  run.capture = capture;
  auto recorder = (*store)->startRun(model, run);
  Step step = makeStep(rows);
  RoutingBatch batch;
  batch.count = rows;
  batch.entropyAfter = step.entropies;
  batch.routers.assign(kLayers, {kTopK, step.logits, step.ids, step.weights, {}, {}});
  const auto start = Clock::now();
  std::int64_t tokens = 0;
  std::int32_t sequence = -1;
  double appending = 0.0;
  while (std::chrono::duration<double>(Clock::now() - start).count() < seconds) {
    if (tokens % 1024 < rows) {
      if (sequence >= 0) (void)(*recorder)->endSequence(true);
      sequence = (*recorder)->beginSequence({});
      for (TokenRow& token : step.tokens) token.sequence = sequence;
    }
    const auto before = Clock::now();
    batch.firstToken = *(*recorder)->appendTokens(step.tokens, step.bytes);
    (void)(*recorder)->appendRouting(batch);
    appending += std::chrono::duration<double>(Clock::now() - before).count();
    tokens += rows;
  }
  (void)(*recorder)->end(RunStatus::Closed);
  recorder->reset();
  (void)(*store)->close();
  const double wall = std::chrono::duration<double>(Clock::now() - start).count();
  const double decisions = static_cast<double>(tokens) * kLayers * kTopK;
  std::printf("%-8s step %4d: %6.1f M decisions/s to a closed file, %5.1f us/token appending, %5.2f bytes/decision\n",
              std::string(name(capture)).c_str(), rows, decisions / wall / 1e6,
              appending / static_cast<double>(tokens) * 1e6,
              static_cast<double>(std::filesystem::file_size(path)) / decisions);
  std::filesystem::remove(path);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3.0;
  const std::filesystem::path folder = argc > 2 ? argv[2] : std::filesystem::temp_directory_path().string();
  for (const CaptureLevel capture : {CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full}) {
    for (const int rows : {1, 256}) measure(capture, rows, seconds, folder);
  }
}
