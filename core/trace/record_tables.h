// Rows of the small tables (model, router, run, sequence, steering_event, vocabulary) as records and back.
// Not for blocks (block_reader.h, batch_writer.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/rule_effect.h"
#include "core/trace/routing_types.h"
#include "core/trace/sqlite_handle.h"

namespace moescope::trace {

/// Limits on what a file may claim of a model, so that no size is believed unchecked.
inline constexpr int kMostExperts = 0xFFFE;
inline constexpr int kMostRouters = 4096;

/// Null if there is no such row. Errors: `trace.damaged` for values no model can have.
Result<std::optional<ModelRecord>> readModel(Database& database, std::int64_t model);
/// How many layers of a model are an encoder's; 0 for other models. Errors: `trace.damaged`.
Result<int> readEncoderLayers(Database& database, std::int64_t model);
/// Finds the model by its fingerprints, configuration and routers, or adds it.
Result<std::int64_t> findOrAddModel(Database& database, const ModelRecord& model);

Result<std::vector<RunRecord>> readRuns(Database& database);
Result<std::optional<RunRecord>> readRun(Database& database, RunId run);
/// Returns the new row's id; `run.id` is not looked at.
Result<RunId> addRun(Database& database, const RunRecord& run);

Result<std::vector<SequenceRecord>> readSequences(Database& database, RunId run);
Result<std::vector<SteeringEvent>> readSteeringEvents(Database& database, RunId run);
/// By rule id. A file of schema 1 has none.
Result<std::vector<RuleEffect>> readRuleEffects(Database& database, RunId run);
/// Empty optional if the id has no row.
Result<std::optional<std::string>> readTokenBytes(Database& database, std::int64_t model, std::int32_t token);

}  // namespace moescope::trace
