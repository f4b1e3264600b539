// The schema of a .moescope file and its numbered, forward-only migrations. Not for reading rows.
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/trace/sqlite_handle.h"

namespace moescope::trace {

inline constexpr std::int32_t kApplicationId = 0x4D6F4553;  ///< "MoES", the header's bytes 68 to 71
inline constexpr int kSchemaVersion = 2;                    ///< PRAGMA user_version
inline constexpr int kPageSize = 4096;  ///< larger pages bring nothing at 256-token blocks

/// Gives an empty database page size, application id and schema. Errors: those of SQLite.
Result<void> createSchema(Database& database);

/// True identity of an existing file, before anything else is read: application id, version, and every
/// table's definition word for word; no triggers, no table that hides a virtual one.
/// Errors: `trace.not_ours`, `trace.newer`, `trace.damaged`.
Result<void> verifySchema(Database& database);

/// Brings an older file up to kSchemaVersion, one transaction a step.
Result<void> migrate(Database& database);

}  // namespace moescope::trace
