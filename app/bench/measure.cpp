#include "app/bench/measure.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <fmt/format.h>

namespace moescope::bench {

double processSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double threadSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  if (values.empty()) return std::nan("");
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

MedianInterval medianInterval(std::vector<double> values) {
  MedianInterval result;
  result.median = median(values);
  if (values.empty()) return result;
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  // Normal approximation of the binomial ranks; 1.96 standard deviations on each side.
  const double spread = 1.96 * std::sqrt(n) / 2;
  const auto last = static_cast<double>(values.size() - 1);
  result.low = values[static_cast<std::size_t>(std::clamp(std::floor(n / 2 - spread), 0.0, last))];
  result.high = values[static_cast<std::size_t>(std::clamp(std::ceil(n / 2 + spread), 0.0, last))];
  return result;
}

nlohmann::ordered_json toJson(const MedianInterval& interval) {
  return {{"median", interval.median}, {"low", interval.low}, {"high", interval.high}};
}

double streamBytesPerSecond() {
  constexpr std::size_t kWords = std::size_t{256} << 17;  // 256 MiB
  constexpr std::size_t kSums = 8;
  const std::vector<std::uint64_t> words(kWords, 1);
  double best = 0.0;
  for (int pass = 0; pass < 5; ++pass) {
    std::uint64_t sums[kSums] = {};  // several, so that one addition does not wait for the other
    const double seconds = secondsOf([&] {
      for (std::size_t i = 0; i < kWords; i += kSums) {
        for (std::size_t lane = 0; lane < kSums; ++lane) sums[lane] += words[i + lane];
      }
    });
    volatile std::uint64_t seen = sums[0] + sums[kSums - 1];
    (void)seen;
    best = std::max(best, static_cast<double>(kWords * sizeof(std::uint64_t)) / seconds);
  }
  return best;
}

std::string machineLine() {
  std::ifstream info("/proc/cpuinfo");
  std::string name = "unknown processor";
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      name = line.substr(line.find(':') + 2);
      break;
    }
  }
  double load[1] = {0};
  if (::getloadavg(load, 1) != 1) load[0] = std::nan("");
  const double gibibytes = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                           static_cast<double>(::sysconf(_SC_PAGE_SIZE)) / (1 << 30);
  return fmt::format("{}, {} cores, {:.0f} GiB, load {:.1f}", name, std::thread::hardware_concurrency(),
                     gibibytes, load[0]);
}

}  // namespace moescope::bench
