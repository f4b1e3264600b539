// SteeringHistory: which compiled program was in force at each token of a run.
// Not for what the rules did (CellDetail, RuleEffect).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/steering/steering_plan.h"
#include "core/trace/trace_store.h"

namespace moescope::views {

struct SteeringHistory {
  struct Change {
    std::int64_t token = 0;                              ///< the first one that the plan acted on
    std::shared_ptr<const steering::SteeringPlan> plan;  ///< null: not known
  };
  std::vector<Change> changes;  ///< by token

  /// Null before the first program, and where it cannot be known.
  [[nodiscard]] const steering::SteeringPlan* planAt(std::int64_t token) const;
};

/// Reads the file: not for the GUI thread.
SteeringHistory readSteeringHistory(const trace::TraceStore& store, trace::RunId run);

}  // namespace moescope::views
