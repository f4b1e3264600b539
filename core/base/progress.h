// Progress of long work, reported from the thread that does it. Not for measuring rates: the
// receiver has the clock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace moescope {

struct Progress {
  std::string activity;    ///< "Reading weights", "Recording corpus"
  std::int64_t done = 0;   ///< in units
  std::int64_t total = 0;  ///< 0 if unknown
  std::string unit;        ///< "bytes", "tokens", "texts"
};

using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace moescope
