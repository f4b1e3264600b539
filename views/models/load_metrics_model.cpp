#include "views/models/load_metrics_model.h"

#include "core/figure/number_text.h"
#include "views/api/theme.h"

namespace moescope::views {

namespace {

QString qt(std::string_view text) {
  return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

/// Counts of experts are whole in one layer; their mean is not.
bool isCount(analysis::LoadMeasure measure) {
  return measure == analysis::LoadMeasure::DeadExperts || measure == analysis::LoadMeasure::NearlyDeadExperts;
}

double valueIn(const LoadRow& row, int column) {
  if (column == LoadMetricsModel::kLayer) return row.layer;
  return column == LoadMetricsModel::kMean ? row.mean : row.uniform;
}

}  // namespace

void LoadMetricsModel::setRows(std::vector<LoadRow> rows, const QString& layer, int layers) {
  const bool sameShape = rows.size() == m_rows.size();
  if (!sameShape) beginResetModel();
  m_rows = std::move(rows);
  const bool sameHead = m_layer == layer && m_layers == layers;
  m_layer = layer;
  m_layers = layers;
  if (!sameShape) return endResetModel();
  if (!sameHead) Q_EMIT headerDataChanged(Qt::Horizontal, kLayer, kMean);
  if (!m_rows.empty()) Q_EMIT dataChanged(index(0, kLayer), index(rowCount() - 1, kUniform));
}

int LoadMetricsModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int LoadMetricsModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(kColumnCount);
}

QVariant LoadMetricsModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const LoadRow& row = m_rows[static_cast<std::size_t>(index.row())];
  const analysis::LoadMeasureInfo& info = analysis::infoOf(row.measure);
  const bool number = index.column() != kMetric;
  switch (role) {
    case Qt::DisplayRole: {
      if (!number) return qt(info.label);
      const bool whole = isCount(row.measure) && index.column() != kMean;
      return QString::fromStdString(
          figure::decimalText(valueIn(row, index.column()), whole ? 0 : info.decimals));
    }
    case Qt::ToolTipRole: {
      const QString unit = info.unit.empty() ? QString() : tr(", in %1").arg(qt(info.unit));
      const QString uniform = tr("uniform %1")
                                  .arg(QString::fromStdString(figure::decimalText(
                                      row.uniform, isCount(row.measure) ? 0 : info.decimals)));
      return tr("%1: %2%3; %4").arg(qt(info.label), qt(info.meaning), unit, uniform);
    }
    case Qt::TextAlignmentRole:
      return int(number ? Qt::AlignRight | Qt::AlignVCenter : Qt::AlignLeft | Qt::AlignVCenter);
    case Qt::ForegroundRole:
      return index.column() == kUniform ? QVariant(Theme::current().colour(ColourRole::Text2)) : QVariant();
    case MeasureRole: return static_cast<int>(row.measure);
    case ValueRole: return number ? QVariant(valueIn(row, index.column())) : QVariant();
    default: return {};
  }
}

QVariant LoadMetricsModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole) {
    return int(section == kMetric ? Qt::AlignLeft | Qt::AlignVCenter : Qt::AlignRight | Qt::AlignVCenter);
  }
  if (role == Qt::ToolTipRole && section == kUniform) return tr("The value at perfectly even load");
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case kMetric: return tr("Metric");
    case kLayer: return m_layer;
    case kMean: return tr("Mean of %1").arg(m_layers);
    case kUniform: return tr("Uniform");
    default: return {};
  }
}

}  // namespace moescope::views
