// The few functions of NVIDIA's driver that are needed to see GPUs and their memory, loaded at run time.
// Not for running anything on a GPU; LibTorch does that.
#pragma once

#include <vector>

#include "core/engine/api/engine.h"

namespace moescope::engine {

/// GPUs that the driver lists, as "cuda:0"...; empty without a driver.
std::vector<DeviceInfo> driverDevices();

/// Loads LibTorch's CUDA part once, before anything asks LibTorch for CUDA (it would remember that there
/// is none). Errors: `machine.no_device` with the loader's text. Without a GPU nothing is loaded.
Result<void> loadCudaLibrary();

}  // namespace moescope::engine
