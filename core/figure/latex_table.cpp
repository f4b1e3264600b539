#include "core/figure/latex_table.h"

#include <cmath>

#include <fmt/format.h>

namespace moescope::figure {

namespace {

using analysis::AnalysisResult;
using analysis::ResultCell;
using analysis::ResultMatrix;
using analysis::ResultTable;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\textbackslash{}"; break;
      case '~': out += "\\textasciitilde{}"; break;
      case '^': out += "\\textasciicircum{}"; break;
      case '#':
      case '$':
      case '%':
      case '&':
      case '_':
      case '{':
      case '}':
        out += '\\';
        out += c;
        break;
      case '\n':
      case '\r':
      case '\t': out += ' '; break;
      default: out += c;
    }
  }
  return out;
}

/// "0.1234", "$-1.5$", "$1.2 \times 10^{-7}$".
std::string number(double value) {
  if (!std::isfinite(value)) return "--";
  std::string text = fmt::format("{:.4g}", value);
  if (const auto e = text.find('e'); e != std::string::npos) {
    return fmt::format("${} \\times 10^{{{}}}$", text.substr(0, e), std::stoi(text.substr(e + 1)));
  }
  return text.front() == '-' ? "$" + text + "$" : text;
}

std::string cellText(const ResultCell& cell) {
  if (const auto* value = std::get_if<double>(&cell)) return number(*value);
  if (const auto* value = std::get_if<std::int64_t>(&cell))
    return *value < 0 ? fmt::format("${}$", *value) : fmt::format("{}", *value);
  if (const auto* value = std::get_if<std::string>(&cell)) return escaped(*value);
  return "--";
}

bool isText(const ResultTable& table, std::size_t column) {
  for (const auto& row : table.rows) {
    if (std::holds_alternative<std::string>(row[column])) return true;
  }
  return false;
}

std::string sentence(std::string text) {
  if (!text.empty() && text.back() != '.') text += '.';
  return text;
}

std::string caption(const AnalysisResult& result, const std::string& title) {
  std::string text = sentence(title);
  if (!result.sample.empty()) text += " Sample: " + sentence(result.sample);
  if (!result.baseline.empty()) text += " Baseline: " + sentence(result.baseline);
  if (!result.interval.empty()) text += " Interval: " + sentence(result.interval);
  return escaped(text);
}

/// Lines of cells in a table environment; `alignment` is one letter a column.
class LatexTable {
 public:
  LatexTable(const AnalysisResult& result, const std::string& id, const std::string& title,
             const std::string& alignment) {
    m_text = "\\begin{table}\n  \\centering\n  \\caption{" + caption(result, title) +
             "}\n  \\label{tab:" + result.analysis + "-" + id + "}\n  \\begin{tabular}{" + alignment +
             "}\n    \\toprule\n";
  }

  void row(const std::vector<std::string>& cells) {
    m_text += "    ";
    for (std::size_t i = 0; i < cells.size(); ++i) m_text += (i > 0 ? " & " : "") + cells[i];
    m_text += " \\\\\n";
  }
  void rule() { m_text += "    \\midrule\n"; }

  std::string end(const std::vector<std::string>& notes) {
    m_text += "    \\bottomrule\n  \\end{tabular}\n";
    for (const std::string& note : notes) m_text += "  \\par\\footnotesize " + escaped(sentence(note)) + "\n";
    return m_text + "\\end{table}\n";
  }

 private:
  std::string m_text;
};

std::string tableText(const AnalysisResult& result, const ResultTable& table) {
  std::string alignment;
  std::vector<std::string> head;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    alignment += isText(table, c) ? 'l' : 'r';
    const auto& column = table.columns[c];
    head.push_back(escaped(column.unit.empty() ? column.name : column.name + " (" + column.unit + ")"));
  }
  LatexTable latex(result, table.id, table.title, alignment);
  latex.row(head);
  latex.rule();
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    cells.reserve(row.size());
    for (const ResultCell& cell : row) cells.push_back(cellText(cell));
    latex.row(cells);
  }
  return latex.end(result.notes);
}

std::string matrixText(const AnalysisResult& result, const ResultMatrix& matrix) {
  const std::size_t columns = matrix.columnNames.size();
  std::string title = matrix.title + ": " + matrix.valueLabel;
  if (!matrix.unit.empty()) title += " (" + matrix.unit + ")";
  if (matrix.baseline) title += fmt::format(", {:.4g} without structure", *matrix.baseline);
  LatexTable latex(result, matrix.id, title, "l" + std::string(columns, 'r'));
  std::vector<std::string> head{escaped(matrix.rowLabel)};
  for (const std::string& name : matrix.columnNames) head.push_back(escaped(name));
  latex.row(head);
  latex.rule();
  for (std::size_t r = 0; r < matrix.rowNames.size(); ++r) {
    std::vector<std::string> cells{escaped(matrix.rowNames[r])};
    for (std::size_t c = 0; c < columns; ++c) {
      const std::size_t i = r * columns + c;
      cells.push_back(number(matrix.values[i]));
      if (!matrix.low.empty())
        cells.back() += fmt::format(" [{}, {}]", number(matrix.low[i]), number(matrix.high[i]));
    }
    latex.row(cells);
  }
  return latex.end(result.notes);
}

}  // namespace

std::string latexTables(const AnalysisResult& result) {
  std::string text = "% needs \\usepackage{booktabs}\n";
  for (const ResultTable& table : result.tables) text += tableText(result, table);
  for (const ResultMatrix& matrix : result.matrices) text += matrixText(result, matrix);
  return text;
}

}  // namespace moescope::figure
