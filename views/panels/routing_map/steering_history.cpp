#include "views/panels/routing_map/steering_history.h"

namespace moescope::views {

const steering::SteeringPlan* SteeringHistory::planAt(std::int64_t token) const {
  const steering::SteeringPlan* plan = nullptr;
  for (const Change& change : changes) {
    if (change.token > token) break;
    plan = change.plan.get();
  }
  return plan;
}

SteeringHistory readSteeringHistory(const trace::TraceStore& store, trace::RunId run) {
  SteeringHistory history;
  const auto events = store.steeringEvents(run);
  if (events.empty()) return history;
  const std::vector<RouterSpec> routers = store.routers(run);
  for (const trace::SteeringEvent& event : events) {
    SteeringHistory::Change change{event.token, nullptr};
    if (const auto program = steering::parseProgram(event.programJson, store.path().string())) {
      if (auto plan = steering::compile(*program, routers)) change.plan = *std::move(plan);
    }
    history.changes.push_back(std::move(change));
  }
  return history;
}

}  // namespace moescope::views
