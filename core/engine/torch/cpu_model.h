// CpuModel: a checkpoint loaded for the CPU decoder. Not for other devices (torch_model.h).
#pragma once

#include <memory>

#include "core/engine/torch/cpu_decoder.h"

namespace moescope::engine {

class CpuModel final : public Model, public std::enable_shared_from_this<CpuModel> {
 public:
  /// With one context, or the model could be loaded and not used. Errors: `engine.unsupported`, those of the
  /// family's adapter.
  static Result<std::int64_t> bytesNeeded(const checkpoint::Checkpoint& checkpoint,
                                          const LoadOptions& options);
  /// Errors: as Engine::load.
  static Result<std::shared_ptr<Model>> load(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                                             const LoadOptions& options, const DeviceInfo& device,
                                             const ProgressCallback& progress, const std::stop_token& stop);

  [[nodiscard]] const checkpoint::Checkpoint& checkpoint() const override { return *m_checkpoint; }
  [[nodiscard]] DeviceInfo device() const override { return m_device; }
  [[nodiscard]] std::string dtypeName() const override;
  [[nodiscard]] int threads() const override { return m_pool.threads(); }
  [[nodiscard]] MemoryUse memory() const override;
  [[nodiscard]] int prefillBlock() const override {
    return engine::prefillBlock(m_checkpoint->description(), m_contextTokens);
  }
  Result<std::unique_ptr<Session>> newSession() override;

 private:
  CpuModel(std::shared_ptr<const checkpoint::Checkpoint> checkpoint, CpuWeights weights, DeviceInfo device,
           int threads, std::int64_t contextTokens);

  std::shared_ptr<const checkpoint::Checkpoint> m_checkpoint;
  CpuWeights m_weights;
  DeviceInfo m_device;
  std::int64_t m_contextTokens;
  ThreadPool m_pool;
  std::shared_ptr<MemoryTally> m_tally = std::make_shared<MemoryTally>();
};

}  // namespace moescope::engine
