#include "plugins/specialization/panel/specialization_panel.h"

#include <QHeaderView>
#include <QSplitter>
#include <QStackedWidget>
#include <QTabWidget>
#include <QTableWidget>
#include <QVBoxLayout>

#include "plugins/specialization/panel/specialization_controls.h"
#include "views/api/analysis_job.h"
#include "views/api/figure_table.h"
#include "views/api/panel_widgets.h"
#include "views/api/progress_row.h"
#include "views/api/sample_line.h"
#include "views/api/selection_model.h"

namespace moescope::specialization {

namespace {

constexpr int kLeastPicture = 130, kTableRow = 22;
constexpr const char* kTopTokens = "15";
constexpr const char* kContexts = "3";
enum Page { kMissingPage, kBodyPage };

QString qt(const std::string& text) { return QString::fromStdString(text); }

QString textAt(const analysis::ResultTable& table, std::size_t row, std::string_view column) {
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].name != column) continue;
    const analysis::ResultCell& cell = table.rows[row][c];
    if (const auto* text = std::get_if<std::string>(&cell)) return qt(*text);
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) return QString::number(*whole);
    if (const auto* real = std::get_if<double>(&cell)) return QString::number(*real, 'g', 12);
  }
  return {};
}

/// "…the context [token] that follows…" of the first place in which the expert served the token.
QString contextOf(const analysis::ResultTable* contexts, const QString& tokenId) {
  if (contexts == nullptr) return {};
  for (std::size_t row = 0; row < contexts->rows.size(); ++row) {
    if (textAt(*contexts, row, "token_id") != tokenId) continue;
    return textAt(*contexts, row, "before") + QStringLiteral("[") + textAt(*contexts, row, "token") +
           QStringLiteral("]") + textAt(*contexts, row, "after");
  }
  return {};
}

/// All places, a line each.
QString contextsOf(const analysis::ResultTable* contexts, const QString& tokenId) {
  QStringList lines;
  for (std::size_t row = 0; contexts != nullptr && row < contexts->rows.size(); ++row) {
    if (textAt(*contexts, row, "token_id") != tokenId) continue;
    lines << SpecializationPanel::tr("token %1: ").arg(textAt(*contexts, row, "row")) +
                 textAt(*contexts, row, "before") + QStringLiteral("[") + textAt(*contexts, row, "token") +
                 QStringLiteral("]") + textAt(*contexts, row, "after");
  }
  return lines.join(QLatin1Char('\n'));
}

}  // namespace

SpecializationPanel::SpecializationPanel(views::ViewContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_error(new views::ErrorBar),
      m_controls(new SpecializationControls),
      m_sample(new views::SampleLine),
      m_progress(new views::ProgressRow),
      m_pages(new QStackedWidget) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_error->setObjectName(QStringLiteral("error"));
  m_missing = new views::FigureView;
  m_missing->setObjectName(QStringLiteral("missing"));
  m_pages->addWidget(m_missing);
  m_pages->addWidget(makeBody());
  column->addWidget(m_error);
  column->addWidget(m_controls);
  column->addWidget(m_sample);
  column->addWidget(m_progress);
  column->addWidget(m_pages, 1);
  connectContext();
  if (m_context.plugins() != nullptr) {
    m_job = new views::AnalysisJob(*m_context.plugins(), this);
    m_vocabularyJob = new views::AnalysisJob(*m_context.plugins(), this);
    m_tokensJob = new views::AnalysisJob(*m_context.plugins(), this);
    connectJobs();
  }
  refreshRun();
}

SpecializationPanel::~SpecializationPanel() = default;

bool SpecializationPanel::busy() const {
  return m_job != nullptr && (m_job->running() || m_vocabularyJob->running() || m_tokensJob->running());
}

