#include "tests/support/fake_engine.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace moescope::tests {

namespace {

constexpr int kHidden = 8;
using Hidden = std::array<float, kHidden>;

/// In [-1, 1), from a counter (SplitMix64).
float hashed(std::uint64_t seed, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  std::uint64_t x = seed * 0x9E3779B97F4A7C15ULL + a * 0xD1B54A32D192ED03ULL + b * 0x8CB92BA72F3D8DD7ULL + c;
  for (int round = 0; round < 2; ++round) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    x ^= x >> 31;
  }
  return static_cast<float>(static_cast<double>(x >> 11) * 0x1.0p-52 - 1.0);
}

std::vector<Hidden> matrix(std::uint64_t seed, std::uint64_t name, int rows) {
  std::vector<Hidden> values(static_cast<std::size_t>(rows));
  for (std::size_t r = 0; r < values.size(); ++r) {
    for (std::size_t j = 0; j < kHidden; ++j) values[r][j] = hashed(seed, name, r, j);
  }
  return values;
}

float dot(const Hidden& left, const Hidden& right) {
  float sum = 0;
  for (std::size_t j = 0; j < kHidden; ++j) sum += left[j] * right[j];
  return sum;
}

class FakeModel final : public engine::Model, public std::enable_shared_from_this<FakeModel> {
 public:
  FakeModel(std::shared_ptr<const checkpoint::Checkpoint> checkpoint, const engine::LoadOptions& options,
            std::shared_ptr<FakeBehaviour> wanted)
      : behaviour(std::move(wanted)), m_checkpoint(std::move(checkpoint)), m_bytes(behaviour->modelBytes) {
    behaviour->usedBytes += m_bytes;
    const auto& description = m_checkpoint->description();
    capacity = options.contextTokens > 0       ? options.contextTokens
               : behaviour->defaultContext > 0 ? behaviour->defaultContext
                                               : description.maxPositions;
    const std::uint64_t seed = behaviour->seed;
    embedding = matrix(seed, 1, description.vocabularySize);
    head = matrix(seed, 2, description.vocabularySize);
    for (std::size_t r = 0; r < description.routers.size(); ++r) {
      routers.push_back(matrix(seed, 100 + r, description.routers[r].experts));
      experts.push_back(matrix(seed, 200 + r, description.routers[r].experts));
    }
  }

  ~FakeModel() override { behaviour->usedBytes -= m_bytes; }

  [[nodiscard]] const checkpoint::Checkpoint& checkpoint() const override { return *m_checkpoint; }
  [[nodiscard]] engine::DeviceInfo device() const override {
    return {"cpu", "fake processor", 1 << 20, 1 << 20};
  }
  [[nodiscard]] std::string dtypeName() const override { return "f32"; }
  [[nodiscard]] int threads() const override { return 1; }
  [[nodiscard]] engine::MemoryUse memory() const override { return {m_bytes - 110, 100, 10}; }
  [[nodiscard]] int prefillBlock() const override { return behaviour->prefillBlock; }
  Result<std::unique_ptr<engine::Session>> newSession() override;

  std::shared_ptr<FakeBehaviour> behaviour;
  std::int64_t capacity = 0;
  std::vector<Hidden> embedding, head;
  std::vector<std::vector<Hidden>> routers, experts;  // [router][expert]

 private:
  std::shared_ptr<const checkpoint::Checkpoint> m_checkpoint;
  std::int64_t m_bytes;
};

struct TapBuffer {
  std::vector<float> logits, weights, nativeWeights;
  std::vector<std::int32_t> ids, nativeIds;
  std::vector<steering::RouterChoice> choices;
};

class FakeSession final : public engine::Session {
 public:
  explicit FakeSession(std::shared_ptr<const FakeModel> model) : m_model(std::move(model)) {}

