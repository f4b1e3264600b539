// guarded: where exceptions of LibTorch and of the allocator become errors; none crosses the boundary.
// Not for errors that are values already.
#pragma once

#include <exception>
#include <functional>
#include <string>

#include "core/base/result.h"

namespace moescope::engine {

/// The exception in flight as an error: `machine.out_of_memory`, or `engine.failed` with its first line.
Error errorInFlight(const std::string& activity);

template <class T, class Work>
Result<T> guarded(const char* activity, Work&& work) noexcept {
  try {
    return std::invoke(std::forward<Work>(work));
  } catch (...) {
    return fail(errorInFlight(activity));
  }
}

}  // namespace moescope::engine
