#include "views/panels/routing_map/routing_map_panel.h"

#include <QClipboard>
#include <QEvent>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMenu>
#include <QPushButton>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

#include "core/engine/generation/live_session.h"
#include "core/figure/number_text.h"
#include "views/api/canvas_widget.h"
#include "views/api/figure_table.h"
#include "views/api/panel_widgets.h"
#include "views/api/sample_line.h"
#include "views/api/selection_model.h"
#include "views/api/theme.h"
#include "views/api/token_menu.h"
#include "views/api/view_context.h"
#include "views/panels/routing_map/map_figure.h"
#include "views/panels/routing_map/map_tool_bar.h"

namespace moescope::views {

namespace {

enum Page { kEmptyPage, kMapPage };
constexpr int kBackToLiveMargin = 60;

}  // namespace

RoutingMapPanel::RoutingMapPanel(ViewContext& context, QWidget* parent)
    : QWidget(parent),
      m_context(context),
      m_actions(new ExpertActions(context, this)),
      m_canvas(new RoutingMapCanvas(context, *m_actions, this)) {
  m_canvas->setSmoothZoom(true);
  makeLayout();
  connectCanvas();
  auto& selection = context.selection();
  connect(&context, &ViewContext::storeReplaced, this, &RoutingMapPanel::showRun);
  connect(&context, &ViewContext::runsChanged, this, [this] {
    if (m_run.id != m_context.selection().run().value_or(0)) showRun();
  });
  connect(&context, &ViewContext::rowsChanged, this, &RoutingMapPanel::rowsChanged);
  connect(&context, &ViewContext::liveStateChanged, this, &RoutingMapPanel::liveChanged);
  connect(&context.steering(), &SteeringDocument::programChanged, this, &RoutingMapPanel::refreshMarks);
  connect(&selection, &SelectionModel::runChanged, this, &RoutingMapPanel::showRun);
  connect(&selection, &SelectionModel::routerChanged, this, [this] {
    const auto& chosen = m_context.selection().router();
    const auto router = chosen ? m_canvas->scene().routerOf(*chosen) : std::nullopt;
    if (!router || *router == m_settings.router) return;
    MapSettings settings = m_settings;
    settings.router = *router;
    setSettings(settings);
  });
  connect(&selection, &SelectionModel::tokensChanged, this, [this] {
    m_toolBar->setSelectionEmpty(m_context.selection().tokens().size() == 0);
    if (m_settings.mode == MapMode::LayerExpert && m_settings.window.kind == MapWindow::Kind::Selection)
      refresh(QueryRunner::Urgency::Replace);
  });
  showRun();
}

// The runners stop before the canvas and the widget go.
RoutingMapPanel::~RoutingMapPanel() { delete m_widget; }

void RoutingMapPanel::makeLayout() {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_toolBar = new MapToolBar;
  m_sampleLine = new SampleLine;
  m_error = new ErrorBar;
  m_widget = new CanvasWidget(*m_canvas);
  setFocusProxy(m_widget);
  m_table = addTableAction(m_widget, [this] { return figureSpec(); });
  m_widget->installEventFilter(this);
  auto* page = new QWidget;
  auto* parts = new QVBoxLayout(page);
  parts->setContentsMargins(0, 0, 0, 0);
  parts->setSpacing(0);
  parts->addWidget(m_error);
  parts->addWidget(m_toolBar);
  parts->addWidget(m_sampleLine);
  parts->addWidget(m_widget, 1);
  m_pages = new QStackedWidget;
  m_pages->addWidget(
      new EmptyState(QStringLiteral("routing_map"), tr("No run to show"),
                     tr("Generate text, record a corpus, or select a run in the Runs panel.")));
  m_pages->addWidget(page);
  column->addWidget(m_pages);
  m_backToLive = new QPushButton(this);
  m_backToLive->setIcon(themeIcon(QStringLiteral("follow")));
  m_backToLive->hide();
  connect(m_backToLive, &QPushButton::clicked, this, [this] { setFollow(true); });
  connect(m_toolBar, &MapToolBar::settingsChanged, this, &RoutingMapPanel::setSettings);
  connect(m_toolBar, &MapToolBar::zoomRequested, m_canvas, &RoutingMapCanvas::zoomBy);
  connect(m_toolBar, &MapToolBar::fitRequested, m_canvas, &RoutingMapCanvas::fit);
  connect(m_toolBar, &MapToolBar::followToggled, this, &RoutingMapPanel::setFollow);
  connect(m_toolBar, &MapToolBar::sortRequested, this, [this](bool byLoad) {
    m_sorted = byLoad;
    sortNow();
  });
}

void RoutingMapPanel::connectCanvas() {
  connect(m_canvas, &RoutingMapCanvas::changed, m_widget, &CanvasWidget::wake);
  connect(m_canvas, &RoutingMapCanvas::viewChanged, this, [this] {
    if (m_settings.mode != MapMode::LayerExpert) askForTokens(QueryRunner::Urgency::Refresh);
  });
  connect(m_canvas, &RoutingMapCanvas::hoverChanged, this,
          [this] { askForDetail(QueryRunner::Urgency::Replace); });
  connect(m_canvas, &RoutingMapCanvas::followingChanged, this, [this] { setFollow(m_canvas->following()); });
  connect(m_canvas, &RoutingMapCanvas::modeRequested, this, [this] {
    MapSettings settings = m_settings;
    settings.mode = static_cast<MapMode>((static_cast<int>(settings.mode) + 1) % 3);
    setSettings(settings);
  });
  connect(m_canvas, &RoutingMapCanvas::layerRequested, this, [this](int step) {
    const auto& routers = m_canvas->scene().routers;
    if (routers.empty()) return;
    const auto now = m_context.selection().router();
    const int from = now ? m_canvas->scene().routerOf(*now).value_or(m_settings.router) : m_settings.router;
    const int router = std::clamp(from + step, 0, static_cast<int>(routers.size()) - 1);
    m_context.selection().setRouter(m_canvas->scene().keyOf(static_cast<std::size_t>(router)));
  });
  connect(m_canvas, &RoutingMapCanvas::copyRequested, this, &RoutingMapPanel::copyValue);
  connect(m_canvas, &RoutingMapCanvas::menuRequested, this, &RoutingMapPanel::openMenu);
  connect(m_canvas, &RoutingMapCanvas::cursorChanged, this, [this] {
    const auto cell = m_canvas->scene().cursor;
    if (cell) m_widget->setAccessibleDescription(cellText(m_canvas->scene(), *cell));
  });
}

bool RoutingMapPanel::idle() const {
  return !m_pictures.busy() && !m_overviews.busy() && !m_details.busy() && !m_loads.busy();
}

trace::TokenRange RoutingMapPanel::window() const {
  const auto store = m_context.store();
  std::int64_t prompt = 0;
  for (const trace::TokenRange& range : m_canvas->scene().prompts) prompt = std::max(prompt, range.end);
  const std::int64_t end = m_frozenEnd ? std::min(*m_frozenEnd, m_run.routedTokens) : m_run.routedTokens;
  return windowRange(m_settings.window, end, m_context.selection().tokens(), prompt);
}

void RoutingMapPanel::showRun() {
  const auto store = m_context.store();
  const auto id = m_context.selection().run();
  const auto run = store && id ? store->run(*id) : std::nullopt;
  m_pages->setCurrentIndex(run ? kMapPage : kEmptyPage);
  m_canvas->clearData();
  m_run = run.value_or(trace::RunRecord{});
  m_frozenEnd.reset();
  if (!run) {
    for (QueryRunner* runner : {&m_pictures, &m_overviews, &m_details, &m_loads}) runner->cancel();
    m_backToLive->hide();
    return;
  }
  std::vector<trace::TokenRange> prompts;
  if (run->kind == trace::RunKind::Generate) {
    for (const trace::SequenceRecord& sequence : store->sequences(run->id))
      prompts.push_back({sequence.firstToken, sequence.firstToken + sequence.promptLength});
  }
  const bool live = m_context.isLive(run->id);
  const std::vector<RouterSpec> routers = store->routers(run->id);
  if (m_settings.router >= static_cast<int>(routers.size())) m_settings.router = 0;
  const auto phase = m_settings.window.kind;
  if (prompts.empty() && (phase == MapWindow::Kind::Prefill || phase == MapWindow::Kind::Decode))
    m_settings.window = {};
  if (!isRecorded(m_settings.expertValue, run->capture)) m_settings.expertValue = figure::TokenValue::Rank;
  if (!isRecorded(m_settings.layerValue, run->capture)) m_settings.layerValue = figure::TokenValue::Weight;
  m_toolBar->setRouters(routers);
  m_toolBar->setSettings(m_settings);
  m_toolBar->setRun(run->capture, prompts.size() == 1, live);
  m_toolBar->setSelectionEmpty(m_context.selection().tokens().size() == 0);
  m_canvas->setRun(routers, std::move(prompts));
  m_canvas->setSettings(m_settings);
  m_canvas->setTokenCount(m_run.routedTokens, live);
  setFollow(true);
  refreshMarks();
  refresh(QueryRunner::Urgency::Replace);
}

void RoutingMapPanel::rowsChanged(qlonglong run) {
  if (run != m_run.id) return;
  const auto store = m_context.store();
  const auto record = store ? store->run(run) : std::nullopt;
  if (!record) return;
  const bool firstRows = m_run.routedTokens == 0;
  m_run = *record;
  if (firstRows) {  // the prompt is known now
    showRun();
    return;
  }
  m_canvas->setTokenCount(m_run.routedTokens, m_context.isLive(run));
  placeBackToLive();
  if (m_frozenEnd && m_settings.mode == MapMode::LayerExpert) return;
  refresh(QueryRunner::Urgency::Refresh);
}

void RoutingMapPanel::liveChanged() {
  if (m_run.id == 0) return;
  const bool live = m_context.isLive(m_run.id);
  if (live == m_canvas->scene().live) return;
  m_toolBar->setLive(live);
  m_canvas->setTokenCount(m_run.routedTokens, live);
  if (!live && m_frozenEnd) setFollow(true);  // nothing comes any more: the whole window is shown
  placeBackToLive();
  refreshMarks();
}

void RoutingMapPanel::setSettings(const MapSettings& settings) {
  if (settings == m_settings) return;
  const bool otherRouter = settings.router != m_settings.router;
  const MapSettings before = std::exchange(m_settings, settings);
  MapSettings sameButRouter = before;
  sameButRouter.router = settings.router;
  if (otherRouter && sameButRouter == settings && settings.mode != MapMode::TokenExpert) {
    m_toolBar->setSettings(settings);  // for the mode where it counts
    m_canvas->setSettings(settings);
    return;
  }
  m_sorted = false;
  m_toolBar->setSettings(settings);
  m_canvas->setSettings(settings);
  m_canvas->setTokenCount(m_run.routedTokens, m_context.isLive(m_run.id));
  m_sampleLine->setStale(true);
  placeBackToLive();
  refresh(QueryRunner::Urgency::Replace);
}

void RoutingMapPanel::setFollow(bool on) {
  const bool freezes = !on && m_context.isLive(m_run.id) && m_settings.mode == MapMode::LayerExpert;
  const bool thaws = on && m_frozenEnd.has_value();
  m_frozenEnd = freezes ? std::optional(m_frozenEnd.value_or(m_run.routedTokens)) : std::nullopt;
  m_canvas->setFollowing(on);
  m_toolBar->setFollowing(on);
  placeBackToLive();
  if (thaws) refresh(QueryRunner::Urgency::Refresh);
}

void RoutingMapPanel::placeBackToLive() {
  const bool live = m_context.isLive(m_run.id);
  m_backToLive->setVisible(live && !m_canvas->following());
  if (!m_backToLive->isVisible()) return;
  const std::int64_t fresh = m_frozenEnd ? m_run.routedTokens - *m_frozenEnd : m_canvas->newTokens();
  m_backToLive->setText(
      tr("Back to live (%1 new tokens)")
          .arg(QString::fromStdString(figure::countText(std::max<std::int64_t>(0, fresh)))));
  m_backToLive->adjustSize();
  const QPoint corner = m_widget->mapTo(this, QPoint(0, 0));
  m_backToLive->move(corner.x() + (m_widget->width() - m_backToLive->width()) / 2,
                     corner.y() + m_widget->height() - kBackToLiveMargin - m_backToLive->height());
  m_backToLive->raise();
}

void RoutingMapPanel::refreshMarks() {
  const auto store = m_context.store();
  if (!store || m_run.id == 0) return;
  MapMarks marks = mapMarks(*store, m_run, window().end, m_context);
  m_canvas->setMarks(std::move(marks.marks), std::move(marks.program), std::move(marks.changes));
}

void RoutingMapPanel::sortNow() {
  const auto store = m_context.store();
  if (!m_sorted || !store || m_run.id == 0) {
    m_canvas->sortBy({});
    return;
  }
  if (m_settings.mode == MapMode::LayerExpert) {
    if (m_canvas->scene().layers) m_canvas->sortBy(m_canvas->scene().layers->loads);
    return;
  }
  m_loads.request(
      [this, store, run = m_run.id, router = m_settings.router,
       end = m_run.routedTokens](std::stop_token stop) {
        auto load = store->load(run, router, {0, end}, stop);
        return [this, load = std::move(load)] { m_canvas->sortBy({load}); };
      },
      QueryRunner::Urgency::Replace);
}

void RoutingMapPanel::copyValue() {
  const auto cell = m_canvas->activeCell();
  if (cell) QGuiApplication::clipboard()->setText(cellText(m_canvas->scene(), *cell));
}

void RoutingMapPanel::openMenu(QPoint globalAt, bool tokenRow) {
  const auto cell = m_canvas->activeCell();
  if (!cell) return;
  const auto addRest = [this](QMenu& menu) {
    auto* copy =
        menu.addAction(themeIcon(QStringLiteral("copy")), tr("Copy value") + QStringLiteral("\tCtrl+C"));
    connect(copy, &QAction::triggered, this, &RoutingMapPanel::copyValue);
    menu.addAction(m_table);
    auto* figure = menu.addAction(themeIcon(QStringLiteral("export")), tr("Export figure…"));
    connect(figure, &QAction::triggered, this, &RoutingMapPanel::exportRequested);
  };
  const auto expert = m_canvas->scene().expertAt(*cell);
  const ExpertCells& cells = m_context.selection().experts();
  if (!tokenRow && expert && !cells.empty()) {
    const QString heading =
        cells.size() == 1 ? cellHeading(m_canvas->scene(), *cell) : QString::fromStdString(cellsText(cells));
    m_actions->openMenu(cells, heading, globalAt, addRest);
    return;
  }
  auto* menu = makeTokenMenu(m_context, m_run.id, m_context.selection().tokens(), this);
  menu->addSeparator();
  addRest(*menu);
  menu->popup(globalAt);
}

void RoutingMapPanel::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) m_canvas->themeChanged();
}

void RoutingMapPanel::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  placeBackToLive();
}

bool RoutingMapPanel::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::KeyRelease && dynamic_cast<QKeyEvent*>(event)->key() == Qt::Key_Space)
    m_canvas->releaseSpace();
  return QWidget::eventFilter(watched, event);
}

Result<figure::FigureSpec> RoutingMapPanel::figureSpec() const {
  const auto store = m_context.store();
  if (!store || m_run.id == 0)
    return fail("figure.no_routing", "", "", "the routing map shows no run",
                "select a run in the Runs panel");
  return mapFigure(*store, m_run.id, m_canvas->scene());
}

}  // namespace moescope::views
