// Strip settings: what the boxes of the token strip are coloured by, and the values behind the colours.
// Not for where the boxes stand (strip_layout.h).
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/figure/figure_spec.h"
#include "core/trace/trace_store.h"

namespace moescope::views {

enum class StripValue : std::uint8_t { None, Phase, TopExpert, Entropy, LogProbability };

struct StripSettings {
  StripValue value = StripValue::LogProbability;
  int router = 0;  ///< TopExpert, Entropy; -1: mean over the layers (Entropy)
  bool operator==(const StripSettings&) const = default;
};

/// Values of rows [firstToken, firstToken + values.size()): phase 0 or 1, expert id, nat; NaN: unknown.
struct StripColours {
  StripSettings settings;
  std::int64_t firstToken = 0;
  std::vector<float> values;
};

StripColours stripColours(const trace::TraceStore& store, trace::RunId run, const StripSettings& settings,
                          trace::TokenRange tokens, std::stop_token stop = {});

/// Whether the run has the value at all.
bool isRecorded(StripValue value, trace::CaptureLevel capture);
/// The scale of a value that has one (entropy, log-probability).
figure::ColourScale stripScale(const StripSettings& settings, const std::vector<RouterSpec>& routers);

}  // namespace moescope::views
