// AnalysisResult: what an analysis found, as tables and matrices with their sample, baseline and notes.
// Not for drawing (core/figure) or for computing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace moescope::analysis {

/// Empty: undefined here (a note says why).
using ResultCell = std::variant<std::monostate, double, std::int64_t, std::string>;

struct ResultColumn {
  std::string name;  ///< "cv", "cv_low": lower case with underscores, stable
  std::string unit;  ///< "nat", "bits", "tokens" or empty
  bool operator==(const ResultColumn&) const = default;
};

struct ResultTable {
  std::string id, title;
  std::vector<ResultColumn> columns;
  std::vector<std::vector<ResultCell>> rows;  ///< each as long as `columns`
  bool operator==(const ResultTable&) const = default;
};

struct ResultMatrix {
  std::string id, title;
  std::string rowLabel, columnLabel, valueLabel;  ///< "Label", "Expert", "share of the label's choices"
  std::string unit;
  std::vector<std::string> rowNames, columnNames;
  std::vector<double> values;      ///< [rows, columns]; NaN: undefined
  std::vector<double> low, high;   ///< 95 % intervals, [rows, columns] or empty
  std::optional<double> baseline;  ///< the value that every cell has without structure
};

/// Index of a column, if the table has it.
std::optional<std::size_t> columnOf(const ResultTable& table, std::string_view name);
/// A number; NaN where the cell is text or empty or the table has no such column.
double numberOf(const ResultCell& cell);
double numberAt(const ResultTable& table, std::size_t row, std::string_view column);
/// A text; empty where the cell holds none or the table has no such column.
std::string wordAt(const ResultTable& table, std::size_t row, std::string_view column);

using AnalysisParameters = std::map<std::string, std::string>;

struct AnalysisResult {
  std::string analysis;           ///< id
  AnalysisParameters parameters;  ///< as used, defaults filled in
  std::string sample;             ///< "run 3 “corpus”, 45 056 tokens, 176 texts, capture ids"
  std::string baseline;           ///< "uniform load", "labels shuffled over texts, 20 times"
  std::string interval;           ///< "95 %, bootstrap of 1000 over 176 texts", or why there is none
  std::vector<std::string> notes;
  std::vector<ResultTable> tables;
  std::vector<ResultMatrix> matrices;

  [[nodiscard]] const ResultTable* table(std::string_view id) const;
  [[nodiscard]] const ResultMatrix* matrix(std::string_view id) const;
};

/// Numbers that are not finite become null.
nlohmann::ordered_json toJson(const AnalysisResult& result);
/// Errors: `trace.damaged` (a cached result that does not fit).
Result<AnalysisResult> resultFromJson(std::string_view text);
/// One table as CSV with a header line (RFC 4180); a matrix has one row a cell.
std::string toCsv(const ResultTable& table);
std::string toCsv(const ResultMatrix& matrix);

}  // namespace moescope::analysis
