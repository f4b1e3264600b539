#include "core/analysis/analysis_result.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json numbers(const std::vector<double>& values) {
  Json out = Json::array();
  for (const double value : values) out.push_back(number(value));
  return out;
}

Json cellJson(const ResultCell& cell) {
  if (const auto* value = std::get_if<double>(&cell)) return number(*value);
  if (const auto* value = std::get_if<std::int64_t>(&cell)) return *value;
  if (const auto* value = std::get_if<std::string>(&cell)) return *value;
  return nullptr;
}

ResultCell cellFrom(const nlohmann::json& value) {
  if (value.is_number_float()) return value.get<double>();
  if (value.is_number()) return value.get<std::int64_t>();
  if (value.is_string()) return value.get<std::string>();
  return {};
}

Json tableJson(const ResultTable& table) {
  Json columns = Json::array();
  for (const ResultColumn& column : table.columns)
    columns.push_back({{"name", column.name}, {"unit", column.unit}});
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json cells = Json::array();
    for (const ResultCell& cell : row) cells.push_back(cellJson(cell));
    rows.push_back(std::move(cells));
  }
  return {{"id", table.id}, {"title", table.title}, {"columns", columns}, {"rows", rows}};
}

Json matrixJson(const ResultMatrix& matrix) {
  Json out = {{"id", matrix.id},
              {"title", matrix.title},
              {"row_label", matrix.rowLabel},
              {"column_label", matrix.columnLabel},
              {"value_label", matrix.valueLabel},
              {"unit", matrix.unit},
              {"rows", matrix.rowNames},
              {"columns", matrix.columnNames},
              {"baseline", matrix.baseline ? number(*matrix.baseline) : Json(nullptr)},
              {"values", numbers(matrix.values)}};
  if (!matrix.low.empty()) out["low"] = numbers(matrix.low);
  if (!matrix.high.empty()) out["high"] = numbers(matrix.high);
  return out;
}

std::vector<double> numbersFrom(const nlohmann::json& values) {
  std::vector<double> out;
  for (const auto& value : values)
    out.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  return out;
}

ResultTable tableFrom(const nlohmann::json& json) {
  ResultTable table{json.at("id"), json.at("title"), {}, {}};
  for (const auto& column : json.at("columns"))
    table.columns.push_back({column.at("name"), column.at("unit")});
  for (const auto& row : json.at("rows")) {
    std::vector<ResultCell> cells;
    for (const auto& cell : row) cells.push_back(cellFrom(cell));
    if (cells.size() != table.columns.size()) throw std::length_error("a row does not fit its columns");
    table.rows.push_back(std::move(cells));
  }
  return table;
}

ResultMatrix matrixFrom(const nlohmann::json& json) {
  ResultMatrix matrix{json.at("id"),
                      json.at("title"),
                      json.at("row_label"),
                      json.at("column_label"),
                      json.at("value_label"),
                      json.at("unit"),
                      json.at("rows"),
                      json.at("columns"),
                      numbersFrom(json.at("values")),
                      {},
                      {},
                      std::nullopt};
  if (json.contains("low")) matrix.low = numbersFrom(json.at("low"));
  if (json.contains("high")) matrix.high = numbersFrom(json.at("high"));
  if (json.at("baseline").is_number()) matrix.baseline = json.at("baseline").get<double>();
  const std::size_t cells = matrix.rowNames.size() * matrix.columnNames.size();
  const auto fits = [cells](const std::vector<double>& v) { return v.empty() || v.size() == cells; };
  if (matrix.values.size() != cells || !fits(matrix.low) || !fits(matrix.high))
    throw std::length_error("a matrix does not fit its names");
  return matrix;
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string csvNumber(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

std::string csvCell(const ResultCell& cell) {
  if (const auto* value = std::get_if<double>(&cell)) return csvNumber(*value);
  if (const auto* value = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *value);
  if (const auto* value = std::get_if<std::string>(&cell)) return quoted(*value);
  return "";
}

template <class Part>
const Part* find(const std::vector<Part>& parts, std::string_view id) {
  const auto found = std::find_if(parts.begin(), parts.end(), [id](const Part& p) { return p.id == id; });
  return found == parts.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::size_t> columnOf(const ResultTable& table, std::string_view name) {
  if (name.empty()) return std::nullopt;  // what is not asked for
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].name == name) return c;
  }
  return std::nullopt;
}

