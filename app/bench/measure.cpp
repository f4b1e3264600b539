#include "app/bench/measure.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <fmt/format.h>

namespace moescope::bench {

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
