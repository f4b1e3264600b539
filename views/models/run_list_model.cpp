#include "views/models/run_list_model.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "views/api/number_text.h"
#include "views/api/view_context.h"

namespace moescope::views {

namespace {

QString kindWord(trace::RunKind kind, bool live) {
  if (live) return QObject::tr("recording");
  switch (kind) {
    case trace::RunKind::Generate: return QObject::tr("generate");
    case trace::RunKind::Corpus: return QObject::tr("corpus");
    case trace::RunKind::Import: return QObject::tr("import");
  }
  return {};
}

QString captureWords(trace::CaptureLevel level) {
  switch (level) {
    case trace::CaptureLevel::None: return QObject::tr("tokens only");
    case trace::CaptureLevel::Ids: return QObject::tr("ids");
    case trace::CaptureLevel::Weights: return QObject::tr("ids, weights");
    case trace::CaptureLevel::Full: return QObject::tr("full logits");
  }
  return {};
}

}  // namespace

QString runSummary(const trace::RunRecord& run, bool live) {
  return QStringLiteral("%1 · %2 · %3")
      .arg(kindWord(run.kind, live), QObject::tr("%1 tokens").arg(countText(run.tokens)),
           captureWords(run.capture));
}

RunListModel::RunListModel(ViewContext& context, QObject* parent)
    : QAbstractListModel(parent), m_context(context) {
  connect(&context, &ViewContext::storeReplaced, this, [this] {
    m_unfolded.clear();
    reload();
  });
  connect(&context, &ViewContext::runsChanged, this, &RunListModel::reload);
  connect(&context, &ViewContext::rowsChanged, this, &RunListModel::refreshRun);
  connect(&context, &ViewContext::liveStateChanged, this, &RunListModel::tellAll);
  reload();
}

void RunListModel::tellAll() {
  if (!m_rows.empty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1));
}

void RunListModel::reload() {
  m_series = m_context.store() ? m_context.store()->allSeries() : std::vector<trace::SeriesRecord>{};
  m_runs = m_context.store() ? m_context.store()->runs() : std::vector<trace::RunRecord>{};
  showRows(wantedRows());
}

std::vector<RunListModel::Row> RunListModel::wantedRows() const {
  std::vector<Row> rows;
  std::set<std::int64_t> shown;
  for (const auto& run : m_runs) {
    const auto* owner = seriesOf(run.id);
    if (owner == nullptr) {
      rows.push_back({run.id, 0});
      continue;
    }
    if (!shown.insert(owner->id).second) continue;
    rows.push_back({0, owner->id});
    if (!m_showsAll && !m_unfolded.contains(owner->id)) continue;
    for (const trace::RunId member : owner->runs) rows.push_back({member, owner->id});
  }
  return rows;
}

void RunListModel::showRows(std::vector<Row> rows) {
  if (rows == m_rows) return tellAll();
  const auto common = std::mismatch(m_rows.begin(), m_rows.end(), rows.begin(), rows.end());
  const auto first = static_cast<int>(common.first - m_rows.begin());
  const auto grown = static_cast<int>(rows.size()) - rowCount();
  const auto& longer = grown > 0 ? rows : m_rows;
  const auto& shorter = grown > 0 ? m_rows : rows;
  // One piece more or less keeps what is selected.
  const bool onePiece = grown != 0 && std::equal(longer.begin() + first + std::abs(grown), longer.end(),
                                                 shorter.begin() + first, shorter.end());
  if (!onePiece) {
    beginResetModel();
    m_rows = std::move(rows);
    endResetModel();
  } else if (grown > 0) {
    beginInsertRows({}, first, first + grown - 1);
    m_rows = std::move(rows);
    endInsertRows();
  } else {
    beginRemoveRows({}, first, first - grown - 1);
    m_rows = std::move(rows);
    endRemoveRows();
  }
  tellAll();
}

void RunListModel::refreshRun(qlonglong id) {
  // One run that grows; the others are not read again.
  const auto known =
      std::find_if(m_runs.begin(), m_runs.end(), [id](const auto& run) { return run.id == id; });
  auto run = m_context.store() ? m_context.store()->run(id) : std::nullopt;
  if (known == m_runs.end() || !run) {
    reload();
    return;
  }
  *known = *std::move(run);
  const QModelIndex row = indexOf(id);
  if (row.isValid()) Q_EMIT dataChanged(row, row);
}

int RunListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const trace::RunRecord* RunListModel::run(const QModelIndex& index) const {
  if (!index.isValid() || !checkIndex(index)) return nullptr;
  const trace::RunId id = m_rows[static_cast<std::size_t>(index.row())].run;
  const auto found =
      std::find_if(m_runs.begin(), m_runs.end(), [id](const auto& run) { return run.id == id; });
  return found != m_runs.end() ? &*found : nullptr;
}

