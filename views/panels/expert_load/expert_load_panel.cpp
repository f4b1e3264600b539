#include "views/panels/expert_load/expert_load_panel.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include <algorithm>

#include "core/base/router_label.h"
#include "core/engine/generation/live_session.h"
#include "core/figure/number_text.h"
#include "views/api/canvas_widget.h"
#include "views/api/expert_actions.h"
#include "views/api/figure_table.h"
#include "views/api/panel_widgets.h"
#include "views/api/query_runner.h"
#include "views/api/router_box.h"
#include "views/api/router_text.h"
#include "views/api/sample_line.h"
#include "views/api/selection_model.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"
#include "views/models/load_metrics_model.h"
#include "views/panels/expert_load/load_bars_canvas.h"
#include "views/panels/expert_load/load_course_canvas.h"

namespace moescope::views {

namespace {

constexpr int kNarrowestBox = 72;
constexpr int kRoomForUniform = 270;
constexpr int kPadding = 8, kToolBarHeight = 36, kTableRow = 22;
constexpr int kLeastBars = 110, kLeastCourse = 76, kLeastTable = 4 * kTableRow;
constexpr int kLastTokens[] = {128, 512, 2048};
constexpr int kCourseTokens[] = {16, 32, 64, 128, 512, 2048};
constexpr int kFirstCourseTokens = 64;
enum Page { kEmptyPage, kNoSelectionPage, kBodyPage };

QString qt(const std::string& text) { return QString::fromStdString(text); }
QString qt(std::string_view text) {
  return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

}  // namespace

ExpertLoadPanel::ExpertLoadPanel(ViewContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_queries(new QueryRunner(this)),
      m_actions(new ExpertActions(context, this)),
      m_bars(new LoadBarsCanvas(this)),
      m_metrics(new LoadMetricsModel(this)),
      m_course(new LoadCourseCanvas(this)) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_error = new ErrorBar;
  m_error->setObjectName(QStringLiteral("error"));
  m_pages = new QStackedWidget;
  m_pages->addWidget(new EmptyState(QStringLiteral("weight"), tr("No routing recorded"),
                                    tr("Shows the load of each expert against uniform as soon as the first "
                                       "token is routed.")));
  m_pages->addWidget(new EmptyState(QStringLiteral("weight"), tr("No tokens selected"),
                                    tr("Select tokens in another picture, or choose another window.")));
  m_pages->addWidget(makeBody());
  column->addWidget(m_error);
  column->addWidget(makeToolBar());
  column->addWidget(m_pages, 1);
  connectContext();
  chooseMeasure(m_measure);
  refreshLayers();
}

ExpertLoadPanel::~ExpertLoadPanel() {
  // The canvases are children too: their widgets must go first.
  delete m_barsWidget;
  delete m_courseWidget;
}

QWidget* ExpertLoadPanel::makeToolBar() {
  auto* bar = new QWidget;
  bar->setMinimumHeight(kToolBarHeight);
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(kPadding, 0, kPadding, 0);
  row->setSpacing(kPadding);
  m_layer = new RouterBox;
  m_layer->setMinimumWidth(kNarrowestBox);
  m_layer->setObjectName(QStringLiteral("layer"));
  m_layer->setAccessibleName(tr("Layer"));
  m_layer->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  m_layer->setToolTip(tr("Layer whose experts are shown"));
  m_window = new QComboBox;
  m_window->setMinimumWidth(kNarrowestBox);
  m_window->setObjectName(QStringLiteral("window"));
  m_window->setAccessibleName(tr("Tokens"));
  m_window->setToolTip(tr("Tokens that bars and table cover"));
  m_window->addItem(tr("Whole run"), 0);
  m_window->addItem(tr("Selection"), -1);
  for (const int tokens : kLastTokens) m_window->addItem(tr("Last %1 tokens").arg(tokens), tokens);
  row->addWidget(m_layer);
  row->addWidget(m_window);
  row->addStretch(1);
  connect(m_layer, &QComboBox::activated, this, &ExpertLoadPanel::chooseLayer);
  connect(m_window, &QComboBox::activated, this, [this] { refresh(true); });
  return bar;
}

QWidget* ExpertLoadPanel::makeBody() {
  auto* body = new QWidget;
  auto* column = new QVBoxLayout(body);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_sample = new SampleLine;
  m_barsWidget = new CanvasWidget(*m_bars);
  m_barsWidget->setObjectName(QStringLiteral("bars"));
  m_barsWidget->setMinimumHeight(kLeastBars);
  m_courseWidget = new CanvasWidget(*m_course);
  m_courseWidget->setObjectName(QStringLiteral("course"));
  m_courseWidget->setMinimumHeight(kLeastCourse);
  column->addWidget(m_sample);
  column->addWidget(m_barsWidget, 3);
  column->addWidget(makeTable(), 2);
  column->addWidget(makeCourseHead());
  column->addWidget(m_courseWidget, 2);

  m_barsTable = addTableAction(m_barsWidget, [this] { return barsFigure(); });
  m_courseTable = addTableAction(m_courseWidget, [this] { return courseFigure(); });
  connect(m_course, &LoadCourseCanvas::menuRequested, this, [this](QPoint globalAt) {
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(m_courseTable);
    menu->popup(globalAt);
  });
  connect(m_bars, &LoadBarsCanvas::changed, m_barsWidget, &CanvasWidget::wake);
  connect(m_course, &LoadCourseCanvas::changed, m_courseWidget, &CanvasWidget::wake);
  connect(m_bars, &LoadBarsCanvas::cursorMoved, this,
          [this] { m_barsWidget->setAccessibleDescription(m_bars->cursorText()); });
  connect(m_bars, &LoadBarsCanvas::selected, this, [this](const std::set<ExpertCell>& cells) {
    if (!cells.empty()) m_context.selection().setRouter(cells.begin()->router());
    m_context.selection().setExperts(cells);
  });
  connect(m_bars, &LoadBarsCanvas::menuRequested, this, &ExpertLoadPanel::openMenu);
  connect(m_bars, &LoadBarsCanvas::verbKey, this,
          [this](const QKeyEvent& event, const std::set<ExpertCell>& cells, bool* used) {
            *used = m_actions->key(event, cells);
          });
  connect(m_course, &LoadCourseCanvas::tokensSelected, this,
          [this](trace::TokenRange tokens) { m_context.selection().setTokens(tokens); });
  return body;
}

QWidget* ExpertLoadPanel::makeTable() {
  m_table = new QTableView;
  m_table->setObjectName(QStringLiteral("metrics"));
  m_table->setAccessibleName(tr("Load metrics"));
  m_table->setModel(m_metrics);
  m_table->setFrameShape(QFrame::NoFrame);
  m_table->setShowGrid(false);
  m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_table->setSelectionMode(QAbstractItemView::SingleSelection);
  m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_table->setTabKeyNavigation(false);
  m_table->setWordWrap(false);
  m_table->setMinimumHeight(kLeastTable);
  m_table->verticalHeader()->hide();
  m_table->verticalHeader()->setMinimumSectionSize(kTableRow);
  m_table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
  m_table->verticalHeader()->setDefaultSectionSize(kTableRow);
  m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  m_table->horizontalHeader()->setSectionResizeMode(LoadMetricsModel::kMetric, QHeaderView::Stretch);
  m_table->horizontalHeader()->setHighlightSections(false);
  connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
          [this](const QModelIndex& current) {
            if (!current.isValid()) return;
            chooseMeasure(
                static_cast<analysis::LoadMeasure>(current.data(LoadMetricsModel::MeasureRole).toInt()));
          });
  return m_table;
}

QWidget* ExpertLoadPanel::makeCourseHead() {
  auto* head = new QWidget;
  auto* row = new QHBoxLayout(head);
  row->setContentsMargins(kPadding, 4, kPadding, 0);
  row->setSpacing(kPadding);
  m_metric = new QComboBox;
  m_metric->setMinimumWidth(kNarrowestBox);
  m_metric->setObjectName(QStringLiteral("metric"));
  m_metric->setAccessibleName(tr("Metric of the course"));
  m_metric->setToolTip(tr("Metric that is drawn over the tokens; a row of the table chooses it too"));
  for (const analysis::LoadMeasureInfo& info : analysis::loadMeasures()) {
    m_metric->addItem(qt(info.label), static_cast<int>(info.measure));
  }
  m_courseTokens = new QComboBox;
  m_courseTokens->setObjectName(QStringLiteral("course_tokens"));
  m_courseTokens->setAccessibleName(tr("Window of the course"));
  m_courseTokens->setToolTip(tr("Tokens behind each point of the line"));
  for (const int tokens : kCourseTokens) m_courseTokens->addItem(tr("over %1 tokens").arg(tokens), tokens);
  m_courseTokens->setCurrentIndex(m_courseTokens->findData(kFirstCourseTokens));
  row->addWidget(m_metric);
  row->addWidget(m_courseTokens);
  row->addStretch(1);
  connect(m_metric, &QComboBox::activated, this,
          [this] { chooseMeasure(static_cast<analysis::LoadMeasure>(m_metric->currentData().toInt())); });
  connect(m_courseTokens, &QComboBox::activated, this, [this] { refresh(true); });
  return head;
}

void ExpertLoadPanel::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  // The names of the metrics go before what even load would give, which their tool tips say too.
  if (m_table != nullptr) m_table->setColumnHidden(LoadMetricsModel::kUniform, width() < kRoomForUniform);
}

