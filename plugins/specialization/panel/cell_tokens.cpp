#include "plugins/specialization/panel/cell_tokens.h"

#include <QHeaderView>
#include <QSignalBlocker>
#include <QTableWidget>
#include <QVBoxLayout>

#include <algorithm>

#include "core/base/router_label.h"
#include "core/figure/number_text.h"
#include "core/figure/token_text.h"
#include "views/api/panel_widgets.h"
#include "views/api/query_runner.h"

namespace moescope::specialization {

namespace {

using analysis::LabelTokens;
using analysis::TokenContext;

constexpr int kTableRow = 22, kPadding = 8;
constexpr std::int64_t kLeastOccurrences = 10;  // as the analysis `vocabulary`
enum Column { kToken, kRate, kChosen, kExample, kColumns };
enum Role { kRowsRole = Qt::UserRole, kPlaceRole };

QString qt(const std::string& text) { return QString::fromStdString(text); }
QString shown(const std::string& bytes) { return qt(figure::tokenText(bytes)); }
QString counted(std::int64_t count) { return qt(figure::countText(count)); }

/// The keys of the rows in question and what the expert does with them.
Result<LabelTokens> count(const trace::TraceStore& store, const CellTokens::Cell& cell,
                          const std::stop_token& stop) {
  const auto run = analysis::analysedRun(store, cell.run, trace::CaptureLevel::Ids);
  if (!run) return fail(run.error());
  const auto router = routerIndex(run->routers, cell.expert.router());
  if (!router || cell.expert.expert.value >= run->routers[*router].experts)
    return fail("analysis.bad_param", "", "expert", "the run does not have this expert", "choose another");
  analysis::LabelTokenOptions options;
  auto keys = analysis::tokenKeys(store, *run, analysis::TokenKey::Input, stop);
  if (cell.label) {
    const auto source = analysis::labelSourceFrom(cell.source);
    if (!source) return fail(source.error());
    keys = analysis::labelTokenKeys(store, *run, *source, *cell.label, stop);
  } else {
    // Of all tokens the frequent ones would be the same for every expert.
    options.byRate = true;
    options.least = kLeastOccurrences;
  }
  if (!keys) return fail(keys.error());
  return analysis::labelTokens(store, *run, static_cast<int>(*router), cell.expert.expert.value, *keys,
                               options, stop);
}

QString headingOf(const CellTokens::Cell& cell, const LabelTokens& found) {
  const QString where = CellTokens::tr("Layer %1, expert %2")
                            .arg(qt(routerLabel(cell.expert.router())))
                            .arg(cell.expert.expert.value);
  const QString counts = CellTokens::tr("%1 of %2 tokens").arg(counted(found.chosen), counted(found.tokens));
  if (!cell.label) return CellTokens::tr("%1, all labels: %2; highest rates").arg(where, counts);
  return CellTokens::tr("%1, label %2: %3").arg(where, qt(*cell.label), counts);
}

}  // namespace

struct CellTokens::Entry {
  std::int32_t id = 0;
  QStringList texts;  ///< [kColumns]
  QString places;     ///< a line each
  QVariantList rows;  ///< of the run, as `places`
};

CellTokens::CellTokens(QWidget* parent)
    : QWidget(parent),
      m_heading(new views::TextLabel(QString(), views::TextLabel::Style::Title)),
      m_table(new QTableWidget(0, kColumns)),
      m_runner(new views::QueryRunner(this)) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_heading->setObjectName(QStringLiteral("tokens_heading"));
  m_heading->setContentsMargins(kPadding, kPadding / 2, kPadding, kPadding / 2);
  m_heading->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
  m_table->setObjectName(QStringLiteral("tokens"));
  m_table->setAccessibleName(tr("Top tokens of the expert"));
  m_table->setHorizontalHeaderLabels({tr("Token"), tr("Rate"), tr("Chosen of"), tr("For example")});
  m_table->setFrameShape(QFrame::NoFrame);
  m_table->setShowGrid(false);
  m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_table->setSelectionMode(QAbstractItemView::SingleSelection);
  m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_table->setTabKeyNavigation(false);
  m_table->setWordWrap(false);
  m_table->verticalHeader()->hide();
  m_table->verticalHeader()->setDefaultSectionSize(kTableRow);
  m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  m_table->horizontalHeader()->setSectionResizeMode(kExample, QHeaderView::Stretch);
  m_table->horizontalHeader()->setHighlightSections(false);
  column->addWidget(m_heading);
  column->addWidget(m_table, 1);
  connect(m_table, &QTableWidget::itemSelectionChanged, this, [this] {
    if (!m_table->selectedItems().isEmpty()) goTo(m_table->currentRow(), false);
  });
  connect(m_table, &QTableWidget::itemActivated, this,
          [this](const QTableWidgetItem* item) { goTo(item->row(), true); });
  setFocusProxy(m_table);
}

