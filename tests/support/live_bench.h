// LiveBench: a LiveSession on the fake engine with a trace, a log of its events, and a gate that holds the
// engine thread. Not for tests of panels (view_bench.h).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <string>
#include <vector>

#include "core/engine/generation/live_session.h"
#include "tests/support/generation_fixture.h"

namespace moescope::tests {

/// Keeps events and lets the test wait for them; a test that waits in vain fails after ten seconds.
class EventLog {
 public:
  using Kind = engine::LiveEvent::Kind;

  void add(const engine::LiveEvent& event) {
    const std::lock_guard lock(m_mutex);
    m_events.push_back(event);
    m_changed.notify_all();
  }
  /// Waits for the n-th event of a kind (from 1).
  bool waitFor(Kind kind, int count = 1) {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, std::chrono::seconds(10), [&] { return countOf(kind) >= count; });
  }
  int count(Kind kind) {
    const std::lock_guard lock(m_mutex);
    return countOf(kind);
  }
  std::vector<std::string> errors() {
    const std::lock_guard lock(m_mutex);
    std::vector<std::string> kinds;
    for (const auto& event : m_events) {
      if (event.error) kinds.push_back(event.error->kind);
    }
    return kinds;
  }

 private:
  [[nodiscard]] int countOf(Kind kind) const {
    int count = 0;
    for (const auto& event : m_events) count += event.kind == kind ? 1 : 0;
    return count;
  }

  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::vector<engine::LiveEvent> m_events;
};

/// Holds the engine thread at one place until the test lets it go.
struct Gate {
  std::binary_semaphore reached{0}, open{0};
  void pass() {
    reached.release();
    open.acquire();
  }
};

struct LiveBench {
  using Kind = engine::LiveEvent::Kind;

  // The session comes last: its thread ends before what it uses.
  std::shared_ptr<FakeBehaviour> behaviour = std::make_shared<FakeBehaviour>();
  TemporaryTrace trace;
  EventLog log;
  Gate gate;
  std::atomic<bool> holds = false;
  engine::LiveSession session{[this]() -> Result<std::shared_ptr<engine::Engine>> {
    return std::make_shared<FakeEngine>(behaviour);
  }};

  explicit LiveBench(const trace::StoreOptions& options = {}) : trace(options) {
    session.setReceiver([this](const engine::LiveEvent& event) { log.add(event); });
  }
  bool load() {
    session.loadModel(demoFolder(), {});
    return log.waitFor(Kind::ModelLoaded);
  }
  /// load(), and what is generated goes into the trace.
  bool loadRecording() {
    session.setStore(trace.store);
    return load();
  }
  /// Generates to the end.
  bool generate(const engine::GenerationSettings& settings) {
    const int before = log.count(Kind::GenerationEnded);
    session.generate(settings);
    return log.waitFor(Kind::GenerationEnded, before + 1);
  }
  /// The next forward step at this position waits at the gate.
  void holdAt(std::int64_t position) {
    holds = true;
    behaviour->beforeBlock = [this, position](std::int64_t now, int) {
      if (now == position && holds.exchange(false)) gate.pass();
    };
  }
  /// Waits until everything posted so far is done.
  bool settle() {
    const int before = log.count(Kind::ModelUnloaded);
    session.unloadModel();
    return log.waitFor(Kind::ModelUnloaded, before + 1);
  }
};

inline steering::SteeringProgram banning(std::int32_t expert) {
  steering::SteeringProgram program;
  program.rules.push_back(banRule(program, {LayerIndex{2}, ExpertIndex{expert}}));
  return program;
}

}  // namespace moescope::tests