void ExpertLoadPanel::connectContext() {
  SelectionModel& selection = m_context.selection();
  connect(&m_context, &ViewContext::storeReplaced, this, &ExpertLoadPanel::refreshLayers);
  connect(&m_context, &ViewContext::rowsChanged, this, [this](qlonglong run) {
    if (m_context.selection().run() != trace::RunId{run}) return;
    if (m_routers.empty()) refreshLayers();
    refresh(false);
  });
  connect(&m_context, &ViewContext::runsChanged, this, [this] { refresh(false); });
  connect(&m_context.steering(), &SteeringDocument::programChanged, this, [this] { refresh(false); });
  connect(&selection, &SelectionModel::runChanged, this, &ExpertLoadPanel::refreshLayers);
  connect(&selection, &SelectionModel::routerChanged, this, &ExpertLoadPanel::refreshLayers);
  connect(&selection, &SelectionModel::tokensChanged, this, [this] {
    if (window().kind == LoadWindow::Kind::Selection) refresh(true);
  });
  connect(&selection, &SelectionModel::expertsChanged, this,
          [this] { m_bars->setSelected(m_context.selection().experts()); });
}

void ExpertLoadPanel::refreshLayers() {
  const auto run = m_context.selection().run();
  const auto store = m_context.store();
  m_routers = store && run ? store->routers(*run) : std::vector<RouterSpec>{};
  m_layer->setRouters(m_routers, m_context.selection().router());
  m_layer->setEnabled(m_layer->count() > 1);
  refresh(true);
}

