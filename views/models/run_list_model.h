// RunListModel: the runs of the open trace as a Qt list, newest last. Not for sequences or tokens.
#pragma once

#include <QAbstractListModel>

#include <vector>

#include "core/trace/routing_types.h"

namespace moescope::views {

class ViewContext;

/// GUI thread only. Display and edit role are the run's name; renaming writes to the store.
class RunListModel : public QAbstractListModel {
  Q_OBJECT

 public:
  enum Role {
    RunIdRole = Qt::UserRole + 1,  ///< qlonglong
    SummaryRole,                   ///< "corpus · 45 056 tokens · ids, weights"
    LiveRole,                      ///< true while it is being recorded
  };

  explicit RunListModel(ViewContext& context, QObject* parent = nullptr);

  [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role) override;
  [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;

  [[nodiscard]] const trace::RunRecord* run(const QModelIndex& index) const;
  [[nodiscard]] QModelIndex indexOf(trace::RunId run) const;

 private:
  void reload();
  void refreshRun(qlonglong id);

  ViewContext& m_context;
  std::vector<trace::RunRecord> m_runs;
};

/// One line about a run: kind, tokens, capture level.
QString runSummary(const trace::RunRecord& run, bool live);

}  // namespace moescope::views
