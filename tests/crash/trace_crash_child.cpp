// Records without end until it is killed. Before each flush nothing is promised; after it a progress mark
// "TOKENS\n" is appended to a file and forced to disk. Usage: trace_crash_child TRACE MARKS SEED
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "core/trace/trace_store.h"

using namespace moescope;
using namespace moescope::trace;

namespace {

constexpr int kLayers = 4, kExperts = 16, kTopK = 2;

void mark(int file, std::int64_t tokens) {
  const std::string line = std::to_string(tokens) + "\n";
  if (::write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || ::fdatasync(file) != 0)
    std::exit(4);
}

/// What row `token` chose at `layer`, so that the test can check it.
std::int32_t chosen(std::int64_t token, int layer, int rank) {
  return static_cast<std::int32_t>((token * 7 + layer * 3 + rank * 5) % kExperts);
}

void appendStep(RunRecorder& recorder, std::int64_t first, int rows, std::int32_t sequence,
                std::int64_t begin) {
  const auto n = static_cast<std::size_t>(rows);
  std::vector<TokenRow> tokens(n);
  const std::vector<std::string> bytes(n, "t");
  for (std::size_t i = 0; i < n; ++i) {
    tokens[i].id = static_cast<std::int32_t>((first + static_cast<std::int64_t>(i)) % 1000);
    tokens[i].sequence = sequence;
    tokens[i].position = static_cast<std::int32_t>(first + static_cast<std::int64_t>(i) - begin);
  }
  if (!recorder.appendTokens(tokens, bytes)) std::exit(3);
  const std::vector<float> logits(n * kExperts, 0.5F), weights(n * kTopK, 0.25F), entropies(n, 1.0F);
  std::vector<std::vector<std::int32_t>> ids(kLayers);
  RoutingBatch batch;
  batch.firstToken = first;
  batch.count = rows;
  batch.entropyAfter = entropies;
  for (int layer = 0; layer < kLayers; ++layer) {
    auto& own = ids[static_cast<std::size_t>(layer)];
    for (int i = 0; i < rows; ++i) {
      for (int rank = 0; rank < kTopK; ++rank) own.push_back(chosen(first + i, layer, rank));
    }
    batch.routers.push_back({kTopK, logits, own, weights, {}, {}});
  }
  if (!recorder.appendRouting(batch)) std::exit(3);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int marks = ::open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
  StoreOptions options;
  options.commitIntervalMs = 5;
  auto store = TraceStore::create(argv[1], options);
  if (!store) return 3;
  ModelRecord model;
  model.routers.resize(kLayers);
  for (int layer = 0; layer < kLayers; ++layer) {
    model.routers[static_cast<std::size_t>(layer)].layer = LayerIndex{layer};
    model.routers[static_cast<std::size_t>(layer)].experts = kExperts;
    model.routers[static_cast<std::size_t>(layer)].topK = kTopK;
  }
  auto recorder = (*store)->startRun(model, {});
  if (!recorder) return 3;
  std::mt19937 random(static_cast<unsigned>(std::atoi(argv[3])));
  while (true) {
    const std::int64_t begin = (*recorder)->tokens();
    const std::int32_t sequence = (*recorder)->beginSequence({4, "hash", {{"label", "x"}}});
    for (int step = 0; step < 12; ++step) {
      appendStep(**recorder, (*recorder)->tokens(), 1 + static_cast<int>(random() % 40), sequence, begin);
      if (random() % 3 != 0) continue;
      if (!(*store)->flush()) return 3;
      mark(marks, (*recorder)->tokens());
    }
    if (!(*recorder)->endSequence(true)) return 3;
  }
}
