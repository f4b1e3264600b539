#include "core/engine/torch/cuda_driver.h"

#include <dlfcn.h>

#include <array>

namespace moescope::engine {

namespace {

// Declarations of the driver API (stable since CUDA 4), so that no toolkit is needed to build.
using DriverResult = int;  // 0 is success
using DriverDevice = int;
using DriverContext = void*;

struct Driver {
  DriverResult (*init)(unsigned) = nullptr;
  DriverResult (*deviceCount)(int*) = nullptr;
  DriverResult (*device)(DriverDevice*, int) = nullptr;
  DriverResult (*deviceName)(char*, int, DriverDevice) = nullptr;
  DriverResult (*retainContext)(DriverContext*, DriverDevice) = nullptr;
  DriverResult (*releaseContext)(DriverDevice) = nullptr;
  DriverResult (*pushContext)(DriverContext) = nullptr;
  DriverResult (*popContext)(DriverContext*) = nullptr;
  DriverResult (*memoryInfo)(std::size_t*, std::size_t*) = nullptr;
  bool usable = false;
};

template <class Function>
bool resolve(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Driver openDriver() {
  Driver driver;
  void* library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return driver;
  driver.usable = resolve(library, "cuInit", driver.init) &&
                  resolve(library, "cuDeviceGetCount", driver.deviceCount) &&
                  resolve(library, "cuDeviceGet", driver.device) &&
                  resolve(library, "cuDeviceGetName", driver.deviceName) &&
                  resolve(library, "cuDevicePrimaryCtxRetain", driver.retainContext) &&
                  resolve(library, "cuDevicePrimaryCtxRelease_v2", driver.releaseContext) &&
                  resolve(library, "cuCtxPushCurrent_v2", driver.pushContext) &&
                  resolve(library, "cuCtxPopCurrent_v2", driver.popContext) &&
                  resolve(library, "cuMemGetInfo_v2", driver.memoryInfo) && driver.init(0) == 0;
  return driver;
}

const Driver& driverApi() {
  static const Driver driver = openDriver();
  return driver;
}

/// Memory can only be asked for inside a context; the primary one is what LibTorch uses as well.
bool readMemory(const Driver& driver, DriverDevice device, DeviceInfo& info) {
  DriverContext context = nullptr;
  if (driver.retainContext(&context, device) != 0) return false;
  std::size_t freeBytes = 0;
  std::size_t totalBytes = 0;
  const bool read = driver.pushContext(context) == 0 && driver.memoryInfo(&freeBytes, &totalBytes) == 0;
  driver.popContext(&context);
  driver.releaseContext(device);
  info.freeBytes = static_cast<std::int64_t>(freeBytes);
  info.totalBytes = static_cast<std::int64_t>(totalBytes);
  return read;
}

}  // namespace

std::vector<DeviceInfo> driverDevices() {
  const Driver& driver = driverApi();
  std::vector<DeviceInfo> devices;
  int count = 0;
  if (!driver.usable || driver.deviceCount(&count) != 0) return devices;
  for (int index = 0; index < count; ++index) {
    DriverDevice device = 0;
    std::array<char, 256> name{};
    if (driver.device(&device, index) != 0) continue;
    if (driver.deviceName(name.data(), static_cast<int>(name.size()) - 1, device) != 0) continue;
    DeviceInfo info{"cuda:" + std::to_string(index), name.data(), 0, 0};
    if (readMemory(driver, device, info)) devices.push_back(info);
  }
  return devices;
}

Result<void> loadCudaLibrary() {
  static const std::string problem = []() -> std::string {
    if (driverDevices().empty()) return "no NVIDIA GPU was found";
    // RTLD_GLOBAL: its kernels register themselves with the LibTorch that is loaded already.
    if (::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr) return {};
    return std::string("LibTorch's CUDA part cannot be loaded: ") + ::dlerror();
  }();
  if (problem.empty()) return {};
  return fail("machine.no_device", "", "cuda", problem);
}

}  // namespace moescope::engine
