// RowPrinter: rows of a query as a table, CSV, JSON or one JSON object a line, streamed.
// Not for running the query (query.cpp).
#pragma once

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "core/trace/trace_sql.h"

namespace moescope::cli {

enum class RowFormat { Table, Csv, Json, Jsonl };
std::optional<RowFormat> rowFormatFrom(const std::string& word);

class RowPrinter {
 public:
  virtual ~RowPrinter() = default;
  virtual void begin(const std::vector<std::string>& columns) = 0;
  virtual void row(const std::vector<trace::SqlValue>& values) = 0;
  /// After the last row, also when the query ended early.
  virtual void end() = 0;

  /// `out` must outlive the printer.
  static std::unique_ptr<RowPrinter> make(RowFormat format, std::ostream& out);
};

}  // namespace moescope::cli
