// What several subcommands print: aligned facts and tables, short numbers, routers.
// Not for errors (command.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/router_spec.h"

namespace moescope::cli {

/// "5.66 M", "6.92 B".
std::string parametersText(std::int64_t parameters);
/// "744 B", "10.8 MiB".
std::string bytesText(std::int64_t bytes);
/// "6 x 32 experts, top-4"; groups of equal routers one after the other, "; " between them.
std::string routersText(std::span<const RouterSpec> routers);

/// One object a router: layer, kind, experts, top_k, score, norm, scale, shared_experts.
nlohmann::ordered_json routersJson(std::span<const RouterSpec> routers);

/// Label and value, one a line.
using Facts = std::vector<std::pair<std::string, std::string>>;
/// The title, then the facts with their values in one column.
void printFacts(const std::string& title, const Facts& facts);

/// Columns that a text takes on a terminal.
std::size_t columnsOf(const std::string& text);

struct Column {
  std::string title;
  bool right = false;  ///< numbers
};
/// Columns as wide as their widest cell.
void printTable(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows);

}  // namespace moescope::cli
