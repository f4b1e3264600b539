#include "app/bench/paired_cost.h"

#include <algorithm>
#include <cmath>

namespace moescope::bench {

namespace {

// A side of a pair: longer than the writer's interval of 0.2 s, so that its work falls into it.
constexpr double kSideSeconds = 0.3;
constexpr int kMostTexts = 64;

}  // namespace

Result<PairedCost> PairedCost::create(const LoadedModel& loaded, const BenchOptions& options) {
  const auto longest = loaded.longestText();
  if (!longest) return fail(longest.error());
  PairedCost cost(options, std::min(options.tokens, *longest));
  const Start plain = [&](bool) {
    return loaded.startText(nullptr, trace::CaptureLevel::None, cost.m_tokens, options.stop);
  };
  if (auto warm = cost.side(plain, false); !warm) return fail(warm.error());
  const auto times = cost.side(plain, false);
  if (!times) return fail(times.error());
  cost.m_texts = std::clamp(static_cast<int>(std::ceil(kSideSeconds / times->wallSeconds)), 1, kMostTexts);
  return cost;
}

Result<StepTimes> PairedCost::side(const Start& start, bool with) const {
  StepTimes total;
  for (int i = 0; i < m_texts; ++i) {
    auto text = start(with);
    if (!text) return fail(text.error());
    const auto times = timedSteps(**text, m_tokens, m_options->stop);
    if (!times) return fail(times.error());
    if (const auto error = (*text)->recordingError()) return fail(*error);
    if (auto finished = (*text)->finish(); !finished) return fail(finished.error());
    total.wallSeconds += times->wallSeconds;
    total.threadSeconds += times->threadSeconds;
  }
  return total;
}

Result<PairedCost::Percents> PairedCost::percents(const Start& start, const Settle& settle) const {
  Percents percents;
  for (int pair = 0; pair <= kPairs; ++pair) {
    StepTimes times[2];
    // Which side goes first alternates, so that drift hits both alike.
    for (const int with : {pair % 2, 1 - pair % 2}) {
      auto measured = side(start, with == 1);
      if (!measured) return fail(measured.error());
      times[with] = *measured;
      if (auto settled = settle(); !settled) return fail(settled.error());
    }
    if (pair == 0) continue;  // warms up
    percents.wall.push_back(100.0 * (times[1].wallSeconds / times[0].wallSeconds - 1.0));
    percents.thread.push_back(100.0 * (times[1].threadSeconds / times[0].threadSeconds - 1.0));
  }
  return percents;
}

nlohmann::ordered_json costBar(const std::string& name, const nlohmann::ordered_json& interval,
                               double limit) {
  const double low = interval["low"];
  return {{"name", name}, {"value", low}, {"limit", limit}, {"met", low <= limit}};
}

}  // namespace moescope::bench
