#include "app/bench/measure.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <span>
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

std::int64_t peakBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::strtoll(line.c_str() + 6, nullptr, 10) * 1024;
  }
  return 0;
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

namespace {

std::uint64_t sumOf(std::span<const std::uint64_t> words) {
  constexpr std::size_t kSums = 32;  // several, so that one addition does not wait for the other
  std::uint64_t sums[kSums] = {};
  for (std::size_t i = 0; i + kSums <= words.size(); i += kSums) {
    for (std::size_t lane = 0; lane < kSums; ++lane) sums[lane] += words[i + lane];
  }
  return std::accumulate(std::begin(sums), std::end(sums), std::uint64_t{0});
}

}  // namespace

double streamBytesPerSecond(int threads) {
  constexpr std::size_t kWords = std::size_t{64} << 20;  // 512 MiB in all
  const std::vector<std::uint64_t> words(kWords, 1);
  const std::size_t share = kWords / static_cast<std::size_t>(threads);
  std::atomic<std::uint64_t> seen = 0;
  double best = 0.0;
  for (int pass = 0; pass < 5; ++pass) {
    const double seconds = secondsOf([&] {
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < static_cast<std::size_t>(threads); ++i)
        others.emplace_back([&, i] { seen += sumOf(std::span(words).subspan(i * share, share)); });
      seen += sumOf(std::span(words).first(share));
    });
    const auto bytes = static_cast<double>(share * static_cast<std::size_t>(threads) * sizeof(std::uint64_t));
    best = std::max(best, bytes / seconds);
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
