#include "views/panels/routing_map/map_settings.h"

#include <algorithm>

namespace moescope::views {

trace::TokenRange windowRange(const MapWindow& window, std::int64_t end, trace::TokenRange selection,
                              std::int64_t promptTokens) {
  const std::int64_t prompt = std::clamp<std::int64_t>(promptTokens, 0, end);
  switch (window.kind) {
    case MapWindow::Kind::WholeRun: return {0, end};
    case MapWindow::Kind::Selection: {
      const std::int64_t begin = std::clamp<std::int64_t>(selection.begin, 0, end);
      return {begin, std::clamp<std::int64_t>(selection.end, begin, end)};
    }
    case MapWindow::Kind::Last: return {std::max<std::int64_t>(0, end - window.tokens), end};
    case MapWindow::Kind::Prefill: return {0, prompt};
    case MapWindow::Kind::Decode: return {prompt, end};
  }
  return {};
}

std::string label(figure::LoadValue value) {
  switch (value) {
    case figure::LoadValue::LoadRatio: return "Load share ÷ uniform";
    case figure::LoadValue::LoadShare: return "Load share";
    case figure::LoadValue::Frequency: return "Frequency";
    case figure::LoadValue::GateRatio: return "Gate mass ÷ uniform";
  }
  return {};
}

std::string label(figure::TokenValue value, MapMode mode) {
  switch (value) {
    case figure::TokenValue::Weight:
      return mode == MapMode::TokenLayer ? "Largest gate weight" : "Gate weight";
    case figure::TokenValue::Rank: return "Rank";
    case figure::TokenValue::Logit: return "Router logit";
    case figure::TokenValue::Entropy: return "Routing entropy";
  }
  return {};
}

bool isRecorded(figure::TokenValue value, trace::CaptureLevel capture) {
  switch (value) {
    case figure::TokenValue::Weight: return capture >= trace::CaptureLevel::Weights;
    case figure::TokenValue::Rank: return capture >= trace::CaptureLevel::Ids;
    case figure::TokenValue::Logit:
    case figure::TokenValue::Entropy: return capture >= trace::CaptureLevel::Full;
  }
  return false;
}

}  // namespace moescope::views