  [[nodiscard]] std::int64_t position() const override { return static_cast<std::int64_t>(m_states.size()); }
  [[nodiscard]] std::int64_t capacity() const override { return m_model->capacity; }
  Result<engine::StepOutput> forward(const engine::StepRequest& request) override;
  void rewind(std::int64_t position) override { m_states.resize(static_cast<std::size_t>(position)); }
  Result<std::unique_ptr<engine::Session>> fork() const override {
    return std::make_unique<FakeSession>(*this);
  }
  void setPlan(std::shared_ptr<const steering::SteeringPlan> plan) override { m_plan = std::move(plan); }

 private:
  void forwardToken(std::int32_t id, bool decode, int blockTokens);
  [[nodiscard]] engine::StepOutput output(const engine::StepRequest& request, std::size_t first);

  std::shared_ptr<const FakeModel> m_model;
  std::shared_ptr<const steering::SteeringPlan> m_plan;
  std::vector<Hidden> m_states;
  std::vector<TapBuffer> m_taps;
  std::vector<float> m_logits;
};

void FakeSession::forwardToken(std::int32_t id, bool decode, int blockTokens) {
  const auto& specs = m_model->checkpoint().description().routers;
  Hidden state = m_model->embedding[static_cast<std::size_t>(id)];
  if (!m_states.empty()) {
    for (std::size_t j = 0; j < kHidden; ++j) state[j] += 0.6F * m_states.back()[j];
  }
  const steering::TokenScope scope{decode, position()};
  std::vector<float> logits;
  for (std::size_t r = 0; r < specs.size(); ++r) {
    logits.clear();
    for (const auto& row : m_model->routers[r]) logits.push_back(2.0F * dot(row, state));
    const bool steered = m_plan != nullptr && !m_plan->layers[r].empty();
    auto native = steering::nativeChoice(logits, specs[r]);
    auto choice = steered ? steering::applyPlan(logits, m_plan->layers[r], scope) : native;
    for (std::size_t c = 0; c < choice.ids.size(); ++c) {
      const auto& expert = m_model->experts[r][static_cast<std::size_t>(choice.ids[c])];
      for (std::size_t j = 0; j < kHidden; ++j) state[j] += choice.weights[c] * expert[j];
    }
    auto& tap = m_taps[r];
    tap.logits.insert(tap.logits.end(), logits.begin(), logits.end());
    if (steered) {
      tap.nativeIds.insert(tap.nativeIds.end(), native.ids.begin(), native.ids.end());
      tap.nativeWeights.insert(tap.nativeWeights.end(), native.weights.begin(), native.weights.end());
    }
    tap.choices.push_back(std::move(choice));
  }
  // As a real kernel's last bits do, these hang on how many tokens are computed together.
  for (auto& value : state) value *= 1.0F + 1e-5F * static_cast<float>(blockTokens);
  m_states.push_back(state);
}

Result<engine::StepOutput> FakeSession::forward(const engine::StepRequest& request) {
  const auto first = m_states.size();
  const auto count = static_cast<std::int64_t>(request.ids.size());
  if (position() + count > capacity()) {
    return fail("engine.context_full", "", "", "the context is full", "start a new text");
  }
  m_taps.assign(m_model->routers.size(), {});
  const std::int64_t block = m_model->prefillBlock();
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t size = std::min(count - done, block - position() % block);
    if (m_model->behaviour->beforeBlock) m_model->behaviour->beforeBlock(position(), static_cast<int>(size));
    ++m_model->behaviour->forwards;
    const auto& error = m_model->behaviour->forwardError;
    if (error && position() <= m_model->behaviour->errorPosition &&
        m_model->behaviour->errorPosition < position() + size) {
      m_states.resize(first);
      return fail(*error);
    }
    for (std::int64_t i = 0; i < size; ++i) {
      forwardToken(request.ids[static_cast<std::size_t>(done + i)], request.decode, static_cast<int>(size));
    }
    done += size;
  }
  return output(request, first);
}

