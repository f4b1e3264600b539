// RunListModel: the runs of the open trace as a Qt list, newest last; the runs of a series fold into one row.
// Not for sequences or tokens.
#pragma once

#include <QAbstractListModel>

#include <set>
#include <vector>

#include "core/trace/trace_store.h"

namespace moescope::views {

class ViewContext;

/// GUI thread only. Display and edit role are the name of the run or series; renaming writes to the store. A
/// series stands where its first run would; its runs follow it, in order of training, while it is unfolded.
class RunListModel : public QAbstractListModel {
  Q_OBJECT

 public:
  enum Role {
    RunIdRole = Qt::UserRole + 1,  ///< qlonglong
    SummaryRole,                   ///< "corpus · 45 056 tokens · ids, weights"
    LiveRole,                      ///< true while it is being recorded
    SeriesRole,                    ///< qlonglong: of a series' own row; 0 for a run
    FoldedRole,                    ///< of a series' own row
    DepthRole,                     ///< 1 for a run of a series, else 0
  };

  explicit RunListModel(ViewContext& context, QObject* parent = nullptr);

  [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role) override;
  [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;

  [[nodiscard]] const trace::RunRecord* run(const QModelIndex& index) const;
  /// Of a series' own row, else null.
  [[nodiscard]] const trace::SeriesRecord* series(const QModelIndex& index) const;
  [[nodiscard]] QModelIndex indexOf(trace::RunId run) const;
  /// The last run that is in no series, else the last one; none in an empty file.
  [[nodiscard]] std::optional<trace::RunId> newestRun() const;

  void setFolded(const QModelIndex& series, bool folded);
  /// Unfolds the series of a run.
  void reveal(trace::RunId run);
  /// Shows the runs of folded series too, for a filter.
  void setShowsAll(bool all);

 Q_SIGNALS:
  void failed(const QString& text);  ///< the store could not be changed

 private:
  void reload();
  void refreshRun(qlonglong id);
  /// A run, or a series' own row.
  struct Row {
    trace::RunId run = 0;
    std::int64_t series = 0;
    bool operator==(const Row&) const = default;
  };
  [[nodiscard]] std::vector<Row> wantedRows() const;
  void showRows(std::vector<Row> rows);
  void tellAll();
  [[nodiscard]] const trace::SeriesRecord* seriesOf(trace::RunId run) const;
  [[nodiscard]] QString summary(const trace::RunRecord& run) const;
  [[nodiscard]] QVariant seriesData(const trace::SeriesRecord& series, int role) const;

  ViewContext& m_context;
  std::vector<trace::RunRecord> m_runs;
  std::vector<trace::SeriesRecord> m_series;
  std::vector<Row> m_rows;
  std::set<std::int64_t> m_unfolded;
  bool m_showsAll = false;
};

/// One line about a run: kind, tokens, capture level.
QString runSummary(const trace::RunRecord& run, bool live);

}  // namespace moescope::views
