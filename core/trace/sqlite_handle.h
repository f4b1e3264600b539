// Database and Statement: SQLite handles that close themselves and speak Result.
// Not a query builder and not for several threads at once on one handle.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace moescope::trace {

/// Maps an SQLite result code to an error kind: SQLITE_FULL is `machine.disk_full`, a busy file
/// `trace.locked`, a read-only one `trace.unwritable`, a corrupt one `trace.damaged`.
Error sqliteError(int code, std::string_view words, const std::filesystem::path& file);

/// One prepared statement. Bindings borrow their bytes until the next reset.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* database, sqlite3_stmt* statement) : m_database(database), m_statement(statement) {}

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::span<const std::byte> blob);
  Statement& bindNull(int index);
  Statement& bind(int index, std::optional<std::int64_t> value);

  /// SQLITE_ROW, SQLITE_DONE or an error code.
  int step();
  void reset();
  /// Steps to the end and resets: for INSERT, UPDATE and DELETE.
  int run();

  [[nodiscard]] bool isNull(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;
  /// Valid until the next step or reset; empty for NULL.
  [[nodiscard]] std::span<const std::byte> blob(int column) const;

  [[nodiscard]] explicit operator bool() const { return m_statement != nullptr; }
  [[nodiscard]] sqlite3_stmt* handle() const { return m_statement.get(); }

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* m_database = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalizer> m_statement;
};

/// Resets a statement when a scope ends: an open SELECT would starve the checkpoint.
class ResetGuard {
 public:
  explicit ResetGuard(Statement& statement) : m_statement(statement) {}
  ~ResetGuard() { m_statement.reset(); }
  ResetGuard(const ResetGuard&) = delete;
  ResetGuard& operator=(const ResetGuard&) = delete;

 private:
  Statement& m_statement;
};

class Database {
 public:
  Database() = default;
  /// `flags` as for sqlite3_open_v2. Sets the busy timeout, `trusted_schema=OFF`, `cell_size_check=ON`
  /// and SQLite's defensive mode; never `mmap_size`.
  static Result<Database> open(const std::filesystem::path& file, int flags, int busyMs = 2000);

  [[nodiscard]] sqlite3* handle() const { return m_handle.get(); }
  [[nodiscard]] const std::filesystem::path& file() const { return m_file; }
  [[nodiscard]] explicit operator bool() const { return m_handle != nullptr; }

  Result<void> execute(const char* sql);
  Result<void> execute(const std::string& sql) { return execute(sql.c_str()); }
  Result<Statement> prepare(std::string_view sql) const;
  /// First column of the first row as text; empty if there is none.
  Result<std::string> value(std::string_view sql) const;
  Result<std::int64_t> integer(std::string_view sql) const;
  /// The error that `code` stands for, with SQLite's own words.
  [[nodiscard]] Error error(int code) const;
  [[nodiscard]] Error error() const { return error(sqlite3_extended_errcode(handle())); }
  void close() { m_handle.reset(); }

 private:
  struct Closer {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Closer> m_handle;
  std::filesystem::path m_file;
};

/// Runs `work` between BEGIN IMMEDIATE and COMMIT; rolls back when it fails.
template <class Work>
Result<void> inTransaction(Database& database, Work&& work) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
  Result<void> done = work();
  if (done) done = database.execute("COMMIT");
  if (!done && sqlite3_get_autocommit(database.handle()) == 0) (void)database.execute("ROLLBACK");
  return done;
}

}  // namespace moescope::trace
