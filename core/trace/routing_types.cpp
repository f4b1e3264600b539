#include "core/trace/routing_types.h"

namespace moescope::trace {

std::string_view name(CaptureLevel level) {
  switch (level) {
    case CaptureLevel::None: return "none";
    case CaptureLevel::Ids: return "ids";
    case CaptureLevel::Weights: return "weights";
    case CaptureLevel::Full: return "full";
  }
  return "unknown";
}

std::optional<CaptureLevel> captureLevelFrom(std::string_view word) {
  for (const auto level : {CaptureLevel::None, CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full}) {
    if (word == name(level)) return level;
  }
  return std::nullopt;
}

}  // namespace moescope::trace
