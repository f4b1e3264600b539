// What the virtual tables share: their registration, the push-down of constraints, and the rows of a file.
// Not the tables themselves (one file each).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/trace/block_cache.h"
#include "core/trace/block_reader.h"
#include "core/trace/record_tables.h"
#include "core/trace/sqlite_handle.h"

namespace moescope::trace {

/// A run as the tables see it.
struct RunView {
  RunRecord run;
  std::vector<RouterSpec> routers;
  std::unordered_map<std::int32_t, SequenceRecord> sequences;
};

/// One open file behind all tables of a connection.
class TableContext {
 public:
  TableContext();
  ~TableContext();
  /// Borrows `database`, which the tables are registered on.
  static Result<std::unique_ptr<TableContext>> open(Database& database);

  /// `stopped` is asked at every block: a scan may look at many before it has a row to give.
  void watch(std::function<bool()> stopped, std::function<void(const std::string&)> warn);
  [[nodiscard]] bool isStopped() const { return m_stopped && m_stopped(); }

  /// Blocks and summaries of a run, kept for a while: a join asks for the same ones row by row.
  [[nodiscard]] BlockSource& blocks(const RunView& view);
  [[nodiscard]] const std::vector<RunId>& runs() const { return m_runs; }
  /// Null if the run cannot be read.
  std::shared_ptr<const RunView> run(RunId id);
  /// Text of a token, bytes that are not UTF-8 replaced; nullptr if the vocabulary has no such id.
  const std::string* tokenText(std::int64_t model, std::int32_t token);

 private:
  class Blocks;

  void warnOnce(const std::string& text);

  Database* m_database = nullptr;
  BlockReader m_reader;
  std::unique_ptr<Blocks> m_blocks;
  std::function<bool()> m_stopped;
  std::function<void(const std::string&)> m_warn;
  std::set<std::string> m_warned;
  std::vector<RunId> m_runs;
  std::map<RunId, std::shared_ptr<const RunView>> m_views;
  std::map<std::pair<std::int64_t, std::int32_t>, std::optional<std::string>> m_texts;
};

/// What a query's WHERE allows a table to leave out. SQLite checks every row again.
struct Narrowing {
  std::optional<std::int64_t> run, layer, router, sequence, expert;
  std::int64_t tokenBegin = 0;
  std::int64_t tokenEnd = std::numeric_limits<std::int64_t>::max();
  bool nothing = false;             ///< no row can match
  std::uint32_t usedColumns = ~0U;  ///< bit n: column n is looked at

  [[nodiscard]] bool allows(const RouterSpec& spec, int index) const;
  [[nodiscard]] bool uses(int column) const { return (usedColumns >> column & 1U) != 0; }
};

/// One scan. Rows come in the table's natural order.
class TableCursor {
 public:
  virtual ~TableCursor() = default;
  virtual void begin(const Narrowing& narrowing) = 0;
  virtual void next() = 0;
  [[nodiscard]] virtual bool atEnd() const = 0;
  virtual void column(sqlite3_context* result, int column) const = 0;
};

/// Columns that constraints and orders name; -1 where a table has no such column.
struct TableRoles {
  int run = -1, layer = -1, router = -1, sequence = -1, expert = -1, token = -1;
};

struct TableDefinition {
  const char* name;
  const char* schema;  ///< CREATE TABLE x(...)
  TableRoles roles;
  std::vector<int> order;  ///< columns of the natural order
  std::unique_ptr<TableCursor> (*open)(TableContext& context);
};

const TableDefinition& routingTable();
const TableDefinition& tokensTable();
const TableDefinition& expertLoadTable();
const TableDefinition& routerLogitsTable();

/// Registers all four on the context's connection; `context` must outlive it.
Result<void> registerTables(Database& database, TableContext& context);

/// Results for xColumn.
void resultText(sqlite3_context* result, std::string_view text);
void resultReal(sqlite3_context* result, float value);  ///< NaN = NULL

}  // namespace moescope::trace
