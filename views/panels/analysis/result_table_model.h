// ResultTableModel: a table or a matrix of an analysis result for a table view. Read-only.
// Not for files (core/analysis writes CSV).
#pragma once

#include <QAbstractTableModel>

#include <memory>
#include <variant>

#include "core/analysis/analysis_result.h"

namespace moescope::views {

/// Six digits are shown; the tool tip and this role have the number that reads back as the same.
inline constexpr int kExactRole = Qt::UserRole;

class ResultTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  using Part = std::variant<const analysis::ResultTable*, const analysis::ResultMatrix*>;

  /// `part` lies in `result`.
  ResultTableModel(std::shared_ptr<const analysis::AnalysisResult> result, Part part,
                   QObject* parent = nullptr);

  [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                    int role = Qt::DisplayRole) const override;

 private:
  std::shared_ptr<const analysis::AnalysisResult> m_result;
  Part m_part;
};

}  // namespace moescope::views
