#include "app/cli/query_output.h"

#include <cmath>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli/text_table.h"
#include "core/base/shown_text.h"
#include "core/base/strict_json.h"

namespace moescope::cli {

namespace {

using trace::SqlBlob;
using trace::SqlValue;

std::string hex(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

/// Shortest digits that read back as the same number; "inf" and "-inf" for infinities.
std::string numberText(double value) { return fmt::format("{}", value); }

/// Text from the file made fit for one cell of a terminal.
std::string cellText(const std::string& text) {
  constexpr std::size_t kMostBytes = 200;
  return isValidUtf8(text) ? shown(text, kMostBytes) : "x'" + hex(text.substr(0, kMostBytes / 2)) + "'";
}

std::string cellOf(const SqlValue& value) {
  constexpr std::size_t kShownBytes = 16;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::to_string(*number);
  if (const auto* real = std::get_if<double>(&value)) return numberText(*real);
  if (const auto* text = std::get_if<std::string>(&value)) return cellText(*text);
  if (const auto* blob = std::get_if<SqlBlob>(&value)) {
    if (blob->bytes.size() <= kShownBytes) return "x'" + hex(blob->bytes) + "'";
    return fmt::format("x'{}...' ({} bytes)", hex(blob->bytes.substr(0, kShownBytes)), blob->bytes.size());
  }
  return "NULL";
}

/// Columns as wide as the first rows need, so that a long result is not held in memory.
class TablePrinter final : public RowPrinter {
 public:
  explicit TablePrinter(std::ostream& out) : m_out(out) {}

  void begin(const std::vector<std::string>& columns) override {
    for (const auto& name : columns) m_columns.push_back({cellText(name), true});
    m_widths.resize(columns.size());
  }

  void row(const std::vector<SqlValue>& values) override {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < values.size(); ++i) {
      cells.push_back(cellOf(values[i]));
      const bool isText =
          std::holds_alternative<std::string>(values[i]) || std::holds_alternative<SqlBlob>(values[i]);
      if (!m_started && isText) m_columns[i].right = false;
    }
    if (m_started) return print(cells);
    m_rows.push_back(std::move(cells));
    if (m_rows.size() >= kRowsMeasured) start();
  }

  void end() override {
    if (!m_started) start();
  }

 private:
  static constexpr std::size_t kRowsMeasured = 1000;

  void start() {
    m_started = true;
    if (m_columns.empty()) return;
    std::vector<std::string> titles;
    for (std::size_t i = 0; i < m_columns.size(); ++i) {
      titles.push_back(m_columns[i].title);
      m_widths[i] = columnsOf(titles[i]);
      for (const auto& row : m_rows) m_widths[i] = std::max(m_widths[i], columnsOf(row[i]));
    }
    print(titles);
    for (const auto& row : m_rows) print(row);
    m_rows.clear();
  }

  void print(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string gap = i == 0 ? "" : "  ";
      line += m_columns[i].right ? fmt::format("{}{:>{}}", gap, cells[i], m_widths[i])
                                 : fmt::format("{}{:<{}}", gap, cells[i], m_widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    m_out << line << '\n';
  }

  std::ostream& m_out;
  std::vector<Column> m_columns;
  std::vector<std::size_t> m_widths;
  std::vector<std::vector<std::string>> m_rows;
  bool m_started = false;
};

/// RFC 4180: CRLF, fields with a comma, quote, CR or LF in quotes. NULL is an empty field and an empty text
/// is "", so that they stay apart.
class CsvPrinter final : public RowPrinter {
 public:
  explicit CsvPrinter(std::ostream& out) : m_out(out) {}

  void begin(const std::vector<std::string>& columns) override {
    for (std::size_t i = 0; i < columns.size(); ++i) m_out << (i == 0 ? "" : ",") << field(columns[i]);
    m_out << "\r\n";
  }

  void row(const std::vector<SqlValue>& values) override {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) m_out << ',';
      if (const auto* number = std::get_if<std::int64_t>(&values[i])) m_out << *number;
      if (const auto* real = std::get_if<double>(&values[i])) m_out << numberText(*real);
      if (const auto* text = std::get_if<std::string>(&values[i])) m_out << field(*text);
      if (const auto* blob = std::get_if<SqlBlob>(&values[i]))
        m_out << (blob->bytes.empty() ? "\"\"" : hex(blob->bytes));
    }
    m_out << "\r\n";
  }

  void end() override {}

 private:
  static std::string field(const std::string& text) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
  }

  std::ostream& m_out;
};

nlohmann::ordered_json jsonOf(const SqlValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* real = std::get_if<double>(&value)) {
    // JSON has no infinity; null would say that there is no value.
    return std::isfinite(*real) ? nlohmann::ordered_json(*real) : nlohmann::ordered_json(numberText(*real));
  }
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<SqlBlob>(&value)) return hex(blob->bytes);
  return nullptr;
}

/// An array of objects, or one object a line.
class JsonPrinter final : public RowPrinter {
 public:
  JsonPrinter(std::ostream& out, bool isArray) : m_out(out), m_isArray(isArray) {}

  void begin(const std::vector<std::string>& columns) override {
    std::set<std::string> taken;
    for (const auto& name : columns) {
      // A key may occur once; SQL lets two columns have one name.
      std::string key = name;
      for (int copy = 2; !taken.insert(key).second; ++copy) key = fmt::format("{}_{}", name, copy);
      m_keys.push_back(key);
    }
    if (m_isArray) m_out << '[';
  }

  void row(const std::vector<SqlValue>& values) override {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < values.size(); ++i) object[m_keys[i]] = jsonOf(values[i]);
    if (m_isArray) m_out << (m_first ? "\n  " : ",\n  ");
    m_first = false;
    m_out << object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    if (!m_isArray) m_out << '\n';
  }

  void end() override {
    if (m_isArray) m_out << (m_first ? "]\n" : "\n]\n");
  }

 private:
  std::ostream& m_out;
  const bool m_isArray;
  std::vector<std::string> m_keys;
  bool m_first = true;
};

}  // namespace

std::optional<RowFormat> rowFormatFrom(const std::string& word) {
  if (word == "table") return RowFormat::Table;
  if (word == "csv") return RowFormat::Csv;
  if (word == "json") return RowFormat::Json;
  if (word == "jsonl") return RowFormat::Jsonl;
  return std::nullopt;
}

std::unique_ptr<RowPrinter> RowPrinter::make(RowFormat format, std::ostream& out) {
  switch (format) {
    case RowFormat::Table: return std::make_unique<TablePrinter>(out);
    case RowFormat::Csv: return std::make_unique<CsvPrinter>(out);
    case RowFormat::Json: return std::make_unique<JsonPrinter>(out, true);
    case RowFormat::Jsonl: return std::make_unique<JsonPrinter>(out, false);
  }
  return nullptr;
}

}  // namespace moescope::cli
