#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <random>
#include <vector>

#include <fmt/format.h>

#include "app/bench/bench.h"
#include "app/bench/measure.h"
#include "app/plugins.h"
#include "core/plugin/analysis_runner.h"

namespace moescope::bench {

namespace {

using nlohmann::ordered_json;
using namespace trace;

constexpr int kLayers = 16, kExperts = 64, kTopK = 8, kLabels = 11;
constexpr std::int64_t kSequenceTokens = 1024;
constexpr int kPasses = 3;
/// What co-activation may take on two processors for a recording of this size.
constexpr double kBarTokens = 1e7, kMostSeconds = 8.0;

/// Choices of one block and one router: a label prefers an eighth of the experts.
std::vector<std::int32_t> drawnChoices(std::mt19937_64& random, int label) {
  std::vector<std::int32_t> ids;
  std::array<std::int32_t, kExperts> experts{};
  for (int e = 0; e < kExperts; ++e) experts[static_cast<std::size_t>(e)] = e;
  for (int row = 0; row < kBlockTokens; ++row) {
    for (std::size_t rank = 0; rank < kTopK; ++rank) {
      const bool prefers = rank == 0 && random() % 2 == 0;
      const std::size_t drawn = rank + random() % (kExperts - rank);
      std::swap(experts[rank], experts[drawn]);
      if (!prefers) continue;
      const auto wanted = static_cast<std::int32_t>((label * 5 + static_cast<int>(random() % 8)) % kExperts);
      std::swap(experts[0], *std::find(experts.begin(), experts.end(), wanted));
    }
    ids.insert(ids.end(), experts.begin(), experts.begin() + kTopK);
  }
  return ids;
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

/// Texts of 1024 tokens with eleven labels; a text draws its choices from those of its label.
Result<void> append(RunRecorder& recorder, std::int64_t tokens, const std::stop_token& stop) {
  std::mt19937_64 random(3);
  std::vector<std::vector<std::int32_t>> choices;
  choices.reserve(std::size_t{kLabels} * kLayers);
  for (int i = 0; i < kLabels * kLayers; ++i) choices.push_back(drawnChoices(random, i % kLabels));
  const std::vector<float> entropies(kBlockTokens, 1.5F);
  const std::vector<float> logits(std::size_t{kBlockTokens} * kExperts);
  const std::vector<float> weights(std::size_t{kBlockTokens} * kTopK, 1.0F / kTopK);
  const std::vector<std::string> bytes(kBlockTokens, "token");
  std::vector<TokenRow> rows(kBlockTokens);
  RoutingBatch batch;
  batch.count = kBlockTokens;
  batch.entropyAfter = entropies;
  for (std::int64_t token = 0, text = -1; token < tokens; token += kBlockTokens) {
    if (token % kSequenceTokens == 0) {
      if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
      if (token > 0) {
        if (auto ended = recorder.endSequence(true); !ended) return ended;
      }
      ++text;
      const auto sequence = recorder.beginSequence(
          {0, fmt::format("text {}", text), {{"label", fmt::format("label {}", text % kLabels)}}});
      for (TokenRow& row : rows) row.sequence = sequence;
    }
    for (TokenRow& row : rows) row.id = static_cast<std::int32_t>(random() % 4096);
    batch.routers.clear();
    for (int layer = 0; layer < kLayers; ++layer) {
      const auto& ids = choices[static_cast<std::size_t>(std::int64_t{layer} * kLabels + text % kLabels)];
      batch.routers.push_back({kTopK, logits, ids, weights, {}, {}});
    }
    auto first = recorder.appendTokens(rows, bytes);
    if (!first) return fail(first.error());
    batch.firstToken = *first;
    if (auto routed = recorder.appendRouting(batch); !routed) return routed;
  }
  if (auto ended = recorder.endSequence(true); !ended) return ended;
  return recorder.end(RunStatus::Closed);
}

Result<void> writeTrace(const std::filesystem::path& path, std::int64_t tokens, const std::stop_token& stop) {
  auto store = TraceStore::create(path);
  if (!store) return fail(store.error());
  RunRecord run;
  run.kind = RunKind::Corpus;
  run.capture = CaptureLevel::Ids;
  auto recorder = (*store)->startRun(syntheticModel(), run);
  if (!recorder) return fail(recorder.error());
  auto done = append(**recorder, tokens, stop);
  recorder->reset();
  const auto closed = (*store)->close();
  return done ? closed : done;
}

Result<ordered_json> measure(TraceStore& store, const std::string& analysis, double tokens,
                             const std::stop_token& stop) {
  std::vector<double> seconds, processor;
  for (int pass = 0; pass < kPasses; ++pass) {
    Result<analysis::AnalysisResult> result;
    const double before = processSeconds();
    seconds.push_back(secondsOf([&] {
      // The file is open for reading only, so that no result is kept and found again.
      result = plugin::runAnalysis(app::plugins(), store, {.analysis = analysis}, {{}, {}, stop});
    }));
    if (!result) return fail(result.error());
    processor.push_back(processSeconds() - before);
  }
  return ordered_json{{"seconds", median(seconds)},
                      {"processor_seconds", median(processor)},
                      {"tokens_per_second", tokens / median(seconds)}};
}

}  // namespace

Result<ordered_json> benchAnalyses(const BenchOptions& options) {
  const std::int64_t tokens = (options.traceTokens + kBlockTokens - 1) / kBlockTokens * kBlockTokens;
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("moescope-bench-{}.moescope", ::getpid());
  std::filesystem::remove(path);
  ordered_json document{{"bench", "analyses"}, {"machine", machineLine()}, {"layers", kLayers},
                        {"experts", kExperts}, {"top_k", kTopK},           {"tokens", tokens}};
  const auto work = [&]() -> Result<void> {
    if (auto written = writeTrace(path, tokens, options.stop); !written) return written;
    auto store = TraceStore::open(path, OpenMode::ReadOnly);
    if (!store) return fail(store.error());
    for (const char* analysis : {"specialization", "co-activation"}) {
      auto measured = measure(**store, analysis, static_cast<double>(tokens), options.stop);
      if (!measured) return fail(measured.error());
      document[analysis] = *std::move(measured);
    }
    return {};
  };
  const auto done = work();
  if (done && static_cast<double>(tokens) >= kBarTokens) {
    const double seconds = kBarTokens / document["co-activation"]["tokens_per_second"].get<double>();
    document["bars"] =
        ordered_json::array({{{"name", "co-activation of 10^7 tokens, seconds on 2 processors"},
                              {"value", seconds},
                              {"limit", kMostSeconds},
                              {"met", seconds <= kMostSeconds}}});
  }
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  if (!done) return fail(done.error());
  return document;
}

}  // namespace moescope::bench