void ExpertLoadPanel::chooseLayer() {
  m_context.selection().setRouter(m_layer->router());
  refresh(true);
}

void ExpertLoadPanel::chooseMeasure(analysis::LoadMeasure measure) {
  m_metric->setCurrentIndex(m_metric->findData(static_cast<int>(measure)));
  const int row = static_cast<int>(measure);
  if (m_table->currentIndex().row() != row && row < m_metrics->rowCount()) m_table->selectRow(row);
  if (m_measure == measure) return;
  m_measure = measure;
  refresh(true);
}

LoadWindow ExpertLoadPanel::window() const {
  const int tokens = m_window->currentData().toInt();
  if (tokens == 0) return {LoadWindow::Kind::WholeRun, 0};
  if (tokens < 0) return {LoadWindow::Kind::Selection, 0};
  return {LoadWindow::Kind::Last, tokens};
}

LoadPictureRequest ExpertLoadPanel::request() const {
  LoadPictureRequest request;
  request.run = m_context.selection().run().value_or(0);
  request.router = m_layer->router().value_or(RouterKey{});
  request.window = window();
  request.selection = m_context.selection().tokens();
  request.measure = m_measure;
  request.courseTokens = m_courseTokens->currentData().toInt();
  if (isCurrent(request.run)) request.liveProgram = m_context.steering().effectiveProgram();
  return request;
}

