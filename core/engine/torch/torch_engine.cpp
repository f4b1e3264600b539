// The engine of this shared object and the one symbol that it exports.
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <new>

#include "core/engine/torch/cpu_model.h"
#include "core/engine/torch/devices.h"
#include "core/engine/torch/guarded.h"
#include "core/engine/torch/memory_check.h"
#include "core/engine/torch/torch_model.h"

namespace moescope::engine {

namespace {

Result<DeviceInfo> deviceFor(const checkpoint::Checkpoint& checkpoint, const LoadOptions& options) {
  const auto& description = checkpoint.description();
  const bool isAdapted = description.adapter != nullptr;
  auto device = chooseDevice(isAdapted && options.device == "auto" ? "cpu" : options.device);
  if (device && isAdapted && device->id != "cpu")
    return fail("engine.unsupported", checkpoint.folder().string(), "device " + device->id,
                "the family " + description.family + " comes from an adapter, which runs on the CPU alone",
                "choose the device cpu");
  return device;
}

class TorchEngine final : public Engine {
 public:
  [[nodiscard]] std::vector<DeviceInfo> devices() const override { return listDevices(); }
  [[nodiscard]] std::string version() const override { return std::string("LibTorch ") + TORCH_VERSION; }

  Result<std::shared_ptr<Model>> load(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                                      const LoadOptions& options, const ProgressCallback& progress,
                                      std::stop_token stop) override {
    return guarded<std::shared_ptr<Model>>("the model", [&]() -> Result<std::shared_ptr<Model>> {
      const auto device = deviceFor(*checkpoint, options);
      if (!device) return fail(device.error());
      // Its OpenMP threads would spin at barriers; what runs in parallel here has an own pool.
      at::set_num_threads(1);
      if (device->id == "cpu") return CpuModel::load(std::move(checkpoint), options, *device, progress, stop);
      return TorchModel::load(std::move(checkpoint), options, *device, progress, stop);
    });
  }

  [[nodiscard]] Result<void> fitsInsteadOf(const Model& replaced, const checkpoint::Checkpoint& checkpoint,
                                           const LoadOptions& options) const override {
    return guarded<void>("the model", [&]() -> Result<void> {
      const auto device = deviceFor(checkpoint, options);
      if (!device) return fail(device.error());
      const auto needed = device->id == "cpu" ? CpuModel::bytesNeeded(checkpoint, options)
                                              : TorchModel::bytesNeeded(checkpoint, options);
      if (!needed) return fail(needed.error());
      return requireMemory(*needed, freeBytesWithout(replaced.memory(), replaced.device().id, *device),
                           kModelWithContext, device->id);
    });
  }
};

}  // namespace

}  // namespace moescope::engine

extern "C" __attribute__((visibility("default"))) moescope::engine::Engine* moescope_create_engine(int abi) {
  if (abi != moescope::engine::kEngineAbi) return nullptr;
  return new (std::nothrow) moescope::engine::TorchEngine();
}
