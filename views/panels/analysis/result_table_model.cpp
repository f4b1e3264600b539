#include "views/panels/analysis/result_table_model.h"

#include <QLocale>

#include <cmath>

namespace moescope::views {

namespace {

using analysis::ResultCell;
using analysis::ResultMatrix;
using analysis::ResultTable;

constexpr int kDigits = 6;

QString qt(const std::string& text) { return QString::fromStdString(text); }

QString numberText(double value) {
  if (!std::isfinite(value)) return QStringLiteral("–");
  return QString::number(value, 'g', kDigits).replace(QLatin1Char('-'), QChar(0x2212));
}

/// The shortest text that reads back as the same number.
QString exactText(double value) {
  return std::isfinite(value) ? QString::number(value, 'g', QLocale::FloatingPointShortest) : QString();
}

QString exactText(const ResultCell& cell) {
  if (const auto* value = std::get_if<double>(&cell)) return exactText(*value);
  if (const auto* value = std::get_if<std::int64_t>(&cell)) return QString::number(*value);
  if (const auto* value = std::get_if<std::string>(&cell)) return qt(*value);
  return {};
}

QString cellText(const ResultCell& cell) {
  if (const auto* value = std::get_if<double>(&cell)) return numberText(*value);
  if (const auto* value = std::get_if<std::int64_t>(&cell))
    return QString::number(*value).replace(QLatin1Char('-'), QChar(0x2212));
  if (const auto* value = std::get_if<std::string>(&cell)) return qt(*value);
  return QStringLiteral("–");
}

std::size_t at(int index) { return static_cast<std::size_t>(index); }

}  // namespace

ResultTableModel::ResultTableModel(std::shared_ptr<const analysis::AnalysisResult> result, Part part,
                                   QObject* parent)
    : QAbstractTableModel(parent), m_result(std::move(result)), m_part(part) {}

int ResultTableModel::rowCount(const QModelIndex& parent) const {
  if (parent.isValid()) return 0;
  if (const auto* table = std::get_if<const ResultTable*>(&m_part))
    return static_cast<int>((*table)->rows.size());
  return static_cast<int>(std::get<const ResultMatrix*>(m_part)->rowNames.size());
}

int ResultTableModel::columnCount(const QModelIndex& parent) const {
  if (parent.isValid()) return 0;
  if (const auto* table = std::get_if<const ResultTable*>(&m_part))
    return static_cast<int>((*table)->columns.size());
  return static_cast<int>(std::get<const ResultMatrix*>(m_part)->columnNames.size());
}

QVariant ResultTableModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  if (const auto* table = std::get_if<const ResultTable*>(&m_part)) {
    const ResultCell& cell = (*table)->rows[at(index.row())][at(index.column())];
    if (role == Qt::DisplayRole) return cellText(cell);
    if (role == kExactRole || role == Qt::ToolTipRole) return exactText(cell);
    if (role != Qt::TextAlignmentRole) return {};
    return int((std::holds_alternative<std::string>(cell) ? Qt::AlignLeft : Qt::AlignRight) |
               Qt::AlignVCenter);
  }
  const ResultMatrix& matrix = *std::get<const ResultMatrix*>(m_part);
  const std::size_t cell = at(index.row()) * matrix.columnNames.size() + at(index.column());
  if (role == Qt::DisplayRole) return numberText(matrix.values[cell]);
  if (role == Qt::TextAlignmentRole) return int(Qt::AlignRight | Qt::AlignVCenter);
  if (role == kExactRole) return exactText(matrix.values[cell]);
  if (role != Qt::ToolTipRole) return {};
  const QString value = exactText(matrix.values[cell]);
  if (matrix.low.empty()) return value;
  return tr("%1\n95 %: %2 to %3").arg(value, exactText(matrix.low[cell]), exactText(matrix.high[cell]));
}

QVariant ResultTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole) return {};
  if (const auto* table = std::get_if<const ResultTable*>(&m_part)) {
    if (orientation == Qt::Vertical) return section + 1;
    const auto& column = (*table)->columns[at(section)];
    return column.unit.empty() ? qt(column.name) : tr("%1, %2").arg(qt(column.name), qt(column.unit));
  }
  const ResultMatrix& matrix = *std::get<const ResultMatrix*>(m_part);
  return qt((orientation == Qt::Horizontal ? matrix.columnNames : matrix.rowNames)[at(section)]);
}

}  // namespace moescope::views
