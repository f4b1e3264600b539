#include "views/panels/analysis/analysis_dialog.h"

#include <QComboBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "views/api/analysis_job.h"
#include "views/api/panel_widgets.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/analysis/result_view.h"

namespace moescope::views {

namespace {

using analysis::AnalysisScope;

constexpr int kFormWidth = 300;
constexpr QSize kFirstSize(1080, 680);
constexpr int kProgressSteps = 1000;
enum Page { kEmptyPage, kResultPage };

QString qt(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

AnalysisDialog::AnalysisDialog(ViewContext& context, const plugin::PluginHost& host, QWidget* parent)
    : QDialog(parent), m_context(context), m_host(host), m_job(new AnalysisJob(host, this)) {
  setAttribute(Qt::WA_DeleteOnClose);
  setWindowTitle(tr("Run analysis"));
  m_error = new ErrorBar;
  m_error->setObjectName(QStringLiteral("error"));
  auto* column = new QVBoxLayout(this);
  column->addWidget(m_error);
  auto* sides = new QHBoxLayout;
  sides->addWidget(makeFormSide());
  sides->addWidget(makeResultSide(), 1);
  column->addLayout(sides, 1);
  for (const analysis::Analysis* one : host.analyses())
    m_analysis->addItem(qt(one->info().label), qt(one->info().id));
  connectJob();
  connect(m_analysis, &QComboBox::currentIndexChanged, this, &AnalysisDialog::showForm);
  connect(&context, &ViewContext::storeReplaced, this, &AnalysisDialog::refreshRuns);
  connect(&context, &ViewContext::runsChanged, this, &AnalysisDialog::refreshRuns);
  showForm();
  // Enter runs, whatever has the focus.
  for (auto* button : findChildren<QPushButton*>()) button->setAutoDefault(false);
  m_run->setDefault(true);
  resize(kFirstSize);
}

AnalysisDialog::~AnalysisDialog() = default;

QWidget* AnalysisDialog::makeFormSide() {
  auto* side = new QWidget;
  side->setFixedWidth(kFormWidth);
  m_analysis = new QComboBox;
  m_analysis->setObjectName(QStringLiteral("analysis"));
  m_analysis->setAccessibleName(tr("Analysis"));
  m_summary = new TextLabel({}, TextLabel::Style::Secondary);
  m_summary->setWordWrap(true);
  m_runs = new QComboBox;
  m_runs->setObjectName(QStringLiteral("run"));
  m_runs->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_checkpointRow = new QWidget;
  m_checkpoint = new QLineEdit;
  m_checkpoint->setObjectName(QStringLiteral("checkpoint"));
  auto* choose = new QPushButton(tr("Choose…"));
  connect(choose, &QPushButton::clicked, this, &AnalysisDialog::chooseCheckpoint);
  auto* row = new QHBoxLayout(m_checkpointRow);
  row->setContentsMargins(0, 0, 0, 0);
  row->addWidget(m_checkpoint, 1);
  row->addWidget(choose);

  m_form = new QFormLayout;
  m_form->setRowWrapPolicy(QFormLayout::WrapLongRows);
  m_form->addRow(tr("Run"), m_runs);
  m_form->addRow(tr("Checkpoint"), m_checkpointRow);
  m_fixedRows = m_form->rowCount();

  m_run = new QPushButton(tr("Run"));
  m_run->setObjectName(QStringLiteral("run_analysis"));
  m_cancel = new QPushButton(tr("Cancel"));
  m_cancel->setObjectName(QStringLiteral("cancel_analysis"));
  connect(m_run, &QPushButton::clicked, this, &AnalysisDialog::run);
  connect(m_cancel, &QPushButton::clicked, this, &AnalysisDialog::stop);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(m_run);
  buttons->addWidget(m_cancel);
  m_activity = new QLabel;
  m_activity->setWordWrap(true);
  m_progress = new QProgressBar;
  m_progress->setTextVisible(false);
  m_progress->hide();

  auto* column = new QVBoxLayout(side);
  column->setContentsMargins(0, 0, 8, 0);
  column->addWidget(m_analysis);
  column->addWidget(m_summary);
  column->addLayout(m_form);
  column->addLayout(buttons);
  column->addWidget(m_progress);
  column->addWidget(m_activity);
  column->addStretch(1);
  return side;
}

QWidget* AnalysisDialog::makeResultSide() {
  m_pages = new QStackedWidget;
  m_pages->addWidget(new EmptyState(QStringLiteral("info"), tr("No result"),
                                    tr("Choose an analysis and its parameters, then Run.")));
  m_result = new ResultView(m_host);
  m_pages->addWidget(m_result);
  connect(m_result, &ResultView::failed, m_error, &ErrorBar::showError);
  return m_pages;
}

void AnalysisDialog::connectJob() {
  connect(m_job, &AnalysisJob::progressed, this,
          [this](const QString& text, qlonglong done, qlonglong total) {
            m_activity->setText(total > 0 ? tr("%1, %2 of %3").arg(text).arg(done).arg(total) : text);
            m_progress->setRange(0, total > 0 ? kProgressSteps : 0);
            if (total > 0) {
              const double share = static_cast<double>(done) / static_cast<double>(total);
              m_progress->setValue(static_cast<int>(share * kProgressSteps));
            }
          });
  const auto show = [this](const std::shared_ptr<const analysis::AnalysisResult>& result, bool partial) {
    m_result->setResult(result, partial);
    m_pages->setCurrentIndex(kResultPage);
  };
  connect(m_job, &AnalysisJob::partialReady, this, [show](const auto& result) { show(result, true); });
  connect(m_job, &AnalysisJob::finished, this, [this, show](const auto& result) {
    show(result, false);
    m_activity->clear();
    refreshButtons();
  });
  connect(m_job, &AnalysisJob::failed, this, [this](const QString& text) {
    m_activity->clear();
    m_error->showError(text);
    refreshButtons();
  });
}

const analysis::AnalysisInfo* AnalysisDialog::info() const {
  const auto found = m_host.findAnalysis(m_analysis->currentData().toString().toStdString());
  return found ? &(*found)->info() : nullptr;
}

void AnalysisDialog::showForm() {
  while (m_form->rowCount() > m_fixedRows) m_form->removeRow(m_fixedRows);
  m_parameters.clear();
  const analysis::AnalysisInfo* chosen = info();
  if (chosen == nullptr) {
    m_summary->setText(tr("No plug-in gives an analysis. See Help > Plug-ins."));
  } else {
    m_summary->setText(qt(chosen->summary));
    for (const auto& parameter : chosen->parameters) {
      auto* field = new QLineEdit(qt(parameter.defaultValue));
      field->setObjectName(QStringLiteral("parameter_") + qt(parameter.id));
      field->setToolTip(qt(parameter.meaning));
      field->setPlaceholderText(qt(parameter.meaning));
      auto* label = new QLabel(qt(parameter.id));
      label->setToolTip(qt(parameter.meaning));
      label->setBuddy(field);
      m_form->addRow(label, field);
      m_parameters[parameter.id] = field;
    }
  }
  m_form->setRowVisible(m_checkpointRow, chosen != nullptr && chosen->scope == AnalysisScope::Checkpoint);
  refreshRuns();
}

void AnalysisDialog::refreshRuns() {
  const analysis::AnalysisInfo* chosen = info();
  const QVariant before = m_runs->currentData();
  const QSignalBlocker blocker(m_runs);
  m_runs->clear();
  const auto store = m_context.store();
  if (chosen != nullptr && chosen->scope == AnalysisScope::Series) {
    m_runs->addItem(tr("The newest series"), QString());
    if (store) {
      for (const trace::SeriesRecord& series : store->allSeries())
        m_runs->addItem(tr("%1 (series %2)").arg(qt(series.name)).arg(series.id), QString::number(series.id));
    }
  } else if (store) {
    m_runs->addItem(tr("The selected run"), QString());
    for (const trace::RunRecord& run : store->runs())
      m_runs->addItem(tr("%1 (run %2)").arg(qt(run.name)).arg(run.id), QString::number(run.id));
  }
  m_runs->setCurrentIndex(std::max(0, m_runs->findData(before)));
  refreshButtons();
}

void AnalysisDialog::chooseCheckpoint() {
  const QString folder =
      QFileDialog::getExistingDirectory(this, tr("Checkpoint folder"), m_checkpoint->text());
  if (!folder.isEmpty()) m_checkpoint->setText(folder);
}

plugin::AnalysisRequest AnalysisDialog::request() const {
  plugin::AnalysisRequest request;
  request.analysis = m_analysis->currentData().toString().toStdString();
  for (const auto& [id, field] : m_parameters) request.parameters[id] = field->text().toStdString();
  if (!m_checkpoint->text().isEmpty()) request.checkpoint = m_checkpoint->text().toStdString();
  const analysis::AnalysisInfo* chosen = info();
  if (chosen == nullptr) return request;
  if (chosen->scope == AnalysisScope::Series) {
    request.series = m_runs->currentData().toString().toStdString();
    return request;
  }
  request.run = m_runs->currentData().toString().toStdString();
  const auto selected = m_context.selection().run();
  if (request.run.empty() && selected) request.run = std::to_string(*selected);
  return request;
}

void AnalysisDialog::run() {
  const auto store = m_context.store();
  if (!store) return;
  m_error->hide();
  m_result->setStale(true);
  m_activity->setText(tr("Starting"));
  m_progress->setRange(0, 0);
  m_job->start(store, request());
  refreshButtons();
}

void AnalysisDialog::stop() {
  m_job->cancel();
  m_activity->setText(tr("Cancelled"));
  refreshButtons();
}

void AnalysisDialog::refreshButtons() {
  const bool busy = m_job->running();
  const bool trace = m_context.store() != nullptr;
  m_run->setEnabled(!busy && trace && info() != nullptr);
  m_run->setToolTip(trace ? QString() : tr("Open a trace first"));
  m_cancel->setEnabled(busy);
  m_progress->setVisible(busy);
}

std::shared_ptr<const analysis::AnalysisResult> AnalysisDialog::result() const { return m_result->result(); }

bool AnalysisDialog::running() const { return m_job->running(); }

}  // namespace moescope::views
