#include "views/panels/analysis/result_view.h"

#include <QAction>
#include <QClipboard>
#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPushButton>
#include <QSaveFile>
#include <QScrollArea>
#include <QTabBar>
#include <QTabWidget>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>

#include "views/api/panel_widgets.h"
#include "views/api/sample_line.h"
#include "views/panels/analysis/result_table_model.h"

namespace moescope::views {

namespace {

constexpr int kMostNotesHeight = 96;

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// What is selected as rows of tabs, as spreadsheets take it, with all digits.
void copySelection(const QTableView& view) {
  auto cells = view.selectionModel()->selectedIndexes();
  std::sort(cells.begin(), cells.end());
  QString text;
  for (qsizetype i = 0; i < cells.size(); ++i) {
    if (i > 0) text += cells[i].row() == cells[i - 1].row() ? QLatin1Char('\t') : QLatin1Char('\n');
    text += cells[i].data(kExactRole).toString().simplified();
  }
  if (!cells.isEmpty()) QGuiApplication::clipboard()->setText(text);
}

void addCopy(QTableView* view) {
  auto* copy = new QAction(QObject::tr("Copy"), view);
  copy->setShortcut(QKeySequence::Copy);
  copy->setShortcutContext(Qt::WidgetShortcut);
  QObject::connect(copy, &QAction::triggered, view, [view] { copySelection(*view); });
  view->addAction(copy);
  view->setContextMenuPolicy(Qt::ActionsContextMenu);
}

QTableView* makeTable(ResultTableModel* model, const QString& name, bool rowNames) {
  auto* view = new QTableView;
  model->setParent(view);
  view->setModel(model);
  view->setAccessibleName(name);
  view->setFrameShape(QFrame::NoFrame);
  view->setEditTriggers(QAbstractItemView::NoEditTriggers);
  view->setTabKeyNavigation(false);
  view->verticalHeader()->setVisible(rowNames);
  addCopy(view);
  view->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  return view;
}

}  // namespace

ResultView::ResultView(const plugin::PluginHost& host, QWidget* parent)
    : QWidget(parent),
      m_host(host),
      m_sample(new SampleLine),
      m_interval(new TextLabel({}, TextLabel::Style::Secondary)),
      m_table(new QComboBox),
      m_tabs(new QTabWidget),
      m_notes(new TextLabel({}, TextLabel::Style::Secondary)) {
  m_notes->setWordWrap(true);
  m_notes->setTextInteractionFlags(Qt::TextSelectableByMouse);
  m_notes->setObjectName(QStringLiteral("notes"));
  m_interval->setWordWrap(true);
  // Some results have twenty tables: their titles are read in a list, not in a row of tabs.
  m_tabs->setDocumentMode(true);
  m_tabs->tabBar()->hide();
  m_table->setObjectName(QStringLiteral("table"));
  m_table->setAccessibleName(tr("Table of the result"));
  m_table->setToolTip(tr("Table of the result that is shown"));
  m_table->hide();
  connect(m_table, &QComboBox::activated, m_tabs, &QTabWidget::setCurrentIndex);
  connect(m_tabs, &QTabWidget::currentChanged, m_table, &QComboBox::setCurrentIndex);
  auto* scroll = new QScrollArea;
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setMaximumHeight(kMostNotesHeight);
  scroll->setWidget(m_notes);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(m_sample);
  column->addWidget(m_interval);
  column->addWidget(m_table);
  column->addWidget(m_tabs, 1);
  column->addWidget(scroll);
  m_buttons = makeButtons();
  column->addWidget(m_buttons);
}

QWidget* ResultView::makeButtons() {
  auto* buttons = new QWidget;
  auto* row = new QHBoxLayout(buttons);
  row->setContentsMargins(0, 0, 0, 0);
  row->addStretch(1);
  addButton(*row, "csv", QStringLiteral("CSV"), QStringLiteral(".csv"));
  addButton(*row, "json", QStringLiteral("JSON"), QStringLiteral(".json"));
  for (const figure::Exporter* exporter : m_host.exporters()) {
    const auto& info = exporter->info();
    addButton(*row, info.id, qt(info.label), qt(info.suffix));
  }
  buttons->setEnabled(false);
  return buttons;
}

void ResultView::addButton(QLayout& row, const std::string& format, const QString& name,
                           const QString& suffix) {
  auto* button = new QPushButton(tr("Export %1…").arg(name));
  button->setObjectName(QStringLiteral("export_") + qt(format));
  if (format == "csv") button->setToolTip(tr("The table that is shown"));
  row.addWidget(button);
  connect(button, &QPushButton::clicked, this, [this, format, name, suffix] { save(format, name, suffix); });
}

void ResultView::setResult(std::shared_ptr<const analysis::AnalysisResult> result, bool partial) {
  const int shown = m_tabs->currentIndex();
  while (m_tabs->count() > 0) delete m_tabs->widget(0);
  m_result = std::move(result);
  m_sample->setSample(qt(m_result->sample), {}, qt(m_result->baseline));
  m_sample->setStale(false);
  m_interval->setText(m_result->interval.empty() ? QString()
                                                 : tr("Interval: %1").arg(qt(m_result->interval)));
  for (const auto& table : m_result->tables) {
    m_tabs->addTab(makeTable(new ResultTableModel(m_result, &table), qt(table.title), false),
                   qt(table.title));
  }
  for (const auto& matrix : m_result->matrices) {
    m_tabs->addTab(makeTable(new ResultTableModel(m_result, &matrix), qt(matrix.title), true),
                   qt(matrix.title));
    m_tabs->setTabToolTip(m_tabs->count() - 1,
                          tr("%1 in rows, %2 in columns: %3")
                              .arg(qt(matrix.rowLabel), qt(matrix.columnLabel), qt(matrix.valueLabel)));
  }
  m_table->clear();
  for (int i = 0; i < m_tabs->count(); ++i) {
    m_table->addItem(m_tabs->tabText(i));
    m_table->setItemData(i, m_tabs->tabToolTip(i), Qt::ToolTipRole);
  }
  m_table->setVisible(m_tabs->count() > 1);
  if (shown >= 0 && shown < m_tabs->count()) m_tabs->setCurrentIndex(shown);
  m_table->setCurrentIndex(m_tabs->currentIndex());
  QStringList notes;
  for (const std::string& note : m_result->notes) notes << qt(note);
  m_notes->setText(notes.join(QLatin1Char('\n')));
  m_buttons->setEnabled(!partial);
}

void ResultView::setStale(bool stale) {
  m_sample->setStale(stale);
  if (stale) m_buttons->setEnabled(false);
}

Result<std::string> ResultView::exported(const std::string& format) const {
  if (!m_result) return fail("analysis.no_result", "", "", "there is no result yet", "run an analysis");
  if (format == "json")  // token texts may be no UTF-8
    return toJson(*m_result).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (format == "csv") {
    const int shown = m_tabs->currentIndex();
    if (shown < 0) return fail("analysis.no_result", "", "", "the result has no table", "export JSON");
    const auto index = static_cast<std::size_t>(shown);
    const std::size_t tables = m_result->tables.size();
    return index < tables ? toCsv(m_result->tables[index]) : toCsv(m_result->matrices[index - tables]);
  }
  const auto exporter = m_host.findExporter(format);
  if (!exporter) return fail(exporter.error());
  return (*exporter)->writeResult(*m_result);
}

void ResultView::save(const std::string& format, const QString& name, const QString& suffix) {
  QString file =
      QFileDialog::getSaveFileName(this, tr("Export %1").arg(name), qt(m_result->analysis) + suffix,
                                   QStringLiteral("%1 (*%2)").arg(name, suffix));
  if (file.isEmpty()) return;
  if (QFileInfo(file).suffix().isEmpty()) file += suffix;
  const auto bytes = exported(format);
  if (!bytes) {
    Q_EMIT failed(qt(bytes.error().text()));
    return;
  }
  QSaveFile target(file);
  if (!target.open(QIODevice::WriteOnly) ||
      target.write(bytes->data(), static_cast<qint64>(bytes->size())) < 0 || !target.commit()) {
    Q_EMIT failed(tr("%1 cannot be written: %2").arg(file, target.errorString()));
  }
}

}  // namespace moescope::views
