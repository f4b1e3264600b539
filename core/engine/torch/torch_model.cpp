#include "core/engine/torch/torch_model.h"

#include <c10/core/CachingDeviceAllocator.h>

#include "core/engine/torch/cuda_driver.h"
#include "core/engine/torch/decoder_session.h"
#include "core/engine/torch/devices.h"
#include "core/engine/torch/guarded.h"

namespace moescope::engine {

TorchModel::TorchModel(std::shared_ptr<const checkpoint::Checkpoint> checkpoint, TorchWeights weights,
                       Storage storage, DeviceInfo device, std::int64_t contextTokens)
    : m_checkpoint(std::move(checkpoint)),
      m_weights(std::move(weights)),
      m_storage(storage),
      m_device(std::move(device)),
      m_contextTokens(contextTokens) {}

TorchModel::~TorchModel() {
  m_weights = {};
  // What LibTorch keeps for later tensors would not be free for the next model.
  if (m_device.id != kTorchOnCpu) c10::getDeviceAllocator(at::Device(m_device.id).type())->emptyCache();
}

Result<std::int64_t> TorchModel::bytesNeeded(const checkpoint::Checkpoint& checkpoint,
                                             const LoadOptions& options) {
  const auto storage = TorchWeights::storageOf(checkpoint, options.dtype);
  if (!storage) return fail(storage.error());
  return saturatedSum(
      TorchWeights::bytesAs(checkpoint, options.dtype, *storage),
      TorchDecoder::cacheBytes(checkpoint.description(), contextOf(checkpoint, options), *storage));
}

Result<std::shared_ptr<Model>> TorchModel::load(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                                                const LoadOptions& options, const DeviceInfo& device,
                                                const ProgressCallback& progress,
                                                const std::stop_token& stop) {
  const auto needed = bytesNeeded(*checkpoint, options);
  if (!needed) return fail(needed.error());
  if (auto fits = requireMemory(*needed, device.freeBytes, kModelWithContext, device.id); !fits)
    return fail(std::move(fits).error());
  const auto storage = TorchWeights::storageOf(*checkpoint, options.dtype);
  if (!storage) return fail(storage.error());
  const std::int64_t context = contextOf(*checkpoint, options);
  const at::Device target = device.id == kTorchOnCpu ? at::Device(at::kCPU) : at::Device(device.id);
  auto weights = TorchWeights::load(*checkpoint, options.dtype, *storage, target, progress, stop);
  if (!weights) return fail(std::move(weights).error());
  return std::shared_ptr<Model>(
      new TorchModel(std::move(checkpoint), *std::move(weights), *storage, device, context));
}

std::string TorchModel::dtypeName() const {
  const std::string type(name(m_storage));
  if (m_weights.quantisedNames.empty()) return type + " weights and activations";
  return m_weights.quantisedNames + " and " + type + " weights, " + type + " activations";
}

MemoryUse TorchModel::memory() const {
  return {m_weights.bytes, m_tally->cacheBytes.load(), m_tally->otherBytes.load()};
}

std::int64_t TorchModel::freeBytes() const {
  for (const DeviceInfo& gpu : driverDevices()) {
    if (gpu.id == m_device.id) return gpu.freeBytes;
  }
  return machineMemory().freeBytes;
}

Result<std::unique_ptr<Session>> TorchModel::newSession() {
  return guarded<std::unique_ptr<Session>>("a context", [&]() -> Result<std::unique_ptr<Session>> {
    const auto& description = m_checkpoint->description();
    const std::int64_t cache = TorchDecoder::cacheBytes(description, m_contextTokens, m_storage);
    if (auto fits = requireMemory(cache, freeBytes(), "a context", m_device.id); !fits) {
      return fail(std::move(fits).error());
    }
    auto decoder = TorchDecoder::create({description, m_weights, m_tally}, m_contextTokens);
    return std::make_unique<DecoderSession>(shared_from_this(), std::move(decoder));
  });
}

}  // namespace moescope::engine
