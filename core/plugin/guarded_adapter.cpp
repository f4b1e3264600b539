#include <new>

#include "core/engine/api/forward_kit.h"
#include "core/plugin/guarded_parts.h"

namespace moescope::plugin {

namespace {

constexpr const char* kFailed = "adapter.plugin_failed";

class GuardedForward : public engine::ModelForward {
 public:
  GuardedForward(std::unique_ptr<engine::ModelForward> inner, PluginGuard& guard)
      : m_inner(std::move(inner)), m_guard(guard) {}

  [[nodiscard]] Result<void> forward(const engine::ForwardBlock& block) override {
    return m_guard.call(kFailed, [&]() -> Result<void> {
      try {
        return m_inner->forward(block);
      } catch (const std::bad_alloc&) {  // no fault of the plug-in
        return fail("machine.out_of_memory", "", "", "there is not enough memory for more tokens",
                    "shorten the text or open the model with a shorter context");
      }
    });
  }
  /// What it throws, the next forward() reports.
  void copyFrom(const engine::ModelForward& other, std::int64_t position) override {
    (void)m_guard.call(kFailed, [&]() -> Result<void> {
      m_inner->copyFrom(*static_cast<const GuardedForward&>(other).m_inner, position);
      return {};
    });
  }

 private:
  std::unique_ptr<engine::ModelForward> m_inner;
  PluginGuard& m_guard;
};

class GuardedAdapter : public checkpoint::ModelAdapter {
 public:
  GuardedAdapter(std::unique_ptr<checkpoint::ModelAdapter> inner, PluginGuard& guard)
      : m_inner(std::move(inner)), m_guard(guard), m_info(m_inner->info()) {}

  [[nodiscard]] const checkpoint::AdapterInfo& info() const override { return m_info; }

  void describe(checkpoint::ConfigReader& config, checkpoint::ModelDescription& description) const override {
    const auto described = m_guard.call(kFailed, [&]() -> Result<void> {
      m_inner->describe(config, description);
      return {};
    });
    if (!described) {
      const Error& error = described.error();
      config.error(kFailed, error.where, error.message, error.advice);
    }
  }

  [[nodiscard]] Result<checkpoint::AdapterNeeds> needs(
      const checkpoint::ModelDescription& description) const override {
    return m_guard.call(kFailed, [&] { return m_inner->needs(description); });
  }

  [[nodiscard]] Result<std::unique_ptr<engine::ModelForward>> makeForward(
      engine::ForwardKit& kit) const override {
    return m_guard.call(kFailed, [&]() -> Result<std::unique_ptr<engine::ModelForward>> {
      auto made = m_inner->makeForward(kit);
      if (!made) return made;
      return std::make_unique<GuardedForward>(*std::move(made), m_guard);
    });
  }

 private:
  std::unique_ptr<checkpoint::ModelAdapter> m_inner;
  PluginGuard& m_guard;
  checkpoint::AdapterInfo m_info;
};

}  // namespace

std::shared_ptr<const checkpoint::ModelAdapter> guarded(std::unique_ptr<checkpoint::ModelAdapter> inner,
                                                        PluginGuard& guard) {
  return std::make_shared<GuardedAdapter>(std::move(inner), guard);
}

}  // namespace moescope::plugin
