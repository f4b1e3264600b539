#include "plugins/specialization/panel/specialization_panel.h"

#include <QSignalBlocker>
#include <QSplitter>
#include <QTabWidget>

#include <algorithm>

#include "core/figure/number_text.h"
#include "plugins/specialization/panel/cell_tokens.h"
#include "plugins/specialization/panel/column_outline.h"
#include "plugins/specialization/panel/specialization_controls.h"
#include "views/api/analysis_job.h"
#include "views/api/figure_table.h"
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
/// Under this height the details stand beside the map, which gets this part of the width.
constexpr int kBeside = 360;
constexpr double kMapWidth = 0.6;

QString qt(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

SpecializationPanel::SpecializationPanel(views::ViewContext& context, QWidget* parent)
    : RunAnalysisPanel(context,
                       {tr("No specialization to show"), tr("Comparing labels…"),
                        tr("Its labels and experts are compared when it has ended."),
                        tr("Record a labelled corpus with File > Record corpus…, or choose a run."),
                        tr("Choose a label to begin again.")},
                       parent),
      m_controls(new SpecializationControls) {
  setParts(m_controls, makeBody());
  connectControls();
  connectSelection();
  if (context.plugins() != nullptr) {
    m_vocabularyJob = new views::AnalysisJob(*context.plugins(), this);
    connect(m_vocabularyJob, &views::AnalysisJob::finished, this, [this](const ResultPtr& vocabulary) {
      m_vocabulary = vocabulary;
      refreshFigures();
    });
    connect(m_vocabularyJob, &views::AnalysisJob::failed, this,
            [this](const QString& text) { m_byToken->setEmpty(tr("Nothing to show"), text); });
  }
  const auto& cells = context.selection().experts();
  if (!cells.empty()) m_expert = *cells.begin();
  followRun();
}

SpecializationPanel::~SpecializationPanel() = default;

bool SpecializationPanel::busy() const {
  return RunAnalysisPanel::busy() || m_cellTokens->busy() ||
         (m_vocabularyJob != nullptr && m_vocabularyJob->running());
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
    const auto* table = result() ? result()->table("information") : nullptr;
    if (!hit || table == nullptr || hit->column >= static_cast<int>(table->rows.size())) return;
    const RouterKey wanted = figure::routerAt(*table, static_cast<std::size_t>(hit->column));
    m_controls->setRouter(wanted);
    context().selection().setRouter(m_controls->router());
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
    context().selection().setTokens({row, row + 1});
    m_choosing = false;
  });
  m_detailParts = new QSplitter(Qt::Horizontal);
  m_detailParts->setChildrenCollapsible(false);
  m_detailParts->addWidget(layers);
  m_detailParts->addWidget(m_details);
  return m_detailParts;
}

void SpecializationPanel::connectSelection() {
  const auto& selection = context().selection();
  connect(&selection, &views::SelectionModel::routerChanged, this, &SpecializationPanel::followRouter);
  connect(&selection, &views::SelectionModel::expertsChanged, this, &SpecializationPanel::followExperts);
  connect(&selection, &views::SelectionModel::tokensChanged, this, [this] {
    if (m_controls->usesSelection() && !m_choosing) restart();
  });
}

void SpecializationPanel::connectControls() {
  connect(m_controls, &SpecializationControls::labelsChanged, this, &SpecializationPanel::restart);
  connect(m_controls, &SpecializationControls::viewChanged, this, &SpecializationPanel::refreshFigures);
  connect(m_controls, &SpecializationControls::routerChosen, this, [this] {
    context().selection().setRouter(m_controls->router());
    refreshFigures();
  });
}

void SpecializationPanel::runChosen(const trace::RunRecord& run) {
  const auto store = context().store();
  m_controls->setRun(store->routers(run.id), store->sequences(run.id));
  if (const auto& router = context().selection().router()) m_controls->setRouter(*router);
  m_vocabulary.reset();
  restart();
  restartVocabulary();
}

void SpecializationPanel::restart() {
  if (!run()) return;
  const std::string labels = m_controls->labels(context().selection().tokens());
  if (labels.empty()) {
    showMissing(m_controls->usesSelection() ? tr("No tokens selected") : tr("No pattern yet"),
                m_controls->usesSelection()
                    ? tr("Select some tokens in the Tokens panel or on the routing map; they are compared "
                         "with all others.")
                    : tr("Type name=expression, such as digit=[0-9]+, and press Enter."));
    return;
  }
  m_source = labels;
  m_label.reset();
  auto words = request("specialization");
  words.parameters["labels"] = labels;
  begin(std::move(words));
}