bool ExpertLoadPanel::isCurrent(trace::RunId run) const {
  const auto status = m_context.session().status();
  return m_context.isLive(run) || (status.run == run && status.canContinue);
}

bool ExpertLoadPanel::busy() const { return m_queries->busy(); }

void ExpertLoadPanel::refresh(bool replace) {
  const auto store = m_context.store();
  if (!store || m_routers.empty()) {
    m_queries->cancel();
    m_picture.reset();
    m_error->hide();
    m_pages->setCurrentIndex(kEmptyPage);
    return;
  }
  if (replace) m_sample->setStale(true);
  m_queries->request(
      [this, store, request = request()](std::stop_token stop) -> QueryRunner::Delivery {
        auto result = std::make_shared<Result<LoadPicture>>(loadPicture(*store, request, stop));
        return [this, result] { showPicture(std::move(*result)); };
      },
      replace ? QueryRunner::Urgency::Replace : QueryRunner::Urgency::Refresh);
}

void ExpertLoadPanel::showPicture(Result<LoadPicture> result) {
  if (!result) {
    if (result.error().kind == "figure.no_routing") {
      m_picture.reset();
      m_error->hide();
      const auto run = m_context.store() ? m_context.store()->run(request().run) : std::nullopt;
      m_pages->setCurrentIndex(run && run->routedTokens > 0 ? kNoSelectionPage : kEmptyPage);
    } else if (result.error().kind != "cancelled") {
      m_error->showError(qt(result.error().text()));  // the last good picture stays
    }
    return;
  }
  m_error->hide();
  m_picture = std::make_shared<const LoadPicture>(*std::move(result));
  m_pages->setCurrentIndex(kBodyPage);
  // The panel is narrow: the whole baseline stands in the picture.
  const QString baseline =
      tr("uniform %1").arg(qt(figure::percentText(1.0 / std::max(1, m_picture->router.experts))));
  m_sample->setSample(qt(m_picture->bars.sampleLine), qt(m_picture->runName), baseline);
  m_sample->setStale(false);
  m_barsWidget->setAccessibleName(qt(m_picture->bars.title + ", " + m_picture->bars.sampleLine));
  m_bars->setPicture(m_picture);
  m_bars->setSelected(m_context.selection().experts());
  m_metrics->setRows(m_picture->rows, routerHeading(m_picture->router),
                     static_cast<int>(m_picture->routers.size()));
  chooseMeasure(m_measure);
  const LoadPictureRequest asked = request();
  m_course->setPicture(m_picture, m_measure, asked.courseTokens, m_context.isLive(asked.run));
  if (m_picture->course) {
    m_courseWidget->setAccessibleName(qt(m_picture->course->title + ", " + m_picture->course->sampleLine));
  }
}

void ExpertLoadPanel::openMenu(const ExpertCell& cell, QPoint globalAt) {
  if (!m_picture) return;
  const auto& experts = m_picture->experts;
  const auto bar = std::ranges::find(experts, cell.expert.value);
  if (bar == experts.end()) return;
  const auto selected = m_context.selection().experts();
  const std::set<ExpertCell> cells = selected.contains(cell) ? selected : std::set<ExpertCell>{cell};
  const double ratio = m_picture->bars.bars->values[static_cast<std::size_t>(bar - experts.begin())];
  const QString heading = tr("%1 · expert %2 · %3 uniform")
                              .arg(routerHeading(cell.router(), m_routers))
                              .arg(cell.expert.value)
                              .arg(qt(figure::ratioText(ratio)));
  m_actions->openMenu(cells, heading, globalAt, [this](QMenu& menu) { menu.addAction(m_barsTable); });
}

Result<figure::FigureSpec> ExpertLoadPanel::barsFigure() const {
  if (m_picture) return m_picture->bars;
  return fail("figure.no_routing", "", "expert load", "no routing is shown", "choose a run with routing");
}

Result<figure::FigureSpec> ExpertLoadPanel::courseFigure() const {
  if (m_picture) return m_picture->course;
  return fail("figure.no_routing", "", "load course", "no routing is shown", "choose a run with routing");
}

}  // namespace moescope::views
