// What recording costs.
#include <unistd.h>

#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "app/bench/bench.h"
#include "app/bench/loaded_model.h"
#include "app/bench/measure.h"
#include "app/bench/paired_cost.h"

namespace moescope::bench {

namespace {

using nlohmann::ordered_json;

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

/// What the lower end of the interval may be on the demo model, in percent.
std::optional<double> barOf(trace::CaptureLevel level) {
  if (level == trace::CaptureLevel::Ids) return 2.0;
  if (level == trace::CaptureLevel::Full) return 5.0;
  return std::nullopt;
}

Result<PairedCost::Percents> overheads(const LoadedModel& loaded, const BenchOptions& options,
                                       const PairedCost& cost, trace::CaptureLevel level) {
  const TemporaryTrace file;
  auto store = trace::TraceStore::create(file.path());
  if (!store) return fail(store.error());
  auto percents = cost.percents(
      [&](bool recorded) {
        return loaded.startText(recorded ? *store : nullptr, level, cost.tokensPerText(), options.stop);
      },
      // What is still queued must not be written during the other side.
      [&] { return (*store)->flush(); });
  if (auto closed = (*store)->close(); !closed) return fail(closed.error());
  return percents;
}

}  // namespace

Result<ordered_json> benchRecord(const BenchOptions& options) {
  auto loaded = LoadedModel::load(options);
  if (!loaded) return fail(loaded.error());
  const auto cost = PairedCost::create(*loaded, options);
  if (!cost) return fail(cost.error());
  auto result = loaded->header("record");
  result["tokens_per_side"] = cost->tokensPerSide();
  result["pairs"] = kPairs;
  auto bars = ordered_json::array();
  for (const auto level :
       {trace::CaptureLevel::Ids, trace::CaptureLevel::Weights, trace::CaptureLevel::Full}) {
    auto percents = overheads(*loaded, options, *cost, level);
    if (!percents) return fail(percents.error());
    const auto interval = medianInterval(std::move(percents->wall));
    const std::string word(trace::name(level));
    result["overhead_percent"][word] = toJson(interval);
    result["overhead_thread_percent"][word] = toJson(medianInterval(std::move(percents->thread)));
    if (const auto limit = barOf(level); limit && isDemo(options.model)) {
      bars.push_back(costBar("overhead_percent " + word + " low", toJson(interval), *limit));
    }
  }
  if (!bars.empty()) result["bars"] = std::move(bars);
  return result;
}

}  // namespace moescope::bench