QWidget* SpecializationPanel::makeBody() {
  auto* rows = new QSplitter(Qt::Vertical);
  rows->setChildrenCollapsible(false);
  const auto make = [](const QString& name, const QString& accessible) {
    auto* view = new views::FigureView;
    view->setObjectName(name);
    view->setAccessibleName(accessible);
    view->setMinimumHeight(kLeastPicture);
    return view;
  };
  m_map = make(QStringLiteral("map"), tr("Labels and experts of the layer"));
  m_information = make(QStringLiteral("information"), tr("What each layer tells about the label"));
  m_byToken = make(QStringLiteral("by_token"), tr("How far a token tells the expert, layer by layer"));
  m_rates = make(QStringLiteral("rates"), tr("Selection rate of one expert by label"));
  auto* layers = new QTabWidget;
  layers->setDocumentMode(true);
  layers->addTab(m_information, tr("Label, per layer"));
  layers->addTab(m_byToken, tr("Token id, per layer"));
  auto* one = new QTabWidget;
  one->setObjectName(QStringLiteral("expert_tabs"));
  one->setDocumentMode(true);
  one->addTab(m_rates, tr("Expert by label"));
  one->addTab(makeTokens(), tr("Top tokens"));
  auto* bottom = new QSplitter(Qt::Horizontal);
  bottom->setChildrenCollapsible(false);
  bottom->addWidget(layers);
  bottom->addWidget(one);
  rows->addWidget(m_map);
  rows->addWidget(bottom);
  rows->setStretchFactor(0, 4);
  rows->setStretchFactor(1, 5);

  m_map->setTips([this](const views::FigureHit& hit) { return tipOf(hit); });
  connect(m_map, &views::FigureView::currentChanged, this, [this] {
    if (const auto hit = m_map->current()) chooseCell(*hit);
  });
  connect(m_map, &views::FigureView::activated, one, [one] { one->setCurrentIndex(1); });
  connect(m_information, &views::FigureView::currentChanged, this, [this] {
    const auto hit = m_information->current();
    const auto* table = m_result ? m_result->table("information") : nullptr;
    if (!hit || table == nullptr || hit->column >= static_cast<int>(table->rows.size())) return;
    const auto layer = textAt(*table, static_cast<std::size_t>(hit->column), "layer").toInt();
    m_context.selection().setLayer(LayerIndex{layer});
  });
  views::addTableAction(m_map, [this] { return mapFigure(); });
  views::addTableAction(m_information, [this] { return informationFigure(); });
  views::addTableAction(m_byToken, [this] { return vocabularyFigure(); });
  views::addTableAction(m_rates, [this] { return ratesFigure(); });
  return rows;
}

QWidget* SpecializationPanel::makeTokens() {
  m_table = new QTableWidget(0, 4);
  m_table->setObjectName(QStringLiteral("tokens"));
  m_table->setAccessibleName(tr("Top tokens of the expert"));
  m_table->setHorizontalHeaderLabels({tr("Token"), tr("Rate"), tr("Chosen of"), tr("For example")});
  m_table->setFrameShape(QFrame::NoFrame);
  m_table->setShowGrid(false);
  m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_table->setTabKeyNavigation(false);
  m_table->setWordWrap(false);
  m_table->verticalHeader()->hide();
  m_table->verticalHeader()->setDefaultSectionSize(kTableRow);
  m_table->horizontalHeader()->setStretchLastSection(true);
  return m_table;
}

void SpecializationPanel::connectContext() {
  connect(&m_context, &views::ViewContext::storeReplaced, this, [this] {
    m_run.reset();
    refreshRun();
  });
  connect(&m_context, &views::ViewContext::runsChanged, this, &SpecializationPanel::refreshRun);
  connect(&m_context.selection(), &views::SelectionModel::runChanged, this, &SpecializationPanel::refreshRun);
  connect(&m_context.selection(), &views::SelectionModel::layerChanged, this,
          &SpecializationPanel::followSelection);
  connect(&m_context.selection(), &views::SelectionModel::expertsChanged, this,
          &SpecializationPanel::followSelection);
  connect(&m_context.selection(), &views::SelectionModel::tokensChanged, this, [this] {
    if (m_controls->usesSelection()) restart();
  });
  connect(m_controls, &SpecializationControls::labelsChanged, this, &SpecializationPanel::restart);
  connect(m_controls, &SpecializationControls::viewChanged, this, &SpecializationPanel::refreshFigures);
  connect(m_controls, &SpecializationControls::layerChosen, this, [this] {
    if (const auto layer = m_controls->layer()) m_context.selection().setLayer(*layer);
    refreshFigures();
  });
}

