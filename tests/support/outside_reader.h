// Outside reader: a trace as another program's SQLite sees it. Not for what the store itself shows.
#pragma once

#include <filesystem>
#include <string>

#include <sqlite3.h>

namespace moescope::tests {

/// First value of a query through a connection of our own, as another program sees the file.
inline std::string outside(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* raw = nullptr;
  sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
  sqlite3_busy_timeout(raw, 2000);
  sqlite3_stmt* statement = nullptr;
  std::string value = "error";
  if (sqlite3_prepare_v2(raw, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    value = text != nullptr ? text : "null";
  }
  sqlite3_finalize(statement);
  sqlite3_close(raw);
  return value;
}

}  // namespace moescope::tests
