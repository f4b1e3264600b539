// What recording costs.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "app/bench/bench.h"
#include "app/bench/loaded_model.h"
#include "app/bench/measure.h"

namespace moescope::bench {

namespace {

using nlohmann::ordered_json;

constexpr int kPairs = 30;
// A side of a pair: longer than the writer's interval of 0.2 s, so that its work falls into it.
constexpr double kSideSeconds = 0.3;
constexpr int kMostTexts = 64;

/// The trace that is written, removed at the end.
class TemporaryTrace {
 public:
  TemporaryTrace()
      : m_path(std::filesystem::temp_directory_path() /
               fmt::format("moescope-bench-{}.moescope", ::getpid())) {
    remove();
  }
  ~TemporaryTrace() { remove(); }
  TemporaryTrace(const TemporaryTrace&) = delete;
  TemporaryTrace& operator=(const TemporaryTrace&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

 private:
  void remove() {
    std::error_code ignored;
    for (const char* suffix : {"", "-wal", "-shm"})
      std::filesystem::remove(m_path.string() + suffix, ignored);
  }
  std::filesystem::path m_path;
};

/// Pairs of sides, the same texts with and without a record.
class RecordingCost {
 public:
  RecordingCost(const LoadedModel& loaded, const BenchOptions& options, int tokens)
      : m_loaded(loaded), m_options(options), m_tokens(tokens) {}

  /// How many texts a side needs to be long enough.
  Result<void> calibrate() {
    m_texts = 1;
    if (auto warm = side(nullptr, trace::CaptureLevel::None); !warm) return fail(warm.error());
    const auto times = side(nullptr, trace::CaptureLevel::None);
    if (!times) return fail(times.error());
    m_texts = std::clamp(static_cast<int>(std::ceil(kSideSeconds / times->wallSeconds)), 1, kMostTexts);
    return {};
  }
  [[nodiscard]] int tokensPerSide() const { return m_texts * m_tokens; }

  /// Percent that recording adds, a pair each.
  struct Percents {
    std::vector<double> wall, thread;
  };
  Result<Percents> overheads(trace::CaptureLevel level) {
    const TemporaryTrace file;
    auto store = trace::TraceStore::create(file.path());
    if (!store) return fail(store.error());
    Percents percents;
    for (int pair = 0; pair <= kPairs; ++pair) {
      StepTimes times[2];
      // Which side goes first alternates, so that drift hits both alike.
      for (const int recorded : {pair % 2, 1 - pair % 2}) {
        auto measured = side(recorded == 1 ? *store : nullptr, level);
        if (!measured) return fail(measured.error());
        times[recorded] = *measured;
        // What is still queued must not be written during the other side.
        if (auto flushed = (*store)->flush(); !flushed) return fail(flushed.error());
      }
      if (pair == 0) continue;  // warms up
      percents.wall.push_back(100.0 * (times[1].wallSeconds / times[0].wallSeconds - 1.0));
      percents.thread.push_back(100.0 * (times[1].threadSeconds / times[0].threadSeconds - 1.0));
    }
    if (auto closed = (*store)->close(); !closed) return fail(closed.error());
    return percents;
  }

 private:
  /// Times of the decode steps; starts and ends of texts are left out on both sides.
  Result<StepTimes> side(const std::shared_ptr<trace::TraceStore>& store, trace::CaptureLevel level) {
    StepTimes total;
    for (int i = 0; i < m_texts; ++i) {
      auto text = m_loaded.startText(store, level, m_tokens, m_options.stop);
      if (!text) return fail(text.error());
      const auto times = timedSteps(**text, m_tokens, m_options.stop);
      if (!times) return fail(times.error());
      if (const auto error = (*text)->recordingError()) return fail(*error);
      if (auto finished = (*text)->finish(); !finished) return fail(finished.error());
      total.wallSeconds += times->wallSeconds;
      total.threadSeconds += times->threadSeconds;
    }
    return total;
  }

  const LoadedModel& m_loaded;
  const BenchOptions& m_options;
  int m_tokens;
  int m_texts = 1;
};

/// What the lower end of the interval may be on the demo model, in percent.
std::optional<double> barOf(trace::CaptureLevel level) {
  if (level == trace::CaptureLevel::Ids) return 2.0;
  if (level == trace::CaptureLevel::Full) return 5.0;
  return std::nullopt;
}

}  // namespace

Result<ordered_json> benchRecord(const BenchOptions& options) {
  auto loaded = LoadedModel::load(options);
  if (!loaded) return fail(loaded.error());
  const auto longest = loaded->longestText();
  if (!longest) return fail(longest.error());
  RecordingCost cost(*loaded, options, std::min(options.tokens, *longest));
  if (auto done = cost.calibrate(); !done) return fail(done.error());
  auto result = loaded->header("record");
  result["tokens_per_side"] = cost.tokensPerSide();
  result["pairs"] = kPairs;
  auto bars = ordered_json::array();
  for (const auto level :
       {trace::CaptureLevel::Ids, trace::CaptureLevel::Weights, trace::CaptureLevel::Full}) {
    auto percents = cost.overheads(level);
    if (!percents) return fail(percents.error());
    const auto interval = medianInterval(std::move(percents->wall));
    const std::string word(trace::name(level));
    result["overhead_percent"][word] = toJson(interval);
    result["overhead_thread_percent"][word] = toJson(medianInterval(std::move(percents->thread)));
    if (const auto limit = barOf(level); limit && isDemo(options.model)) {
      bars.push_back({{"name", "overhead_percent " + word + " low"},
                      {"value", interval.low},
                      {"limit", *limit},
                      {"met", interval.low <= *limit}});
    }
  }
  if (!bars.empty()) result["bars"] = std::move(bars);
  return result;
}

}  // namespace moescope::bench
