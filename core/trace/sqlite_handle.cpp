#include "core/trace/sqlite_handle.h"

#include <cstring>

namespace moescope::trace {

Error sqliteError(int code, std::string_view words, const std::filesystem::path& file) {
  const std::string name = file.string();
  const std::string said(words);
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return {"machine.disk_full", name, "", "the disk is full", "free some space and record again"};
    case SQLITE_NOMEM: return {"machine.out_of_memory", name, "", "not enough memory for the trace", ""};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return {"trace.locked", name, "", "another program is using the trace", "close it there and try again"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return {"trace.unwritable", name, said, "the trace cannot be opened for this",
              "check the folder and its permissions"};
    case SQLITE_CORRUPT:
      return {"trace.damaged", name, said, "the trace is damaged", "restore it from a copy"};
    case SQLITE_NOTADB: return {"trace.not_ours", name, "", "not a MoEScope trace", ""};
    case SQLITE_INTERRUPT: return {"cancelled", name, "", "cancelled", ""};
    case SQLITE_IOERR:
      return {"machine.io", name, said, "the disk refused to read or write", "check the disk"};
    default: return {"trace.damaged", name, said, "the trace cannot be read", ""};
  }
}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(handle(), index, value);
  return *this;
}

Statement& Statement::bind(int index, double value) {
  sqlite3_bind_double(handle(), index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  const char* bytes = text.data() != nullptr ? text.data() : "";
  sqlite3_bind_text64(handle(), index, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(int index, std::span<const std::byte> blob) {
  const void* bytes = blob.data() != nullptr ? static_cast<const void*>(blob.data()) : "";
  sqlite3_bind_blob64(handle(), index, bytes, blob.size(), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bindNull(int index) {
  sqlite3_bind_null(handle(), index);
  return *this;
}

Statement& Statement::bind(int index, std::optional<std::int64_t> value) {
  return value ? bind(index, *value) : bindNull(index);
}

int Statement::step() { return sqlite3_step(handle()); }

void Statement::reset() {
  sqlite3_reset(handle());
  sqlite3_clear_bindings(handle());
}

int Statement::run() {
  int code = step();
  while (code == SQLITE_ROW) code = step();
  const int extended = code == SQLITE_DONE ? code : sqlite3_extended_errcode(m_database);
  reset();
  return extended;
}

bool Statement::isNull(int column) const { return sqlite3_column_type(handle(), column) == SQLITE_NULL; }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle(), column); }

double Statement::real(int column) const { return sqlite3_column_double(handle(), column); }

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle(), column))};
}

std::span<const std::byte> Statement::blob(int column) const {
  const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(handle(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle(), column))};
}

Result<Database> Database::open(const std::filesystem::path& file, int flags, int busyMs) {
  Database database;
  database.m_file = file;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  database.m_handle.reset(handle);
  if (code != SQLITE_OK) {
    const std::string words = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    return fail(sqliteError(code, words, file));
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busyMs);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  if (auto set = database.execute("PRAGMA cell_size_check=ON"); !set) return fail(set.error());
  return database;
}

Result<void> Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error(code));
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return fail(error(code));
  return Statement(handle(), statement);
}

Result<std::string> Database::value(std::string_view sql) const {
  auto statement = prepare(sql);
  if (!statement) return fail(statement.error());
  const int code = statement->step();
  if (code == SQLITE_DONE) return std::string();
  if (code != SQLITE_ROW) return fail(error(code));
  return statement->text(0);
}

Result<std::int64_t> Database::integer(std::string_view sql) const {
  auto statement = prepare(sql);
  if (!statement) return fail(statement.error());
  const int code = statement->step();
  if (code == SQLITE_DONE) return std::int64_t{0};
  if (code != SQLITE_ROW) return fail(error(code));
  return statement->integer(0);
}

Error Database::error(int code) const { return sqliteError(code, sqlite3_errmsg(handle()), m_file); }

}  // namespace moescope::trace