void SpecializationPanel::connectJobs() {
  connect(m_job, &views::AnalysisJob::partialReady, this, &SpecializationPanel::showResult);
  connect(m_job, &views::AnalysisJob::finished, this, [this](const ResultPtr& result) {
    m_progress->hide();
    m_sample->setStale(false);
    showResult(result);
  });
  connect(m_job, &views::AnalysisJob::failed, this, [this](const QString& text) {
    m_progress->hide();
    m_result.reset();
    showMissing(tr("No specialization to show"), text);
  });
  connect(m_job, &views::AnalysisJob::progressed, m_progress, &views::ProgressRow::report);
  connect(m_progress, &views::ProgressRow::cancelled, this, [this] {
    m_job->cancel();
    m_progress->hide();
    m_sample->setStale(false);
  });
  connect(m_vocabularyJob, &views::AnalysisJob::finished, this, [this](const ResultPtr& result) {
    m_vocabulary = result;
    refreshFigures();
  });
  connect(m_vocabularyJob, &views::AnalysisJob::failed, this,
          [this](const QString& text) { m_byToken->setEmpty(tr("Nothing to show"), text); });
  connect(m_tokensJob, &views::AnalysisJob::finished, this,
          [this](const ResultPtr& result) { showTokens(*result); });
  connect(m_tokensJob, &views::AnalysisJob::failed, this, [this] { m_table->setRowCount(0); });
}

void SpecializationPanel::refreshRun() {
  const auto store = m_context.store();
  const auto selected = m_context.selection().run();
  const auto run = store && selected ? store->run(*selected) : std::nullopt;
  if (!run || run->routedTokens == 0) {
    m_run.reset();
    m_result.reset();
    if (m_job != nullptr) m_job->cancel();
    showMissing(tr("No routing recorded"),
                tr("Record a labelled corpus with File > Record corpus…, or choose a run."));
    return;
  }
  // A run that is being written is analysed when it has ended: half a corpus would mislead.
  if (m_context.isLive(run->id) || (m_run == run->id && m_tokens == run->routedTokens)) return;
  m_run = run->id;
  m_tokens = run->routedTokens;
  m_controls->setRun(store->routers(run->id), store->sequences(run->id));
  if (const auto layer = m_context.selection().layer()) m_controls->setLayer(*layer);
  m_vocabulary.reset();
  restart();
  restartVocabulary();
}

plugin::AnalysisRequest SpecializationPanel::request(const std::string& analysis) const {
  plugin::AnalysisRequest request;
  request.analysis = analysis;
  if (m_run) request.run = std::to_string(*m_run);
  return request;
}

void SpecializationPanel::restart() {
  if (m_job == nullptr || !m_run) return;
  const std::string labels = m_controls->labels(m_context.selection().tokens());
  if (labels.empty()) {
    m_job->cancel();
    m_result.reset();
    showMissing(m_controls->usesSelection() ? tr("No tokens selected") : tr("No pattern"),
                m_controls->usesSelection() ? tr("Select tokens in the strip or on the map.")
                                            : tr("Type name=expression and press Enter."));
    return;
  }
  auto words = request("specialization");
  words.parameters["labels"] = labels;
  m_sample->setStale(true);
  m_job->start(m_context.store(), std::move(words));
}

