#include "core/engine/torch/memory_check.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include <fmt/format.h>

namespace moescope::engine {

namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;
constexpr double kGibibyte = 1024.0 * kMebibyte;

/// First number of a file of the control group; -1 if there is none ("max", or no such file).
std::int64_t groupNumber(const char* name) {
  std::ifstream in(std::string("/sys/fs/cgroup/") + name);
  std::int64_t number = -1;
  return in >> number ? number : -1;
}

/// Page cache of the group that the kernel gives up before it refuses memory.
std::int64_t groupReclaimable() {
  std::ifstream in("/sys/fs/cgroup/memory.stat");
  std::string key;
  std::int64_t value = 0;
  std::int64_t sum = 0;
  while (in >> key >> value) {
    if (key == "inactive_file" || key == "active_file") sum += value;
  }
  return sum;
}

}  // namespace

std::int64_t contextOf(const checkpoint::Checkpoint& checkpoint, const LoadOptions& options) {
  return options.contextTokens > 0 ? options.contextTokens : checkpoint.description().maxPositions;
}

MachineMemory machineMemory() {
  MachineMemory memory;
  std::ifstream in("/proc/meminfo");
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string key;
    std::int64_t kibibytes = 0;
    fields >> key >> kibibytes;
    if (key == "MemTotal:") memory.totalBytes = kibibytes * 1024;
    if (key == "MemAvailable:") memory.freeBytes = kibibytes * 1024;
  }
  const std::int64_t limit = groupNumber("memory.max");
  const std::int64_t used = groupNumber("memory.current");
  if (limit > 0 && used >= 0 && limit < memory.totalBytes) {
    memory.totalBytes = limit;
    memory.freeBytes =
        std::min(memory.freeBytes, std::max<std::int64_t>(0, limit - used + groupReclaimable()));
  }
  return memory;
}

std::string memoryText(std::int64_t bytes) {
  const auto size = static_cast<double>(bytes);
  return size >= kGibibyte ? fmt::format("{:.1f} GiB", size / kGibibyte)
                           : fmt::format("{:.1f} MiB", size / kMebibyte);
}

Result<void> requireMemory(std::int64_t neededBytes, std::int64_t freeBytes, const std::string& purpose,
                           const std::string& device) {
  if (neededBytes <= freeBytes) return {};
  return fail("machine.out_of_memory", "", device,
              fmt::format("{} needs {} and {} are free, so {} are missing", purpose, memoryText(neededBytes),
                          memoryText(freeBytes), memoryText(neededBytes - freeBytes)),
              "choose a shorter context, a smaller dtype or another device");
}

std::int64_t freeBytesWithout(const MemoryUse& model, const std::string& modelDevice,
                              const DeviceInfo& device) {
  const auto isHost = [](const std::string& id) { return id.starts_with("cpu"); };
  const bool isShared = modelDevice == device.id || (isHost(modelDevice) && isHost(device.id));
  if (!isShared) return device.freeBytes;
  return device.freeBytes + model.weights - model.mapped + model.cache + model.other;
}

tl::unexpected<Error> refusedMemory(std::int64_t bytes, const std::string& purpose) {
  return fail("machine.out_of_memory", "", "",
              fmt::format("the system refused {} for {}", memoryText(bytes), purpose),
              "choose a shorter context, a smaller dtype or another device");
}

std::int64_t saturatedProduct(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max() : product;
}

std::int64_t saturatedSum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

}  // namespace moescope::engine
