// ViewBench: a ViewContext on the fake engine with a trace, for tests of panels and models.
// Not for tests of the engine thread itself.
#pragma once

#include "core/engine/generation/live_session.h"
#include "tests/support/generation_fixture.h"
#include "tests/unit/trace_fixture.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"

namespace moescope::views {

struct ViewBench {
  std::shared_ptr<tests::FakeBehaviour> behaviour = std::make_shared<tests::FakeBehaviour>();
  tests::TemporaryTrace trace;
  std::shared_ptr<engine::LiveSession> session =
      std::make_shared<engine::LiveSession>([this]() -> Result<std::shared_ptr<engine::Engine>> {
        return std::make_shared<tests::FakeEngine>(behaviour);
      });
  ViewContext context{session};

  ~ViewBench() {
    session->stop();
    session->setStore(nullptr);
  }

  void openTrace() {
    context.setStore(trace.store);
    session->setStore(trace.store);
  }
  /// Loads the demo's description with the fake engine; false after ten seconds in vain.
  bool loadModel() {
    session->loadModel(tests::demoFolder(), {});
    return QTest::qWaitFor([this] { return session->model() != nullptr; }, 10000);
  }
  bool waitForIdle() {
    return QTest::qWaitFor([this] { return session->status().state == engine::LiveState::Idle; }, 10000);
  }
  static engine::GenerationSettings settings(int maxTokens, const std::string& prompt = "one two three") {
    return tests::prompt(prompt, maxTokens);
  }
  /// A finished run of a synthetic model.
  trace::RunId addRun(const std::string& name, const std::vector<int>& lengths = {40},
                      trace::CaptureLevel capture = trace::CaptureLevel::Weights) {
    const auto synthetic = trace::fixture::synthesize(7, lengths);
    auto record = trace::fixture::runRecord(capture);
    record.name = name;
    auto recorder = trace.store->startRun(trace::fixture::modelRecord(synthetic.routers), record);
    if (!recorder) qFatal("%s", recorder.error().text().c_str());
    trace::fixture::feed(**recorder, synthetic, 0, synthetic.sequences.size(), 7);
    if (const auto ended = (*recorder)->end(trace::RunStatus::Closed); !ended)
      qFatal("%s", ended.error().text().c_str());
    return (*recorder)->run();
  }
};

}  // namespace moescope::views
