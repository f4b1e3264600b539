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
  for (const auto level :
       {CaptureLevel::None, CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full}) {
    if (word == name(level)) return level;
  }
  return std::nullopt;
}

std::string_view name(RunKind kind) {
  switch (kind) {
    case RunKind::Generate: return "generate";
    case RunKind::Corpus: return "corpus";
    case RunKind::Import: return "import";
  }
  return "unknown";
}

std::string_view name(RunStatus status) {
  switch (status) {
    case RunStatus::Open: return "open";
    case RunStatus::Closed: return "closed";
    case RunStatus::Aborted: return "aborted";
  }
  return "unknown";
}

}  // namespace moescope::trace
