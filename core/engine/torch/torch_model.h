// TorchModel: a checkpoint loaded for LibTorch's operations on one device.
// Not for the own CPU kernels (cpu_model.h).
#pragma once

#include <memory>

#include "core/engine/api/engine.h"
#include "core/engine/torch/torch_decoder.h"

namespace moescope::engine {

class TorchModel final : public Model, public std::enable_shared_from_this<TorchModel> {
 public:
  /// Of the weights and one context. Errors: `engine.unsupported`.
  static Result<std::int64_t> bytesNeeded(const checkpoint::Checkpoint& checkpoint,
                                          const LoadOptions& options);
  /// Errors: as Engine::load; LibTorch's exceptions pass through.
  static Result<std::shared_ptr<Model>> load(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                                             const LoadOptions& options, const DeviceInfo& device,
                                             const ProgressCallback& progress, const std::stop_token& stop);

  ~TorchModel() override;

  [[nodiscard]] const checkpoint::Checkpoint& checkpoint() const override { return *m_checkpoint; }
  [[nodiscard]] DeviceInfo device() const override { return m_device; }
  [[nodiscard]] std::string dtypeName() const override;
  [[nodiscard]] int threads() const override { return 1; }
  [[nodiscard]] MemoryUse memory() const override;
  [[nodiscard]] int prefillBlock() const override {
    return engine::prefillBlock(m_checkpoint->description(), m_contextTokens);
  }
  Result<std::unique_ptr<Session>> newSession() override;

 private:
  TorchModel(std::shared_ptr<const checkpoint::Checkpoint> checkpoint, TorchWeights weights, Storage storage,
             DeviceInfo device, std::int64_t contextTokens);
  /// Bytes free on the device now.
  [[nodiscard]] std::int64_t freeBytes() const;

  std::shared_ptr<const checkpoint::Checkpoint> m_checkpoint;
  TorchWeights m_weights;
  Storage m_storage;
  DeviceInfo m_device;
  std::int64_t m_contextTokens;
  std::shared_ptr<MemoryTally> m_tally = std::make_shared<MemoryTally>();
};

}  // namespace moescope::engine
