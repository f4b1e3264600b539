// CellTokens: the list of tokens that an expert serves, of one label or of all, with places in the text.
// Not for counting them (core/analysis/label_tokens.h).
#pragma once

#include <QWidget>

#include <optional>
#include <string>
#include <vector>

#include "core/analysis/label_tokens.h"
#include "core/base/indices.h"
#include "core/trace/trace_store.h"

class QLabel;
class QTableWidget;

namespace moescope::views {
class QueryRunner;
}

namespace moescope::specialization {

/// GUI thread only.
class CellTokens : public QWidget {
  Q_OBJECT

 public:
  /// An expert of a run, and a label as an analysis has it.
  struct Cell {
    trace::RunId run = 0;
    std::int64_t tokens = 0;  ///< of the run, which may grow
    ExpertCell expert;
    std::string source;                ///< where labels come from, as the analysis was told
    std::optional<std::string> label;  ///< none: tokens of all labels
    bool operator==(const Cell&) const = default;
  };

  explicit CellTokens(QWidget* parent = nullptr);
  ~CellTokens() override;

  /// Counts and shows; nothing happens if the cell is the one shown. None: an empty list.
  void show(std::shared_ptr<trace::TraceStore> store, const std::optional<Cell>& cell);
  [[nodiscard]] bool busy() const;
  [[nodiscard]] QString heading() const;

 Q_SIGNALS:
  /// A place in the run was chosen: the first one of a token; Enter or a double click goes on to the next.
  void rowChosen(qlonglong row);

 private:
  struct Entry;
  void fill(const std::vector<Entry>& entries, const QString& heading);
  void goTo(int row, bool next);

  QLabel* m_heading;
  QTableWidget* m_table;
  views::QueryRunner* m_runner;
  std::optional<Cell> m_cell;
};

}  // namespace moescope::specialization
