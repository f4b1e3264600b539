// Figure table: the numbers of a picture as a table, for people who read or copy them ("Show as table").
// Not for files (core/figure writes the same numbers as CSV).
#pragma once

#include <QAbstractTableModel>
#include <QKeySequence>

#include <functional>

#include "core/figure/figure_spec.h"

class QAction;

namespace moescope::views {

/// Rows and header of the figure's CSV. Read-only.
class FigureTableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  explicit FigureTableModel(const figure::FigureSpec& spec, QObject* parent = nullptr);

  [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                    int role = Qt::DisplayRole) const override;

 private:
  QStringList m_header;
  QList<QStringList> m_rows;
};

/// A window of its own, not modal; it deletes itself when it is closed.
QWidget* showFigureTable(const figure::FigureSpec& spec, QWidget* parent);

/// "Show as table", Ctrl+Shift+T while `canvas` has the focus. `figure` gives what is shown at that moment;
/// an error does nothing.
QAction* addTableAction(QWidget* canvas, std::function<Result<figure::FigureSpec>()> figure);

}  // namespace moescope::views
