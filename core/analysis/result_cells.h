// Result cells: how numbers that may be undefined and intervals enter a ResultTable.
// Not for writing tables to files (analysis_result.h).
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/analysis_result.h"
#include "core/analysis/bootstrap.h"
#include "core/base/router_spec.h"

namespace moescope::analysis {

/// Empty where the value is not finite.
inline ResultCell cell(double value) { return std::isfinite(value) ? ResultCell(value) : ResultCell(); }
inline ResultCell cell(std::int64_t value) { return value; }
inline ResultCell cell(int value) { return static_cast<std::int64_t>(value); }
inline ResultCell cell(const std::optional<std::int64_t>& value) {
  return value ? ResultCell(*value) : ResultCell();
}

/// Id of a matrix of one router: "rates_layer3", "rates_layer3_attention".
inline std::string matrixId(std::string_view name, const RouterKey& router) {
  std::string id = std::string(name) + "_layer" + std::to_string(router.layer.value);
  if (!router.kind.empty() && router.kind != "ffn") id += "_" + router.kind;
  return id;
}
inline std::string matrixId(std::string_view name, const RouterSpec& router) {
  return matrixId(name, RouterKey{router.layer, router.kind});
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