engine::StepOutput FakeSession::output(const engine::StepRequest& request, std::size_t first) {
  engine::StepOutput output;
  const auto& specs = m_model->checkpoint().description().routers;
  for (std::size_t r = 0; request.taps && r < m_taps.size(); ++r) {
    auto& tap = m_taps[r];
    std::size_t width = 0;
    for (const auto& choice : tap.choices) width = std::max(width, choice.ids.size());
    for (const auto& choice : tap.choices) {
      tap.ids.insert(tap.ids.end(), choice.ids.begin(), choice.ids.end());
      tap.ids.resize(tap.ids.size() + width - choice.ids.size(), -1);
      tap.weights.insert(tap.weights.end(), choice.weights.begin(), choice.weights.end());
      tap.weights.resize(tap.weights.size() + width - choice.weights.size(), 0.0F);
    }
    engine::RouterTap view;
    view.experts = specs[r].experts;
    view.width = static_cast<int>(width);
    view.logits = tap.logits;
    view.ids = tap.ids;
    view.weights = tap.weights;
    view.nativeIds = tap.nativeIds;
    view.nativeWeights = tap.nativeWeights;
    output.routers.push_back(view);
  }
  m_logits.clear();
  const bool all = request.logits == engine::LogitRows::All;
  const std::size_t begin = all ? first : m_states.size() - 1;
  for (std::size_t i = begin; request.logits != engine::LogitRows::None && i < m_states.size(); ++i) {
    const std::size_t start = m_logits.size();
    for (const auto& row : m_model->head) m_logits.push_back(3.0F * dot(row, m_states[i]));
    const auto forced = m_model->behaviour->forced.find(static_cast<std::int64_t>(i));
    if (forced != m_model->behaviour->forced.end()) {
      m_logits[start + static_cast<std::size_t>(forced->second)] += 100.0F;
    }
  }
  output.logits = m_logits;
  return output;
}

Result<std::unique_ptr<engine::Session>> FakeModel::newSession() {
  return std::make_unique<FakeSession>(shared_from_this());
}

}  // namespace

FakeEngine::FakeEngine(std::shared_ptr<FakeBehaviour> behaviour) : m_behaviour(std::move(behaviour)) {}

std::vector<engine::DeviceInfo> FakeEngine::devices() const {
  return {{"cpu", "fake processor", 1 << 20, 1 << 20}};
}

Result<std::shared_ptr<engine::Model>> FakeEngine::load(
    std::shared_ptr<const checkpoint::Checkpoint> checkpoint, const engine::LoadOptions& options,
    const ProgressCallback& progress, std::stop_token stop) {
  for (int step = 0; step < 10; ++step) {
    if (m_behaviour->whileLoading) m_behaviour->whileLoading(step);
    if (stop.stop_requested()) return fail("cancelled", "", "", "stopped before the end");
    if (progress) progress({"Reading weights", step + 1, 10, "bytes"});
  }
  if (m_behaviour->loadError) return fail(*m_behaviour->loadError);
  if (m_behaviour->modelBytes > m_behaviour->freeBytes - m_behaviour->usedBytes)
    return fail("machine.out_of_memory", "", "cpu", "the model does not fit");
  return std::make_shared<FakeModel>(std::move(checkpoint), options, m_behaviour);
}

Result<void> FakeEngine::fitsInsteadOf(const engine::Model& replaced, const checkpoint::Checkpoint&,
                                       const engine::LoadOptions&) const {
  const auto memory = replaced.memory();
  const std::int64_t free = m_behaviour->freeBytes - m_behaviour->usedBytes;
  if (m_behaviour->modelBytes <= free + memory.weights + memory.cache + memory.other) return {};
  return fail("machine.out_of_memory", "", "cpu", "the model does not fit");
}

std::shared_ptr<engine::Model> fakeModel(const std::filesystem::path& folder,
                                         std::shared_ptr<FakeBehaviour> behaviour, int contextTokens) {
  if (behaviour == nullptr) behaviour = std::make_shared<FakeBehaviour>();
  auto checkpoint = checkpoint::Checkpoint::open(folder);
  if (!checkpoint) {
    std::fprintf(stderr, "%s\n", checkpoint.error().text().c_str());
    std::abort();
  }
  engine::LoadOptions options;
  options.contextTokens = contextTokens;
  return *FakeEngine(behaviour).load(*checkpoint, options, {}, {});
}

}  // namespace moescope::tests
