#include "views/panels/runs/runs_panel.h"

#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QShortcut>
#include <QSortFilterProxyModel>
#include <QStackedWidget>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/engine/generation/live_session.h"
#include "views/api/number_text.h"
#include "views/api/panel_widgets.h"
#include "views/api/query_runner.h"
#include "views/api/selection_model.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"
#include "views/models/run_list_model.h"
#include "views/panels/runs/run_delegate.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 8;
constexpr std::chrono::seconds kEndLimit(2);
constexpr int kNotesHeight = 44;
constexpr int kNotesPauseMs = 400;
enum Row { kSeed, kSampler, kSteering, kDevice, kRowCount };
enum Page { kEmptyPage, kListPage };

// "T 0.80, top-p 0.95" from the sampler JSON; corpus runs show their context.
QString samplerText(const trace::RunRecord& run) {
  const auto json = nlohmann::json::parse(run.samplerJson, nullptr, false);
  if (!json.is_object()) return QObject::tr("unknown");
  if (run.kind == trace::RunKind::Corpus) {
    return QObject::tr("windows of %1 tokens").arg(json.value("context", 0));
  }
  const double temperature = json.value("temperature", 0.0);
  if (temperature == 0.0) return QObject::tr("greedy");
  return QObject::tr("T %1, top-p %2").arg(temperature, 0, 'f', 2).arg(json.value("top_p", 1.0), 0, 'f', 2);
}

// The most rules that tokens of the run were under, and from where on; what came after its last token is not
// said.
QString steeringText(const std::vector<trace::SteeringEvent>& events, std::int64_t tokens) {
  std::size_t most = 0;
  std::optional<std::int64_t> first;
  bool changed = false;
  for (const trace::SteeringEvent& event : events) {
    if (event.token >= tokens) continue;
    const auto program = nlohmann::json::parse(event.programJson, nullptr, false);
    const auto rules = program.is_object() && program.contains("rules") ? program["rules"].size() : 0;
    changed = changed || (first && rules != most);
    most = std::max(most, rules);
    if (!first && rules > 0) first = event.token;
  }
  if (!first) return QObject::tr("none");
  const QString count = most == 1 ? QObject::tr("1 rule") : QObject::tr("%1 rules").arg(most);
  return (changed ? QObject::tr("up to %1, from token %2") : QObject::tr("%1, from token %2"))
      .arg(count)
      .arg(*first);
}

}  // namespace

RunsPanel::RunsPanel(ViewContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_steering(new QueryRunner(this)),
      m_model(new RunListModel(context, this)) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  m_pages = new QStackedWidget;
  m_pages->addWidget(new EmptyState(QStringLiteral("trace"), tr("No trace open"),
                                    tr("Runs appear here when you generate, record a corpus, or open a "
                                       ".moescope file.")));
  auto* page = new QWidget;
  auto* parts = new QVBoxLayout(page);
  parts->setContentsMargins(0, 0, 0, 0);
  parts->setSpacing(0);
  parts->addWidget(makeList(), 1);
  m_details = makeDetails();
  parts->addWidget(m_details);
  m_pages->addWidget(page);
  column->addWidget(m_pages);

  const auto refreshPage = [this] {
    m_pages->setCurrentIndex(m_model->rowCount() > 0 ? kListPage : kEmptyPage);
    followSelection();
  };
  connect(m_model, &QAbstractItemModel::rowsInserted, this, refreshPage);
  connect(m_model, &QAbstractItemModel::rowsRemoved, this, refreshPage);
  connect(m_model, &QAbstractItemModel::modelReset, this, refreshPage);
  connect(m_model, &RunListModel::failed, this, &RunsPanel::failed);
  connect(m_model, &QAbstractItemModel::dataChanged, this,
          [this](const QModelIndex& first, const QModelIndex& last) {
            const int shown = m_filtered->mapToSource(m_list->currentIndex()).row();
            if (shown >= first.row() && shown <= last.row()) refreshDetails();
          });
  connect(&context, &ViewContext::storeReplaced, this, [this] {
    saveNotes();
    m_notesRun = 0;
    m_notesStore.reset();  // the old file can be closed
    m_steering->cancel();
    m_steeringRun.reset();
  });
  connect(&context.selection(), &SelectionModel::runChanged, this, &RunsPanel::followSelection);
  refreshPage();
}

RunsPanel::~RunsPanel() { saveNotes(); }

