// A toy engine for tests without LibTorch: its logits hang on every id and every expert choice before, so
// that steering, rewinding and a wrong step partition all show. Not a language model.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/engine/api/engine.h"

namespace moescope::tests {

/// What a test may set before loading; shared by the engine and its models.
struct FakeBehaviour {
  int prefillBlock = 16;
  int defaultContext = 0;  ///< 0: the model's maximum positions
  std::uint64_t seed = 7;
  /// Called before each block that is forwarded, with its first position; may wait.
  std::function<void(std::int64_t position, int tokens)> beforeBlock;
  /// Called for each of ten steps of loading; may wait.
  std::function<void(int step)> whileLoading;
  std::optional<Error> loadError;
  /// Loading needs `modelBytes` of the `freeBytes` that the models there have left.
  std::int64_t freeBytes = std::int64_t{1} << 20;
  std::int64_t modelBytes = 1110;
  std::atomic<std::int64_t> usedBytes{0};
  std::optional<Error> forwardError;  ///< returned by forward() at errorPosition
  std::int64_t errorPosition = -1;
  /// After the token at a position this id is by far the likeliest.
  std::map<std::int64_t, std::int32_t> forced;
  std::atomic<int> forwards{0};
};

class FakeEngine final : public engine::Engine {
 public:
  explicit FakeEngine(std::shared_ptr<FakeBehaviour> behaviour = std::make_shared<FakeBehaviour>());

  [[nodiscard]] std::vector<engine::DeviceInfo> devices() const override;
  [[nodiscard]] std::string version() const override { return "fake 1"; }
  Result<std::shared_ptr<engine::Model>> load(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                                              const engine::LoadOptions& options,
                                              const ProgressCallback& progress,
                                              std::stop_token stop) override;
  [[nodiscard]] Result<void> fitsInsteadOf(const engine::Model& replaced,
                                           const checkpoint::Checkpoint& checkpoint,
                                           const engine::LoadOptions& options) const override;

 private:
  std::shared_ptr<FakeBehaviour> m_behaviour;
};

/// The model of a checkpoint folder, loaded with the fake engine; fails the program if it cannot be.
std::shared_ptr<engine::Model> fakeModel(const std::filesystem::path& folder,
                                         std::shared_ptr<FakeBehaviour> behaviour = {},
                                         int contextTokens = 0);

}  // namespace moescope::tests
