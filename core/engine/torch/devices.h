// What the engine can run on, and the choice of a device by its name.
// Not for memory in use.
#pragma once

#include <string>
#include <vector>

#include "core/engine/api/engine.h"

namespace moescope::engine {

/// LibTorch's operations on the processor: the path that CUDA takes, for tests and comparisons.
inline constexpr const char* kTorchOnCpu = "cpu-torch";

/// The processor first, then the GPUs that can be used.
std::vector<DeviceInfo> listDevices();

/// "auto" is the first GPU, else the processor; "cuda" is "cuda:0". Errors: `machine.no_device`, which
/// lists the devices there are.
Result<DeviceInfo> chooseDevice(const std::string& wanted);

/// Processors that this process may use.
int usableCores();

}  // namespace moescope::engine
