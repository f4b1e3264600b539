// Read-only SQL over a trace with the virtual tables `routing`, `tokens`, `expert_load` and
// `router_logits`. Not for the program's own reading (trace_store.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "core/base/result.h"

namespace moescope::trace {

struct SqlBlob {
  std::string bytes;
  bool operator==(const SqlBlob&) const = default;
};
/// Text is as it stands in the file and need not be UTF-8; SQLite has no NaN, but infinities.
using SqlValue = std::variant<std::nullptr_t, std::int64_t, double, std::string, SqlBlob>;

/// Row by row, in order; return false to stop.
struct SqlReceiver {
  std::function<void(const std::vector<std::string>& columns)> columns;
  std::function<bool(const std::vector<SqlValue>& row)> row;
  /// Once for each damaged block that the query met; its rows are left out.
  std::function<void(const std::string& warning)> warning;
};

/// Errors: `sql.syntax` and `sql.failed` with SQLite's words, `sql.read_only`, `sql.timeout`,
/// `cancelled`, and those of opening a trace. `timeoutMs` 0 = none.
Result<void> runQuery(const std::filesystem::path& trace, const std::string& sql, int timeoutMs,
                      const SqlReceiver& receiver, std::stop_token stop = {});

}  // namespace moescope::trace
