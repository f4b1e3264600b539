// Result cells: how numbers that may be undefined and intervals enter a ResultTable.
// Not for writing tables to files (analysis_result.h).
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/analysis_result.h"
#include "core/analysis/bootstrap.h"

namespace moescope::analysis {

/// Empty where the value is not finite.
inline ResultCell cell(double value) { return std::isfinite(value) ? ResultCell(value) : ResultCell(); }
inline ResultCell cell(std::int64_t value) { return value; }
inline ResultCell cell(int value) { return static_cast<std::int64_t>(value); }
inline ResultCell cell(const std::optional<std::int64_t>& value) {
  return value ? ResultCell(*value) : ResultCell();
}

/// Appends low and high.
inline void addInterval(std::vector<ResultCell>& row, const Interval& interval) {
  row.push_back(cell(interval.low));
  row.push_back(cell(interval.high));
}

/// Appends NAME, NAME_low and NAME_high.
inline void addIntervalColumns(std::vector<ResultColumn>& columns, const std::string& name,
                               const std::string& unit = {}) {
  for (const char* end : {"", "_low", "_high"}) columns.push_back({name + end, unit});
}

}  // namespace moescope::analysis