const trace::SeriesRecord* RunListModel::series(const QModelIndex& index) const {
  if (!index.isValid() || !checkIndex(index)) return nullptr;
  const Row& row = m_rows[static_cast<std::size_t>(index.row())];
  const auto found = std::find_if(m_series.begin(), m_series.end(),
                                  [&](const auto& series) { return series.id == row.series; });
  return row.run == 0 && found != m_series.end() ? &*found : nullptr;
}

const trace::SeriesRecord* RunListModel::seriesOf(trace::RunId run) const {
  for (const auto& series : m_series) {
    if (std::find(series.runs.begin(), series.runs.end(), run) != series.runs.end()) return &series;
  }
  return nullptr;
}

QModelIndex RunListModel::indexOf(trace::RunId id) const {
  for (int row = 0; row < rowCount(); ++row) {
    if (id != 0 && m_rows[static_cast<std::size_t>(row)].run == id) return index(row);
  }
  return {};
}

std::optional<trace::RunId> RunListModel::newestRun() const {
  for (auto run = m_runs.rbegin(); run != m_runs.rend(); ++run) {
    if (seriesOf(run->id) == nullptr) return run->id;
  }
  return m_runs.empty() ? std::nullopt : std::optional(m_runs.back().id);
}

void RunListModel::setFolded(const QModelIndex& index, bool folded) {
  const auto* owner = series(index);
  if (owner == nullptr) return;
  if (folded) {
    m_unfolded.erase(owner->id);
  } else {
    m_unfolded.insert(owner->id);
  }
  showRows(wantedRows());
}

void RunListModel::reveal(trace::RunId run) {
  const auto* owner = seriesOf(run);
  if (owner != nullptr && m_unfolded.insert(owner->id).second) showRows(wantedRows());
}

void RunListModel::setShowsAll(bool all) {
  if (std::exchange(m_showsAll, all) != all) showRows(wantedRows());
}

QString RunListModel::summary(const trace::RunRecord& run) const {
  if (seriesOf(run.id) == nullptr || !run.trainStep) return runSummary(run, m_context.isLive(run.id));
  const QString step = tr("step %1").arg(countText(*run.trainStep));
  const QString seen = run.trainTokens ? tr(" · %1 tokens seen").arg(countText(*run.trainTokens)) : QString();
  return step + seen + QStringLiteral(" · ") + captureWords(run.capture);
}

QVariant RunListModel::seriesData(const trace::SeriesRecord& series, int role) const {
  const QString name = QString::fromStdString(series.name);
  const bool folded = !m_showsAll && !m_unfolded.contains(series.id);
  const QString words = series.runs.size() == 1
                            ? tr("series · 1 checkpoint")
                            : tr("series · %1 checkpoints").arg(static_cast<int>(series.runs.size()));
  switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole: return name;
    case Qt::ToolTipRole: return tr("Enter or a click unfolds the runs of the series");
    case RunIdRole: return qlonglong(0);
    case SummaryRole: return words;
    case SeriesRole: return static_cast<qlonglong>(series.id);
    case FoldedRole: return folded;
    case LiveRole:
      return folded && std::any_of(series.runs.begin(), series.runs.end(),
                                   [this](trace::RunId run) { return m_context.isLive(run); });
    case Qt::AccessibleTextRole:
      return name + QStringLiteral(", ") + words + (folded ? tr(", folded") : tr(", unfolded"));
    default: return {};
  }
}

QVariant RunListModel::data(const QModelIndex& index, int role) const {
  if (const auto* owner = series(index)) return seriesData(*owner, role);
  const auto* record = run(index);
  if (record == nullptr) return {};
  switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole: return QString::fromStdString(record->name);
    case RunIdRole: return static_cast<qlonglong>(record->id);
    case SummaryRole: return summary(*record);
    case LiveRole: return m_context.isLive(record->id);
    case SeriesRole: return qlonglong(0);
    case DepthRole: return seriesOf(record->id) != nullptr ? 1 : 0;
    case Qt::AccessibleTextRole:
      return QString::fromStdString(record->name) + QStringLiteral(", ") + summary(*record);
    default: return {};
  }
}

bool RunListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  const auto* record = run(index);
  const auto* owner = series(index);
  const QString name = value.toString().trimmed();
  if ((record == nullptr && owner == nullptr) || role != Qt::EditRole || name.isEmpty() || !m_context.store())
    return false;
  const auto renamed = owner != nullptr ? m_context.store()->renameSeries(owner->id, name.toStdString())
                                        : m_context.store()->renameRun(record->id, name.toStdString());
  if (!renamed) Q_EMIT failed(QString::fromStdString(renamed.error().text()));
  return renamed.has_value();
}

Qt::ItemFlags RunListModel::flags(const QModelIndex& index) const {
  const bool writable = m_context.store() && m_context.store()->writable();
  const auto base = QAbstractListModel::flags(index);
  return writable && checkIndex(index) && index.isValid() ? base | Qt::ItemIsEditable : base;
}

}  // namespace moescope::views
