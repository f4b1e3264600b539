#include "views/models/run_list_model.h"

#include <algorithm>

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
  connect(&context, &ViewContext::storeReplaced, this, &RunListModel::reload);
  connect(&context, &ViewContext::runsChanged, this, &RunListModel::reload);
  connect(&context, &ViewContext::rowsChanged, this, &RunListModel::refreshRun);
  connect(&context, &ViewContext::liveStateChanged, this, [this] {
    if (!m_runs.empty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1));
  });
  reload();
}

void RunListModel::reload() {
  auto runs = m_context.store() ? m_context.store()->runs() : std::vector<trace::RunRecord>{};
  const bool sameRows = std::equal(runs.begin(), runs.end(), m_runs.begin(), m_runs.end(),
                                   [](const auto& a, const auto& b) { return a.id == b.id; });
  if (sameRows) {
    m_runs = std::move(runs);
    if (!m_runs.empty()) Q_EMIT dataChanged(index(0), index(rowCount() - 1));
    return;
  }
  const bool onlyAdded =
      runs.size() > m_runs.size() && std::equal(m_runs.begin(), m_runs.end(), runs.begin(),
                                                [](const auto& a, const auto& b) { return a.id == b.id; });
  if (onlyAdded) {
    beginInsertRows({}, rowCount(), static_cast<int>(runs.size()) - 1);
    m_runs = std::move(runs);
    endInsertRows();
    return;
  }
  beginResetModel();
  m_runs = std::move(runs);
  endResetModel();
}

void RunListModel::refreshRun(qlonglong id) {
  // One run that grows; the others are not read again.
  const QModelIndex row = indexOf(id);
  auto run = m_context.store() ? m_context.store()->run(id) : std::nullopt;
  if (!row.isValid() || !run) {
    reload();
    return;
  }
  m_runs[static_cast<std::size_t>(row.row())] = *std::move(run);
  Q_EMIT dataChanged(row, row);
}

int RunListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_runs.size());
}

const trace::RunRecord* RunListModel::run(const QModelIndex& index) const {
  const bool ours = index.isValid() && checkIndex(index);
  return ours ? &m_runs[static_cast<std::size_t>(index.row())] : nullptr;
}

QModelIndex RunListModel::indexOf(trace::RunId id) const {
  for (int row = 0; row < rowCount(); ++row) {
    if (m_runs[static_cast<std::size_t>(row)].id == id) return index(row);
  }
  return {};
}

QVariant RunListModel::data(const QModelIndex& index, int role) const {
  const auto* record = run(index);
  if (record == nullptr) return {};
  switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole: return QString::fromStdString(record->name);
    case RunIdRole: return static_cast<qlonglong>(record->id);
    case SummaryRole: return runSummary(*record, m_context.isLive(record->id));
    case LiveRole: return m_context.isLive(record->id);
    case Qt::AccessibleTextRole:
      return QString::fromStdString(record->name) + QStringLiteral(", ") +
             runSummary(*record, m_context.isLive(record->id));
    default: return {};
  }
}

bool RunListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  const auto* record = run(index);
  const QString name = value.toString().trimmed();
  if (record == nullptr || role != Qt::EditRole || name.isEmpty() || !m_context.store()) return false;
  const auto renamed = m_context.store()->renameRun(record->id, name.toStdString());
  if (!renamed) Q_EMIT failed(QString::fromStdString(renamed.error().text()));
  return renamed.has_value();
}

Qt::ItemFlags RunListModel::flags(const QModelIndex& index) const {
  const bool writable = m_context.store() && m_context.store()->writable();
  const auto base = QAbstractListModel::flags(index);
  return writable && index.isValid() ? base | Qt::ItemIsEditable : base;
}

}  // namespace moescope::views
