// LoadMetricsModel: the load metrics of a layer beside their mean over layers and their value at even load.
// Not for computing them.
#pragma once

#include <QAbstractTableModel>

#include <vector>

#include "views/panels/expert_load/load_picture.h"

namespace moescope::views {

/// Read-only; one row a measure, in the order of analysis::loadMeasures().
class LoadMetricsModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { kMetric, kLayer, kMean, kUniform, kColumnCount };
  static constexpr int MeasureRole = Qt::UserRole;    ///< int of analysis::LoadMeasure
  static constexpr int ValueRole = Qt::UserRole + 1;  ///< double; NaN where undefined

  explicit LoadMetricsModel(QObject* parent = nullptr) : QAbstractTableModel(parent) {}

  /// `layer` as its column is headed: "Layer 3".
  void setRows(std::vector<LoadRow> rows, const QString& layer, int layers);

  [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                    int role = Qt::DisplayRole) const override;

 private:
  std::vector<LoadRow> m_rows;
  QString m_layer;
  int m_layers = 0;
};

}  // namespace moescope::views
