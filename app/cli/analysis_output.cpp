#include "app/cli/analysis_output.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include <fmt/format.h>

#include "app/cli/text_table.h"
#include "core/base/shown_text.h"

namespace moescope::cli {

namespace {

using analysis::AnalysisInfo;
using analysis::AnalysisResult;
using analysis::ResultCell;
using analysis::ResultMatrix;
using analysis::ResultTable;

constexpr std::size_t kMatrixColumns = 12;  // side by side on a terminal
constexpr std::size_t kLongestCell = 60, kLongestLine = 2000;

/// Names and tokens come from traces and plug-ins, which must not steer the terminal.
std::string cell(const std::string& text) { return shown(text, kLongestCell); }
std::string line(const std::string& text) { return shown(text, kLongestLine); }

std::string numberText(double value) { return std::isfinite(value) ? fmt::format("{:.5g}", value) : "-"; }

std::string cellText(const ResultCell& given) {
  if (const auto* value = std::get_if<double>(&given)) return numberText(*value);
  if (const auto* value = std::get_if<std::int64_t>(&given)) return fmt::format("{}", *value);
  if (const auto* value = std::get_if<std::string>(&given)) return cell(*value);
  return "-";
}

void printOne(const ResultTable& table) {
  std::vector<Column> columns;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const auto& [name, unit] = table.columns[c];
    const bool text = std::any_of(table.rows.begin(), table.rows.end(), [c](const auto& row) {
      return std::holds_alternative<std::string>(row[c]);
    });
    columns.push_back({cell(unit.empty() ? name : fmt::format("{} ({})", name, unit)), !text});
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : table.rows) {
    rows.emplace_back();
    for (const ResultCell& one : row) rows.back().push_back(cellText(one));
  }
  fmt::print("\n{}\n", line(table.title));
  printTable(columns, rows);
}

std::string matrixCell(const ResultMatrix& matrix, std::size_t i) {
  if (matrix.low.empty()) return numberText(matrix.values[i]);
  return fmt::format("{} [{}, {}]", numberText(matrix.values[i]), numberText(matrix.low[i]),
                     numberText(matrix.high[i]));
}

void printOne(const ResultMatrix& matrix) {
  const std::size_t columns = matrix.columnNames.size();
  fmt::print("\n{}: {}{}", line(matrix.title), cell(matrix.valueLabel),
             matrix.unit.empty() ? "" : " in " + cell(matrix.unit));
  if (matrix.baseline) fmt::print(", {} without structure", numberText(*matrix.baseline));
  fmt::print("\n{} in rows, {} in columns\n", cell(matrix.rowLabel), cell(matrix.columnLabel));
  const std::size_t atOnce = matrix.low.empty() ? kMatrixColumns : kMatrixColumns / 3;
  for (std::size_t first = 0; first < columns; first += atOnce) {
    const std::size_t end = std::min(columns, first + atOnce);
    std::vector<Column> head{{cell(matrix.rowLabel), false}};
    for (std::size_t c = first; c < end; ++c) head.push_back({cell(matrix.columnNames[c]), true});
    std::vector<std::vector<std::string>> rows;
    for (std::size_t r = 0; r < matrix.rowNames.size(); ++r) {
      rows.push_back({cell(matrix.rowNames[r])});
      for (std::size_t c = first; c < end; ++c) rows.back().push_back(matrixCell(matrix, r * columns + c));
    }
    if (first > 0) fmt::print("\n");
    printTable(head, rows);
  }
}

std::string_view scopeText(analysis::AnalysisScope scope) {
  switch (scope) {
    case analysis::AnalysisScope::Run: return "run";
    case analysis::AnalysisScope::Series: return "series";
    case analysis::AnalysisScope::Checkpoint: return "checkpoint";
  }
  return "";
}

}  // namespace

void printResult(const AnalysisResult& result) {
  Facts facts{{"Sample", line(result.sample)},
              {"Baseline", line(result.baseline)},
              {"Interval", line(result.interval)}};
  std::erase_if(facts, [](const auto& fact) { return fact.second.empty(); });
  std::string title = result.analysis;
  for (const auto& [key, value] : result.parameters) title += fmt::format(" {}={}", key, value);
  printFacts(line(title), facts);
  for (const ResultTable& table : result.tables) printOne(table);
  for (const ResultMatrix& matrix : result.matrices) printOne(matrix);
  if (!result.notes.empty()) fmt::print("\n");
  for (const std::string& note : result.notes) fmt::print("Note: {}\n", line(note));
}

Result<void> printCsv(const AnalysisResult& result, const std::string& part) {
  std::vector<std::pair<std::string, std::string>> parts;
  for (const ResultTable& table : result.tables) parts.emplace_back(table.id, toCsv(table));
  for (const ResultMatrix& matrix : result.matrices) parts.emplace_back(matrix.id, toCsv(matrix));
  std::string known;
  for (const auto& [id, text] : parts) known += (known.empty() ? "" : ", ") + id;
  if (!part.empty()) {
    std::erase_if(parts, [&](const auto& one) { return one.first != part; });
    if (parts.empty())
      return fail("analysis.no_such_table", "", part, "the result has no such table", "known are " + known);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts.size() > 1) std::cout << (i > 0 ? "\r\n" : "") << "# " << parts[i].first << "\r\n";
    std::cout << parts[i].second;
  }
  return {};
}

void printAnalyses(std::span<const analysis::Analysis* const> analyses) {
  for (const analysis::Analysis* one : analyses) {
    const AnalysisInfo& info = one->info();
    fmt::print("{}  {}\n", line(info.id), line(info.label));
    fmt::print("    {}\n    of a {}", line(info.summary), scopeText(info.scope));
    if (info.scope != analysis::AnalysisScope::Checkpoint)
      fmt::print(", capture {} or more", name(info.needs));
    fmt::print("\n");
    for (const auto& parameter : info.parameters)
      fmt::print("    {}={}  {}\n", line(parameter.id), line(parameter.defaultValue),
                 line(parameter.meaning));
  }
}

nlohmann::ordered_json analysesJson(std::span<const analysis::Analysis* const> analyses) {
  auto list = nlohmann::ordered_json::array();
  for (const analysis::Analysis* one : analyses) {
    const AnalysisInfo& info = one->info();
    auto parameters = nlohmann::ordered_json::array();
    for (const auto& parameter : info.parameters) {
      parameters.push_back(
          {{"id", parameter.id}, {"default", parameter.defaultValue}, {"meaning", parameter.meaning}});
    }
    list.push_back({{"id", info.id},
                    {"label", info.label},
                    {"summary", info.summary},
                    {"scope", scopeText(info.scope)},
                    {"capture", name(info.needs)},
                    {"parameters", parameters}});
  }
  return {{"analyses", list}};
}

}  // namespace moescope::cli