CellTokens::~CellTokens() = default;

bool CellTokens::busy() const { return m_runner->busy(); }

QString CellTokens::heading() const { return m_heading->text(); }

void CellTokens::show(std::shared_ptr<trace::TraceStore> store, const std::optional<Cell>& cell) {
  if (cell == m_cell) return;
  m_cell = cell;
  if (!cell || !store) {
    m_runner->cancel();
    fill({}, tr("Select an expert on the map"));
    return;
  }
  const auto work = [this, store = std::move(store), wanted = *cell](const std::stop_token& stop) {
    const auto found = count(*store, wanted, stop);
    std::vector<Entry> entries;
    QString heading;
    if (found) {
      heading = headingOf(wanted, *found);
      for (const analysis::TopToken& token : found->top) {
        Entry& entry = entries.emplace_back();
        entry.id = token.id;
        entry.texts = {shown(store->tokenBytes(wanted.run, token.id)),
                       tr("%1 %").arg(qt(figure::decimalText(100.0 * token.rate, 1))),
                       tr("%1 of %2").arg(counted(token.chosen), counted(token.occurrences)), QString()};
      }
      for (const TokenContext& place : found->contexts) {
        const auto entry = std::ranges::find(entries, place.key, &Entry::id);
        if (entry == entries.end()) continue;
        const QString text = shown(place.before) + u'[' + shown(place.token) + u']' + shown(place.after);
        if (entry->rows.isEmpty()) entry->texts[kExample] = text;
        entry->places += (entry->rows.isEmpty() ? QString() : QStringLiteral("\n")) +
                         tr("token %1: %2").arg(counted(place.row), text);
        entry->rows << QVariant(static_cast<qlonglong>(place.row));
      }
    } else {
      heading = qt(found.error().text());
    }
    return views::QueryRunner::Delivery(
        [this, entries = std::move(entries), heading] { fill(entries, heading); });
  };
  m_runner->request(work, views::QueryRunner::Urgency::Replace);
}

void CellTokens::fill(const std::vector<Entry>& entries, const QString& heading) {
  const QSignalBlocker blocker(m_table);
  m_heading->setText(heading);
  m_heading->setToolTip(heading);
  m_table->clearSelection();
  m_table->setRowCount(static_cast<int>(entries.size()));
  for (int row = 0; row < m_table->rowCount(); ++row) {
    const Entry& entry = entries[static_cast<std::size_t>(row)];
    for (int column = 0; column < kColumns; ++column) {
      auto* item = new QTableWidgetItem(entry.texts[column]);
      item->setToolTip(column == kToken ? tr("token id %1").arg(entry.id) : entry.places);
      if (column == kRate || column == kChosen) item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
      if (column == kToken) {
        item->setData(kRowsRole, entry.rows);
        item->setData(kPlaceRole, -1);
      }
      m_table->setItem(row, column, item);
    }
  }
  // The arrow keys begin at the first row.
  if (m_table->rowCount() > 0) m_table->setCurrentCell(0, kToken, QItemSelectionModel::NoUpdate);
}

void CellTokens::goTo(int row, bool next) {
  QTableWidgetItem* item = m_table->item(row, kToken);
  if (item == nullptr) return;
  const QVariantList rows = item->data(kRowsRole).toList();
  if (rows.isEmpty()) return;
  const int before = item->data(kPlaceRole).toInt();
  const int place = next ? (before + 1) % static_cast<int>(rows.size()) : 0;
  item->setData(kPlaceRole, place);
  Q_EMIT rowChosen(rows[place].toLongLong());
}

}  // namespace moescope::specialization
