#include "core/trace/trace_sql.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include <fmt/format.h>

#include "core/trace/trace_file.h"
#include "core/trace/virtual_table.h"

namespace moescope::trace {

namespace {

/// Ends a query that takes too long or was cancelled; asked by SQLite every few thousand steps.
struct Watch {
  std::stop_token stop;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  bool timedOut = false;

  bool isOver() {
    if (stop.stop_requested()) return true;
    timedOut = timedOut || (deadline && std::chrono::steady_clock::now() >= *deadline);
    return timedOut;
  }
  static int look(void* self) { return static_cast<Watch*>(self)->isOver() ? 1 : 0; }
};

/// Reading, functions, and the pragmas that only describe tables; nothing else, whatever the file says.
int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
  constexpr std::array kPragmas{"table_info", "table_xinfo", "table_list", "index_list", "index_info"};
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION:
      return second != nullptr && std::string_view(second) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA:
      return first != nullptr && std::ranges::find(kPragmas, std::string_view(first)) != kPragmas.end()
                 ? SQLITE_OK
                 : SQLITE_DENY;
    default: return SQLITE_DENY;
  }
}

SqlBlob blobOf(const Statement& row, int column) {
  const auto bytes = row.blob(column);
  return {std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
}

SqlValue valueOf(const Statement& row, int column) {
  switch (sqlite3_column_type(row.handle(), column)) {
    case SQLITE_INTEGER: return row.integer(column);
    case SQLITE_FLOAT: return row.real(column);
    case SQLITE_TEXT: return row.text(column);
    case SQLITE_BLOB: return blobOf(row, column);
    default: return nullptr;
  }
}

class Query {
 public:
  Query(Database& database, const Watch& watch) : m_database(database), m_watch(watch) {}

  Result<Statement> prepare(const std::string& sql) const {
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    const int code =
        sqlite3_prepare_v2(m_database.handle(), sql.c_str(), static_cast<int>(sql.size()), &raw, &rest);
    Statement statement(m_database.handle(), raw);
    if (code == SQLITE_AUTH) return fail(readOnly());
    if (code != SQLITE_OK) {
      const int offset = sqlite3_error_offset(m_database.handle());
      return fail("sql.syntax", m_database.file().string(),
                  offset >= 0 ? fmt::format("character {}", offset + 1) : "",
                  sqlite3_errmsg(m_database.handle()), "docs/file_format.md lists the tables");
    }
    if (!statement)
      return fail("sql.syntax", m_database.file().string(), "", "there is no statement", "give a SELECT");
    if (hasStatement(rest))
      return fail("sql.syntax", m_database.file().string(),
                  fmt::format("character {}", rest - sql.c_str() + 1), "there is more than one statement",
                  "give one SELECT at a time");
    if (sqlite3_stmt_readonly(raw) == 0) return fail(readOnly());
    return statement;
  }

  Result<void> run(Statement& statement, const SqlReceiver& receiver) const {
    const int columns = sqlite3_column_count(statement.handle());
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) names.emplace_back(sqlite3_column_name(statement.handle(), i));
    if (receiver.columns) receiver.columns(names);
    std::vector<SqlValue> row(static_cast<std::size_t>(columns));
    int code = SQLITE_ROW;
    while ((code = statement.step()) == SQLITE_ROW) {
      for (int i = 0; i < columns; ++i) row[static_cast<std::size_t>(i)] = valueOf(statement, i);
      if (receiver.row && !receiver.row(row)) return {};
    }
    return code == SQLITE_DONE ? Result<void>{} : fail(failure(code));
  }

 private:
  /// Comments, blanks and semicolons may follow.
  [[nodiscard]] bool hasStatement(const char* rest) const {
    while (rest != nullptr && *rest != '\0') {
      sqlite3_stmt* raw = nullptr;
      const char* after = nullptr;
      const int code = sqlite3_prepare_v2(m_database.handle(), rest, -1, &raw, &after);
      const Statement next(m_database.handle(), raw);
      if (code != SQLITE_OK || next) return true;
      rest = after;
    }
    return false;
  }

  [[nodiscard]] Error readOnly() const {
    return {"sql.read_only", m_database.file().string(), "", "a query can only read", "give a SELECT"};
  }

  [[nodiscard]] Error failure(int code) const {
    const std::string file = m_database.file().string();
    if ((code & 0xFF) == SQLITE_INTERRUPT && m_watch.timedOut)
      return {"sql.timeout", file, "", "the query took too long",
              "narrow it by run, layer or token_index, or raise --timeout"};
    if ((code & 0xFF) == SQLITE_INTERRUPT) return {"cancelled", file, "", "cancelled", ""};
    if ((code & 0xFF) == SQLITE_ERROR)
      return {"sql.failed", file, "", sqlite3_errmsg(m_database.handle()), ""};
    return m_database.error(code);
  }

  Database& m_database;
  const Watch& m_watch;
};

}  // namespace

Result<void> runQuery(const std::filesystem::path& trace, const std::string& sql, int timeoutMs,
                      const SqlReceiver& receiver, std::stop_token stop) {
  Watch watch{std::move(stop), std::nullopt};
  if (timeoutMs > 0) watch.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeoutMs);
  // The context outlives the connection, whose tables point to it.
  std::unique_ptr<TableContext> context;
  auto opened = openForReading(trace);
  if (!opened) return fail(opened.error());
  Database& database = opened->database;
  auto made = TableContext::open(database);
  if (!made) return fail(made.error());
  context = std::move(*made);
  context->watch([&watch] { return watch.isOver(); }, receiver.warning);
  if (auto registered = registerTables(database, *context); !registered) return registered;
  if (auto set = database.execute("PRAGMA query_only=ON"); !set) return set;
  sqlite3_limit(database.handle(), SQLITE_LIMIT_LENGTH, 64 << 20);
  sqlite3_limit(database.handle(), SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_set_authorizer(database.handle(), authorize, nullptr);
  sqlite3_progress_handler(database.handle(), 2000, Watch::look, &watch);
  Query query(database, watch);
  auto statement = query.prepare(sql);
  if (!statement) return fail(statement.error());
  return query.run(*statement, receiver);
}

}  // namespace moescope::trace
