#include "plugins/specialization/panel/specialization_panel.h"

#include <QSignalBlocker>
#include <QSplitter>
#include <QStackedWidget>
#include <QTabWidget>
#include <QVBoxLayout>

#include <algorithm>

#include "core/figure/number_text.h"
#include "plugins/specialization/panel/cell_tokens.h"
#include "plugins/specialization/panel/column_outline.h"
#include "plugins/specialization/panel/specialization_controls.h"
#include "views/api/analysis_job.h"
#include "views/api/figure_table.h"
#include "views/api/progress_row.h"
#include "views/api/sample_line.h"
#include "views/api/selection_model.h"

namespace moescope::specialization {

namespace {

constexpr int kLeastMap = 120, kLeastDetail = 72;
/// Heights that the map asks for: what stands around it, a row, and its parts of the panel at least and at
/// most.
constexpr int kAroundMap = 94, kMapRow = 15;
constexpr double kLeastMapPart = 0.46, kMostMapPart = 0.64;
/// From this height on every picture has its heading and the names of its axes.
constexpr int kRoomy = 520;
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

/// How intervals were made, in a few words; the whole sentence is in the tool tip.
QString shortInterval(const std::string& interval) {
  const QString text = qt(interval);
  if (text.startsWith(QLatin1String("none"))) return SpecializationPanel::tr("no intervals");
  const QString draws = text.section(QStringLiteral("bootstrap of "), 1).section(u' ', 0, 0);
  return (text.contains(QLatin1String("window")) ? SpecializationPanel::tr("95 % of %1 draws of windows")
                                                 : SpecializationPanel::tr("95 % of %1 draws of texts"))
      .arg(draws);
}

}  // namespace

SpecializationPanel::SpecializationPanel(views::ViewContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_controls(new SpecializationControls),
      m_sample(new views::SampleLine),
      m_progress(new views::ProgressRow),
      m_pages(new QStackedWidget) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_missing = new views::FigureView;
  m_missing->setObjectName(QStringLiteral("missing"));
  m_pages->addWidget(m_missing);
  m_pages->addWidget(makeBody());
  column->addWidget(m_controls);
  column->addWidget(m_sample);
  column->addWidget(m_progress);
  column->addWidget(m_pages, 1);
  connectContext();
  if (m_context.plugins() != nullptr) {
    m_job = new views::AnalysisJob(*m_context.plugins(), this);
    m_vocabularyJob = new views::AnalysisJob(*m_context.plugins(), this);
    connectJobs();
  }
  const auto& cells = m_context.selection().experts();
  if (!cells.empty()) m_expert = *cells.begin();
  refreshRun();
}

SpecializationPanel::~SpecializationPanel() = default;

bool SpecializationPanel::busy() const {
  return m_job != nullptr && (m_job->running() || m_vocabularyJob->running() || m_cellTokens->busy());
}

QWidget* SpecializationPanel::makeBody() {
  const auto make = [](const QString& name, const QString& accessible, int height = kLeastDetail) {
    auto* view = new views::FigureView;
    view->setObjectName(name);
    view->setAccessibleName(accessible);
    view->setMinimumHeight(height);
    return view;
  };
  m_map = make(QStringLiteral("map"), tr("Labels and experts of the layer"), kLeastMap);
  m_information = make(QStringLiteral("information"), tr("What each layer tells about the label"));
  m_byToken = make(QStringLiteral("by_token"), tr("How far a token tells the expert, layer by layer"));
  m_rates = make(QStringLiteral("rates"), tr("Selection rate of one expert by label"));
  m_outline = new ColumnOutline(m_map);
  m_rows = new QSplitter(Qt::Vertical);
  m_rows->setChildrenCollapsible(false);
  m_rows->addWidget(m_map);
  m_rows->addWidget(makeDetails());
  connect(m_rows, &QSplitter::splitterMoved, this, [this] { m_shared = true; });

  m_map->setTips([this](const views::FigureHit& hit) { return tipOf(hit); });
  connect(m_map, &views::FigureView::currentChanged, this, [this] {
    if (const auto hit = m_map->current()) chooseCell(*hit);
  });
  connect(m_map, &views::FigureView::activated, this, &SpecializationPanel::openCell);
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
  return m_rows;
}

QWidget* SpecializationPanel::makeDetails() {
  auto* layers = new QTabWidget;
  layers->setDocumentMode(true);
  layers->addTab(m_information, tr("Label, per layer"));
  layers->addTab(m_byToken, tr("Token id, per layer"));
  m_cellTokens = new CellTokens;
  m_details = new QTabWidget;
  m_details->setObjectName(QStringLiteral("expert_tabs"));
  m_details->setDocumentMode(true);
  m_details->addTab(m_rates, tr("Expert by label"));
  m_details->addTab(m_cellTokens, tr("Top tokens"));
  connect(m_cellTokens, &CellTokens::rowChosen, this, [this](qlonglong row) {
    // Labels that come from the selection stay those that were selected.
    m_choosing = true;
    m_context.selection().setTokens({row, row + 1});
    m_choosing = false;
  });
  auto* details = new QSplitter(Qt::Horizontal);
  details->setChildrenCollapsible(false);
  details->addWidget(layers);
  details->addWidget(m_details);
  return details;
}

void SpecializationPanel::connectContext() {
  connect(&m_context, &views::ViewContext::storeReplaced, this, [this] {
    m_run.reset();
    refreshRun();
  });
  connect(&m_context, &views::ViewContext::runsChanged, this, &SpecializationPanel::refreshRun);
  connect(&m_context, &views::ViewContext::liveStateChanged, this, &SpecializationPanel::refreshRun);
  connect(&m_context.selection(), &views::SelectionModel::runChanged, this, &SpecializationPanel::refreshRun);
  connect(&m_context.selection(), &views::SelectionModel::layerChanged, this,
          &SpecializationPanel::followLayer);
  connect(&m_context.selection(), &views::SelectionModel::expertsChanged, this,
          &SpecializationPanel::followExperts);
  connect(&m_context.selection(), &views::SelectionModel::tokensChanged, this, [this] {
    if (m_controls->usesSelection() && !m_choosing) restart();
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
    // Errors are parts of a line.
    showMissing(tr("No specialization to show"), text.left(1).toUpper() + text.mid(1));
  });
  connect(m_job, &views::AnalysisJob::progressed, m_progress, &views::ProgressRow::report);
  connect(m_progress, &views::ProgressRow::cancelled, this, [this] {
    if (!m_result) {
      showMissing(tr("Cancelled"), tr("Choose a label to begin again."));
      return;
    }
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
}

void SpecializationPanel::refreshRun() {
  const auto store = m_context.store();
  const auto selected = m_context.selection().run();
  const auto run = store && selected ? store->run(*selected) : std::nullopt;
  if (!run || run->routedTokens == 0) {
    m_run.reset();
    const bool begins = run && m_context.isLive(run->id);
    showMissing(begins ? tr("The run is being recorded") : tr("No routing recorded"),
                begins ? tr("Its labels and experts are compared when it has ended.")
                       : tr("Record a labelled corpus with File > Record corpus…, or choose a run."));
    return;
  }
  if (m_context.isLive(run->id)) {
    // Half a corpus would mislead.
    if (m_run == run->id && m_result) return;
    m_run.reset();
    showMissing(tr("The run is being recorded"),
                tr("Its labels and experts are compared when it has ended."));
    return;
  }
  if (m_run == run->id && m_tokens == run->routedTokens) return;
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
    showMissing(m_controls->usesSelection() ? tr("No tokens selected") : tr("No pattern yet"),
                m_controls->usesSelection()
                    ? tr("Select some tokens in the Tokens panel or on the routing map; they are compared "
                         "with all others.")
                    : tr("Type name=expression, such as digit=[0-9]+, and press Enter."));
    return;
  }
  if (!m_result) m_missing->setEmpty(tr("Comparing labels…"), QString());
  m_source = labels;
  m_label.reset();
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

void SpecializationPanel::showResult(ResultPtr result) {
  m_result = std::move(result);
  m_pages->setCurrentIndex(kBodyPage);
  refreshFigures();
  shareHeight();
}

void SpecializationPanel::showSample() {
  const auto store = m_context.store();
  const auto run = store && m_run ? store->run(*m_run) : std::nullopt;
  if (!run || !m_result) return;
  const QString name = qt(run->name);
  const auto counted = [](std::int64_t count) { return qt(figure::countText(count)); };
  const QString sample =
      tr("Run %1 · %2 tokens in %3 texts · %4 · associated, not causal")
          .arg(name, counted(run->routedTokens), counted(run->sequences), shortInterval(m_result->interval));
  QString chance;
  const auto layer = m_controls->layer();
  for (const RouterSpec& router : store->routers(*m_run)) {
    const auto* rates = layer ? figure::layerMatrix(*m_result, "rates", *layer) : nullptr;
    if (layer != router.layer || rates == nullptr || !rates->baseline) continue;
    chance = tr("chance: top-%1 of %2 = %3")
                 .arg(router.topK)
                 .arg(router.experts)
                 .arg(qt(figure::percentText(*rates->baseline)));
  }
  m_sample->setSample(sample, name, chance);
  QStringList lines{qt(m_result->sample), tr("Intervals: %1").arg(qt(m_result->interval)),
                    tr("Baseline: %1").arg(qt(m_result->baseline))};
  for (const std::string& note : m_result->notes) lines << qt(note);
  m_sample->setToolTip(lines.join(QLatin1Char('\n')));
}

/// No result either; what is being computed is not wanted any more.
void SpecializationPanel::showMissing(const QString& heading, const QString& text) {
  if (m_job != nullptr) m_job->cancel();
  m_progress->hide();
  m_result.reset();
  m_label.reset();
  m_missing->setEmpty(heading, text);
  m_pages->setCurrentIndex(kMissingPage);
  m_sample->setSample({}, {}, {});
  m_sample->setToolTip({});
}

std::optional<ExpertCell> SpecializationPanel::expert() const {
  const auto layer = m_controls->layer();
  if (layer && m_expert && m_expert->layer == *layer) return m_expert;
  return std::nullopt;
}

std::optional<int> SpecializationPanel::columnOf(ExpertCell cell) const {
  const auto* spec = m_map->figure();
  if (spec == nullptr || !spec->map) return std::nullopt;
  const auto& names = spec->map->columnNames;
  const auto found = std::ranges::find(names, std::to_string(cell.expert.value));
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

void SpecializationPanel::followLayer() {
  if (const auto layer = m_context.selection().layer()) m_controls->setLayer(*layer);
  if (!expert()) m_label.reset();
  refreshFigures();
}

void SpecializationPanel::followExperts() {
  const auto& cells = m_context.selection().experts();
  const auto layer = m_controls->layer();
  const auto here = std::ranges::find_if(cells, [&](const ExpertCell& cell) { return cell.layer == layer; });
  const auto before = m_expert;
  m_expert.reset();
  if (here != cells.end()) {
    m_expert = *here;
  } else if (!cells.empty()) {
    m_expert = *cells.begin();
    m_controls->setLayer(m_expert->layer);
  }
  if (m_expert != before) m_label.reset();
  refreshFigures();
}

void SpecializationPanel::refreshTokens() {
  const auto cell = expert();
  if (!m_run || !cell) {
    m_cellTokens->show(nullptr, std::nullopt);
    return;
  }
  m_cellTokens->show(m_context.store(),
                     CellTokens::Cell{*m_run, m_tokens, *cell, m_label ? m_source : std::string(), m_label});
}

/// The map gets what its rows need, the details the rest, until the user shares otherwise.
void SpecializationPanel::shareHeight() {
  const bool roomy = m_rows->height() >= kRoomy;
  if (m_roomy != roomy) {
    m_roomy = roomy;
    refreshFigures();
  }
  if (m_shared || m_map->figure() == nullptr || !m_map->figure()->map) return;
  const int total = m_rows->height() - m_rows->handleWidth();
  const int wanted = kAroundMap + kMapRow * m_map->figure()->map->rows;
  const int least = static_cast<int>(kLeastMapPart * total);
  const int most = std::max(least, static_cast<int>(kMostMapPart * total));
  const int map = std::clamp(wanted, least, most);
  m_rows->setSizes({map, total - map});
}

void SpecializationPanel::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  shareHeight();
}

/// The cursor stays on its label and goes with its expert, wherever that stands now.
void SpecializationPanel::placeCursor(std::optional<views::FigureHit> before) {
  const auto cell = expert();
  const auto column = cell ? columnOf(*cell) : std::nullopt;
  m_outline->setColumn(column);
  const QSignalBlocker blocker(m_map);
  if (before && column) {
    before->column = *column;
    m_map->setCurrent(before);
  } else if (before) {
    m_map->setCurrent(std::nullopt);
  }
}

void SpecializationPanel::chooseCell(const views::FigureHit& hit) {
  const auto* spec = m_map->figure();
  const auto layer = m_controls->layer();
  if (spec == nullptr || !spec->map || !layer) return;
  const auto column = static_cast<std::size_t>(hit.column);
  if (column >= spec->map->columnNames.size()) return;
  const ExpertCell cell{*layer, ExpertIndex{std::stoi(spec->map->columnNames[column])}};
  if (m_expert != cell) m_label.reset();
  m_expert = cell;  // before the layer is followed, which would let the cursor go
  m_context.selection().setLayer(cell.layer);
  m_context.selection().setExperts({cell});
}

void SpecializationPanel::openCell(const views::FigureHit& hit) {
  const auto* spec = m_map->figure();
  const auto row = static_cast<std::size_t>(hit.row);
  if (spec == nullptr || !spec->map || row >= spec->map->rowNames.size()) return;
  const std::string label = spec->map->rowNames[row];
  chooseCell(hit);
  m_label = label;
  refreshTokens();
  m_details->setCurrentIndex(1);
  m_cellTokens->setFocus();
}

}  // namespace moescope::specialization