double numberOf(const ResultCell& cell) {
  if (const auto* value = std::get_if<double>(&cell)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*value);
  return std::numeric_limits<double>::quiet_NaN();
}

double numberAt(const ResultTable& table, std::size_t row, std::string_view column) {
  const auto found = columnOf(table, column);
  return found ? numberOf(table.rows.at(row).at(*found)) : std::numeric_limits<double>::quiet_NaN();
}

std::string wordAt(const ResultTable& table, std::size_t row, std::string_view column) {
  const auto found = columnOf(table, column);
  const auto* word = found ? std::get_if<std::string>(&table.rows.at(row).at(*found)) : nullptr;
  return word == nullptr ? std::string() : *word;
}

const ResultTable* AnalysisResult::table(std::string_view id) const { return find(tables, id); }
const ResultMatrix* AnalysisResult::matrix(std::string_view id) const { return find(matrices, id); }

Json toJson(const AnalysisResult& result) {
  Json tables = Json::array(), matrices = Json::array();
  for (const ResultTable& table : result.tables) tables.push_back(tableJson(table));
  for (const ResultMatrix& matrix : result.matrices) matrices.push_back(matrixJson(matrix));
  return {{"moescope_analysis", 1},
          {"analysis", result.analysis},
          {"parameters", result.parameters},
          {"sample", result.sample},
          {"baseline", result.baseline},
          {"interval", result.interval},
          {"notes", result.notes},
          {"tables", tables},
          {"matrices", matrices}};
}

Result<AnalysisResult> resultFromJson(std::string_view text) try {
  const auto json = nlohmann::json::parse(text);
  AnalysisResult result{json.at("analysis"),
                        json.at("parameters"),
                        json.at("sample"),
                        json.at("baseline"),
                        json.at("interval"),
                        json.at("notes"),
                        {},
                        {}};
  for (const auto& table : json.at("tables")) result.tables.push_back(tableFrom(table));
  for (const auto& matrix : json.at("matrices")) result.matrices.push_back(matrixFrom(matrix));
  return result;
} catch (const std::exception& error) {
  return fail("trace.damaged", "", "analysis_result", error.what(), "run the analysis again");
}

std::string toCsv(const ResultTable& table) {
  std::string out;
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    out += (c > 0 ? "," : "") + quoted(table.columns[c].name);
  out += "\r\n";
  for (const auto& row : table.rows) {
    for (std::size_t c = 0; c < row.size(); ++c) out += (c > 0 ? "," : "") + csvCell(row[c]);
    out += "\r\n";
  }
  return out;
}

std::string toCsv(const ResultMatrix& matrix) {
  const bool hasInterval = !matrix.low.empty();
  std::string out = hasInterval ? "row,column,value,low,high\r\n" : "row,column,value\r\n";
  for (std::size_t r = 0; r < matrix.rowNames.size(); ++r) {
    for (std::size_t c = 0; c < matrix.columnNames.size(); ++c) {
      const std::size_t i = r * matrix.columnNames.size() + c;
      out += quoted(matrix.rowNames[r]) + "," + quoted(matrix.columnNames[c]) + "," +
             csvNumber(matrix.values[i]);
      if (hasInterval) out += "," + csvNumber(matrix.low[i]) + "," + csvNumber(matrix.high[i]);
      out += "\r\n";
    }
  }
  return out;
}

}  // namespace moescope::analysis