QWidget* RunsPanel::makeList() {
  auto* box = new QWidget;
  auto* column = new QVBoxLayout(box);
  column->setContentsMargins(0, kPadding, 0, 0);
  column->setSpacing(kPadding);
  auto* top = new QHBoxLayout;
  top->setContentsMargins(kPadding, 0, kPadding, 0);
  m_filter = new QLineEdit;
  m_filter->setPlaceholderText(tr("Filter runs"));
  m_filter->setClearButtonEnabled(true);
  m_filter->addAction(themeIcon(QStringLiteral("search")), QLineEdit::LeadingPosition);
  auto* more = new QToolButton;
  more->setIcon(themeIcon(QStringLiteral("menu")));
  more->setToolTip(tr("Rename, delete, save a copy"));
  more->setAccessibleName(tr("Run actions"));
  more->setPopupMode(QToolButton::InstantPopup);
  auto* menu = new QMenu(more);
  menu->setToolTipsVisible(true);
  auto* rename = menu->addAction(tr("Rename"), QKeySequence(Qt::Key_F2), this,
                                 [this] { m_list->edit(m_list->currentIndex()); });
  auto* remove =
      menu->addAction(themeIcon(QStringLiteral("delete")), tr("Delete run…"), this, &RunsPanel::deleteRow);
  menu->addSeparator();
  menu->addAction(tr("Save a copy of the trace…"), this, &RunsPanel::saveCopyRequested);
  connect(menu, &QMenu::aboutToShow, this, [this, rename, remove] {
    const bool can = m_list->currentIndex().isValid() && m_context.store() && m_context.store()->writable();
    const QModelIndex row = m_filtered->mapToSource(m_list->currentIndex());
    const auto* run = m_model->run(row);
    const bool isSeries = m_model->series(row) != nullptr;
    remove->setText(isSeries ? tr("Delete series with its runs…") : tr("Delete run…"));
    const bool isForeign = m_context.store() && !m_context.store()->writable();
    const QString why =
        isForeign ? tr("This file is open for reading only: it lies outside the folder for new traces.")
                  : QString();
    rename->setToolTip(why);
    remove->setToolTip(why);
    rename->setEnabled(can);
    remove->setEnabled(can && (isSeries ? !isLive(row) : run != nullptr && !m_context.isLive(run->id)));
  });
  more->setMenu(menu);
  top->addWidget(m_filter, 1);
  top->addWidget(more);
  column->addLayout(top);

  m_filtered = new QSortFilterProxyModel(this);
  m_filtered->setSourceModel(m_model);
  m_filtered->setFilterCaseSensitivity(Qt::CaseInsensitive);
  m_list = new QListView;
  m_list->setModel(m_filtered);
  m_list->setItemDelegate(new RunDelegate(m_list));
  m_list->setFrameShape(QFrame::NoFrame);
  m_list->viewport()->setBackgroundRole(QPalette::Window);
  m_list->setEditTriggers(QAbstractItemView::EditKeyPressed);
  m_list->setAccessibleName(tr("Runs"));
  m_list->setContextMenuPolicy(Qt::CustomContextMenu);
  connect(m_list, &QWidget::customContextMenuRequested, menu,
          [this, menu](const QPoint& at) { menu->popup(m_list->viewport()->mapToGlobal(at)); });
  m_noMatch = new TextLabel({}, TextLabel::Style::Secondary);
  m_noMatch->setAlignment(Qt::AlignCenter);
  m_noMatch->setWordWrap(true);
  m_noMatch->hide();
  connect(m_filter, &QLineEdit::textChanged, this, [this](const QString& text) {
    m_model->setShowsAll(!text.isEmpty());
    m_filtered->setFilterFixedString(text);
    m_noMatch->setVisible(m_filtered->rowCount() == 0);
    m_noMatch->setText(tr("No runs match “%1”. Clear the filter.").arg(text));
  });
  connect(m_list->selectionModel(), &QItemSelectionModel::currentChanged, this, &RunsPanel::runSelected);
  connect(m_list, &QListView::clicked, this, &RunsPanel::toggleSeries);
  // Enter too; it is not bound to a key that another widget could need.
  for (const int key : {Qt::Key_Return, Qt::Key_Enter, Qt::Key_Space}) {
    auto* toggle = new QShortcut(QKeySequence(key), m_list, nullptr, nullptr, Qt::WidgetShortcut);
    connect(toggle, &QShortcut::activated, this, [this] { toggleSeries(m_list->currentIndex()); });
  }
  column->addWidget(m_noMatch);
  column->addWidget(m_list, 1);
  return box;
}

