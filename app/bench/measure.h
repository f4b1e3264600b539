// Small statistics for measurements: medians, ratios of interleaved blocks, the machine's name.
// Not for tests, which assert no times.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace moescope::bench {

/// Seconds that `work` took.
template <class Work>
double secondsOf(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Processor time of the calling thread so far.
double threadSeconds();
/// Processor time of all threads of the program so far.
double processSeconds();

/// Largest resident memory of the program so far, in bytes; 0 if the system does not say.
std::int64_t peakBytes();

double median(std::vector<double> values);

/// A median with its 95 % interval (order statistics of the binomial distribution, p = 1/2).
struct MedianInterval {
  double median = 0.0, low = 0.0, high = 0.0;
};
MedianInterval medianInterval(std::vector<double> values);

nlohmann::ordered_json toJson(const MedianInterval& interval);

/// Bytes a second that threads read from memory together, best of a few passes over more than the caches
/// hold.
double streamBytesPerSecond(int threads);

/// Processor, cores, memory and load average, as one line.
std::string machineLine();

}  // namespace moescope::bench