void SpecializationPanel::restartVocabulary() {
  if (m_vocabularyJob == nullptr || !m_run) return;
  auto words = request("vocabulary");
  words.parameters["top"] = "0";
  m_vocabularyJob->start(m_context.store(), std::move(words));
}

void SpecializationPanel::restartTokens() {
  const auto cell = expert();
  if (m_tokensJob == nullptr || !m_run || !cell) return;
  auto words = request("vocabulary");
  words.parameters = {{"layer", std::to_string(cell->layer.value)},
                      {"expert", std::to_string(cell->expert.value)},
                      {"key", "input"},
                      {"top", kTopTokens},
                      {"contexts", kContexts},
                      {"draws", "0"}};
  m_tokensJob->start(m_context.store(), std::move(words));
}

void SpecializationPanel::showResult(ResultPtr result) {
  m_result = std::move(result);
  m_pages->setCurrentIndex(kBodyPage);
  const auto store = m_context.store();
  const auto run = store && m_run ? store->run(*m_run) : std::nullopt;
  m_sample->setSample(qt(m_result->sample + " · " + m_result->interval) + tr(" · associated, not causal"),
                      run ? qt(run->name) : QString(), qt(m_result->baseline));
  QStringList notes;
  for (const std::string& note : m_result->notes) notes << qt(note);
  m_sample->setToolTip(notes.join(QLatin1Char('\n')));
  refreshFigures();
}

void SpecializationPanel::showMissing(const QString& heading, const QString& text) {
  m_missing->setEmpty(heading, text);
  m_pages->setCurrentIndex(kMissingPage);
  m_sample->setSample({}, {}, {});
}

std::optional<ExpertCell> SpecializationPanel::expert() const {
  const auto layer = m_controls->layer();
  if (!layer) return std::nullopt;
  if (m_expert && m_expert->layer == *layer) return m_expert;
  return std::nullopt;
}

void SpecializationPanel::followSelection() {
  if (const auto layer = m_context.selection().layer()) m_controls->setLayer(*layer);
  const auto& cells = m_context.selection().experts();
  if (!cells.empty()) {
    m_expert = *cells.begin();
    m_controls->setLayer(m_expert->layer);
  }
  refreshFigures();
}

void SpecializationPanel::showTokens(const analysis::AnalysisResult& result) {
  const auto* tops = result.table("top_tokens");
  const auto* contexts = result.table("contexts");
  m_table->setRowCount(tops == nullptr ? 0 : static_cast<int>(tops->rows.size()));
  for (int row = 0; row < m_table->rowCount(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const QString id = textAt(*tops, at, "token_id");
    const double rate = textAt(*tops, at, "rate").toDouble();
    const QStringList texts{textAt(*tops, at, "token"), tr("%1 %").arg(100.0 * rate, 0, 'f', 1),
                            tr("%1 of %2").arg(textAt(*tops, at, "chosen"), textAt(*tops, at, "occurrences")),
                            contextOf(contexts, id)};
    for (int column = 0; column < texts.size(); ++column) {
      auto* item = new QTableWidgetItem(texts[column]);
      item->setToolTip(column == 0 ? tr("token id %1").arg(id) : contextsOf(contexts, id));
      m_table->setItem(row, column, item);
    }
  }
  m_table->resizeColumnsToContents();
}

void SpecializationPanel::chooseCell(const views::FigureHit& hit) {
  const auto* spec = m_map->figure();
  const auto layer = m_controls->layer();
  if (spec == nullptr || !spec->map || !layer) return;
  const auto column = static_cast<std::size_t>(hit.column);
  if (column >= spec->map->columnNames.size()) return;
  const ExpertCell cell{*layer, ExpertIndex{std::stoi(spec->map->columnNames[column])}};
  if (m_expert == cell) return;
  m_expert = cell;
  m_context.selection().setLayer(cell.layer);
  m_context.selection().setExperts({cell});
}

}  // namespace moescope::specialization