QWidget* RunsPanel::makeDetails() {
  auto* box = new QWidget;
  auto* column = new QVBoxLayout(box);
  column->setContentsMargins(12, kPadding, 12, kPadding);
  column->setSpacing(4);
  m_rows = new QFormLayout;
  m_rows->setHorizontalSpacing(16);
  m_rows->setVerticalSpacing(3);
  const QString titles[kRowCount] = {tr("Seed"), tr("Sampler"), tr("Steering"), tr("Device")};
  for (const QString& title : titles) {
    auto* value = new TextLabel({}, TextLabel::Style::Body);
    value->setWordWrap(true);
    value->setMinimumWidth(1);
    m_rows->addRow(new TextLabel(title, TextLabel::Style::Secondary), value);
  }
  column->addLayout(m_rows);
  m_notes = new QPlainTextEdit;
  m_notes->setPlaceholderText(tr("Notes on this run"));
  m_notes->setFixedHeight(kNotesHeight);
  m_notes->setTabChangesFocus(true);
  m_notes->setAccessibleName(tr("Notes"));
  m_notesTimer = new QTimer(this);
  m_notesTimer->setSingleShot(true);
  m_notesTimer->setInterval(kNotesPauseMs);
  connect(m_notesTimer, &QTimer::timeout, this, &RunsPanel::saveNotes);
  connect(m_notes, &QPlainTextEdit::textChanged, this, [this] {
    if (m_notesRun == 0) return;
    m_notesTyped = true;
    m_notesTimer->start();
  });
  m_fileSize = new TextLabel({}, TextLabel::Style::Secondary);
  m_fileSize->setWordWrap(true);
  column->addWidget(m_notes);
  column->addWidget(m_fileSize);
  return box;
}

void RunsPanel::toggleSeries(const QModelIndex& index) {
  if (index.data(RunListModel::SeriesRole).toLongLong() == 0) return;
  m_model->setFolded(m_filtered->mapToSource(index), !index.data(RunListModel::FoldedRole).toBool());
}

void RunsPanel::followSelection() {
  const auto run = m_context.selection().run();
  // The row of a series can be looked at without choosing another run.
  if (m_list->currentIndex().data(RunListModel::SeriesRole).toLongLong() != 0 && run == m_followed) return;
  if (run && run != m_followed) m_model->reveal(*run);
  m_followed = run;
  const QModelIndex index = run ? m_filtered->mapFromSource(m_model->indexOf(*run)) : QModelIndex();
  const bool moves = index != m_list->currentIndex();
  if (moves) m_list->setCurrentIndex(index);
  refreshDetails();
  // Once the details have taken their part of the height.
  if (moves) QTimer::singleShot(0, m_list, [this] { m_list->scrollTo(m_list->currentIndex()); });
}

void RunsPanel::runSelected() {
  const QModelIndex index = m_list->currentIndex();
  if (!index.isValid() || index.data(RunListModel::RunIdRole).toLongLong() == 0) return refreshDetails();
  m_followed = index.data(RunListModel::RunIdRole).toLongLong();
  m_context.selection().setRun(index.data(RunListModel::RunIdRole).toLongLong());
}

void RunsPanel::refreshDetails() {
  const auto* run = m_model->run(m_filtered->mapToSource(m_list->currentIndex()));
  m_details->setVisible(run != nullptr);
  if (run == nullptr) return;
  const auto setRow = [this](int row, const QString& text) {
    qobject_cast<QLabel*>(m_rows->itemAt(row, QFormLayout::FieldRole)->widget())->setText(text);
  };
  setRow(kSeed,
         run->kind == trace::RunKind::Generate ? QString::number(run->seed) : tr("none: teacher forcing"));
  setRow(kSampler, samplerText(*run));
  askForSteering(*run);
  setRow(kDevice, QStringLiteral("%1, %2").arg(QString::fromStdString(run->device),
                                               QString::fromStdString(run->dtype)));
  showNotes(run->id);
  m_notes->setReadOnly(!m_context.store()->writable());
  const auto path = m_context.store()->path();
  m_fileSize->setText(tr("%1, %2").arg(QString::fromStdString(path.filename().string()),
                                       bytesText(m_context.store()->writerState().fileBytes)));
  m_fileSize->setToolTip(QString::fromStdString(path.string()));
}

