#include "core/engine/torch/devices.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include <fmt/format.h>

#include "core/engine/torch/cuda_driver.h"
#include "core/engine/torch/memory_check.h"

namespace moescope::engine {

namespace {

std::string processorName() {
  std::ifstream in("/proc/cpuinfo");
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with("model name")) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "processor";
}

DeviceInfo processor() {
  const MachineMemory memory = machineMemory();
  const int cores = usableCores();
  return {"cpu", fmt::format("{}, {} core{}", processorName(), cores, cores == 1 ? "" : "s"),
          memory.totalBytes, memory.freeBytes};
}

}  // namespace

int usableCores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::vector<DeviceInfo> listDevices() {
  std::vector<DeviceInfo> devices{processor()};
  if (loadCudaLibrary()) {
    for (DeviceInfo& gpu : driverDevices()) devices.push_back(std::move(gpu));
  }
  return devices;
}

Result<DeviceInfo> chooseDevice(const std::string& wanted) {
  if (wanted == "cpu") return processor();
  if (wanted == kTorchOnCpu) {
    DeviceInfo device = processor();
    device.id = kTorchOnCpu;
    return device;
  }
  const std::vector<DeviceInfo> devices = listDevices();
  if (wanted == "auto") return devices.size() > 1 ? devices[1] : devices[0];
  const std::string id = wanted == "cuda" ? "cuda:0" : wanted;
  std::string known;
  for (const DeviceInfo& device : devices) {
    if (device.id == id) return device;
    known += (known.empty() ? "" : ", ") + device.id + " (" + device.name + ")";
  }
  std::string message = "this machine has no device of that name; it has " + known;
  const auto cuda = loadCudaLibrary();
  if (id.starts_with("cuda") && !cuda) message += "; " + cuda.error().message;
  return fail("machine.no_device", "", wanted, message, "choose one of these");
}

}  // namespace moescope::engine