void SpecializationPanel::restartVocabulary() {
  if (m_vocabularyJob == nullptr || !run()) return;
  auto words = request("vocabulary");
  words.parameters["top"] = "0";
  m_vocabularyJob->start(context().store(), std::move(words));
}

void SpecializationPanel::resultChanged() {
  refreshFigures();
  shareRoom();
}

QString SpecializationPanel::chanceText() const {
  const auto router = m_controls->spec();
  const auto* rates =
      result() && router ? figure::layerMatrix(*result(), "rates", {router->layer, router->kind}) : nullptr;
  if (rates == nullptr || !rates->baseline) return {};
  return tr("chance: top-%1 of %2 = %3")
      .arg(router->topK)
      .arg(router->experts)
      .arg(qt(figure::percentText(*rates->baseline)));
}

std::optional<ExpertCell> SpecializationPanel::expert() const {
  const auto router = m_controls->router();
  if (router && m_expert && m_expert->router() == *router) return m_expert;
  return std::nullopt;
}

std::optional<int> SpecializationPanel::columnOf(const ExpertCell& cell) const {
  const auto* spec = m_map->figure();
  if (spec == nullptr || !spec->map) return std::nullopt;
  const auto& names = spec->map->columnNames;
  const auto found = std::ranges::find(names, std::to_string(cell.expert.value));
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

void SpecializationPanel::followRouter() {
  if (const auto& router = context().selection().router()) m_controls->setRouter(*router);
  if (!expert()) m_label.reset();
  refreshFigures();
}

void SpecializationPanel::followExperts() {
  const auto& cells = context().selection().experts();
  const auto router = m_controls->router();
  const auto here =
      std::ranges::find_if(cells, [&](const ExpertCell& cell) { return cell.router() == router; });
  const auto before = m_expert;
  m_expert.reset();
  if (here != cells.end()) {
    m_expert = *here;
  } else if (!cells.empty()) {
    m_expert = *cells.begin();
    m_controls->setRouter(m_expert->router());
  }
  if (m_expert != before) m_label.reset();
  refreshFigures();
}

void SpecializationPanel::refreshTokens() {
  const auto cell = expert();
  if (!run() || !cell) {
    m_cellTokens->show(nullptr, std::nullopt);
    return;
  }
  m_cellTokens->show(context().store(),
                     CellTokens::Cell{*run(), tokens(), *cell, m_label ? m_source : std::string(), m_label});
}

/// The map gets what its rows need, the details the rest, until the user shares otherwise.
void SpecializationPanel::shareRoom() {
  const auto across = m_rows->height() < kBeside ? Qt::Horizontal : Qt::Vertical;
  if (across != m_rows->orientation()) {
    m_rows->setOrientation(across);
    m_detailParts->setOrientation(across == Qt::Horizontal ? Qt::Vertical : Qt::Horizontal);
    m_shared = false;
  }
  const bool roomy = m_rows->height() >= kRoomy;
  if (m_roomy != roomy) {
    m_roomy = roomy;
    refreshFigures();
  }
  if (m_shared || m_map->figure() == nullptr || !m_map->figure()->map) return;
  if (across == Qt::Horizontal) {
    const int width = m_rows->width() - m_rows->handleWidth();
    const int map = static_cast<int>(kMapWidth * width);
    m_rows->setSizes({map, width - map});
    return;
  }
  const int total = m_rows->height() - m_rows->handleWidth();
  const int wanted = kAroundMap + kMapRow * m_map->figure()->map->rows;
  const int least = static_cast<int>(kLeastMapPart * total);
  const int most = std::max(least, static_cast<int>(kMostMapPart * total));
  const int map = std::clamp(wanted, least, most);
  m_rows->setSizes({map, total - map});
}

void SpecializationPanel::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  shareRoom();
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
  const auto router = m_controls->router();
  if (spec == nullptr || !spec->map || !router) return;
  const auto column = static_cast<std::size_t>(hit.column);
  if (column >= spec->map->columnNames.size()) return;
  const ExpertCell cell{router->layer, ExpertIndex{std::stoi(spec->map->columnNames[column])}, router->kind};
  if (m_expert != cell) m_label.reset();
  m_expert = cell;  // before the router is followed, which would let the cursor go
  context().selection().setRouter(*router);
  context().selection().setExperts({cell});
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
