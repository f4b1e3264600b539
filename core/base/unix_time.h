// The time of day as the trace stores it. Not for measuring durations (std::chrono::steady_clock).
#pragma once

#include <chrono>
#include <cstdint>

namespace moescope {

/// Milliseconds since 1970-01-01 00:00 UTC.
inline std::int64_t unixMilliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace moescope