void RunsPanel::askForSteering(const trace::RunRecord& record) {
  const trace::RunId run = record.id;
  const bool isOther = std::exchange(m_steeringRun, run) != run;
  const auto show = [this](const QString& text) {
    qobject_cast<QLabel*>(m_rows->itemAt(kSteering, QFormLayout::FieldRole)->widget())->setText(text);
  };
  if (isOther) show(QStringLiteral("…"));
  auto work = [store = m_context.store(), run, tokens = record.tokens, show](const std::stop_token&) {
    return QueryRunner::Delivery(
        [text = steeringText(store->steeringEvents(run), tokens), show] { show(text); });
  };
  m_steering->request(std::move(work),
                      isOther ? QueryRunner::Urgency::Replace : QueryRunner::Urgency::Refresh);
}

void RunsPanel::showNotes(trace::RunId run) {
  if (m_notesRun == run && m_notesStore == m_context.store()) return;  // what is being typed stays
  saveNotes();
  m_notesRun = 0;  // filling the field is not an edit
  m_notesStore = m_context.store();
  const auto record = m_notesStore->run(run);
  m_notes->setPlainText(record ? QString::fromStdString(record->notes) : QString());
  m_notesRun = run;
}

void RunsPanel::saveNotes() {
  m_notesTimer->stop();
  const bool typed = std::exchange(m_notesTyped, false);
  if (!typed || m_notesRun == 0 || !m_notesStore || !m_notesStore->writable()) return;
  if (auto saved = m_notesStore->setNotes(m_notesRun, m_notes->toPlainText().toStdString()); !saved) {
    Q_EMIT failed(QString::fromStdString(saved.error().text()));
  }
}

bool RunsPanel::isLive(const QModelIndex& series) const {
  const auto* record = m_model->series(series);
  return record != nullptr && std::any_of(record->runs.begin(), record->runs.end(),
                                          [this](trace::RunId run) { return m_context.isLive(run); });
}

void RunsPanel::deleteRow() {
  if (m_model->series(m_filtered->mapToSource(m_list->currentIndex())) != nullptr) {
    deleteSeries();
  } else {
    deleteRun();
  }
}

void RunsPanel::deleteSeries() {
  const auto* shown = m_model->series(m_filtered->mapToSource(m_list->currentIndex()));
  if (shown == nullptr) return;
  const trace::SeriesRecord series = *shown;  // the row may have moved when the answer comes
  const auto runs = static_cast<int>(series.runs.size());
  const QString what = runs == 1 ? tr("its run") : tr("its %1 runs").arg(runs);
  const QString text = tr("Delete the series “%1” with %2? This cannot be undone.")
                           .arg(QString::fromStdString(series.name), what);
  if (QMessageBox::question(this, tr("Delete series"), text, QMessageBox::Yes | QMessageBox::Cancel,
                            QMessageBox::Cancel) != QMessageBox::Yes) {
    return;
  }
  const auto selected = m_context.selection().run();
  if (selected && std::find(series.runs.begin(), series.runs.end(), *selected) != series.runs.end()) {
    m_notesTyped = false;
    m_context.selection().setRun(std::nullopt);
  }
  // The last run takes the series with it; an empty series has none.
  auto done = series.runs.empty() ? m_context.store()->deleteSeries(series.id) : Result<void>();
  for (const trace::RunId run : series.runs) {
    if (done) done = m_context.store()->deleteRun(run);
  }
  if (!done) Q_EMIT failed(QString::fromStdString(done.error().text()));
}

void RunsPanel::deleteRun() {
  const auto* shown = m_model->run(m_filtered->mapToSource(m_list->currentIndex()));
  if (shown == nullptr) return;
  const trace::RunRecord run = *shown;  // the row may have moved when the answer comes
  const QString text = tr("Delete the run “%1” with its %2 tokens? This cannot be undone.")
                           .arg(QString::fromStdString(run.name), countText(run.tokens));
  if (QMessageBox::question(this, tr("Delete run"), text, QMessageBox::Yes | QMessageBox::Cancel,
                            QMessageBox::Cancel) != QMessageBox::Yes) {
    return;
  }
  m_notesTyped = false;
  m_context.selection().setRun(std::nullopt);
  // A text that could be continued is still open; nothing runs, so this is over at once.
  if (run.status == trace::RunStatus::Open) m_context.session().endText().wait_for(kEndLimit);
  if (auto done = m_context.store()->deleteRun(run.id); !done) {
    Q_EMIT failed(QString::fromStdString(done.error().text()));
  }
}

}  // namespace moescope::views
