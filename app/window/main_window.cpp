#include "app/window/main_window.h"

#include <QAction>
#include <QCloseEvent>
#include <QComboBox>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QSettings>
#include <QStackedWidget>
#include <QTimer>
#include <QUndoStack>
#include <QUrl>

#include <utility>

#include "app/window/dock_tabs.h"
#include "app/window/dock_title.h"
#include "app/window/plugin_dock.h"
#include "app/window/settings_dialog.h"
#include "app/window/window_status_bar.h"
#include "core/checkpoint/hf_cache.h"
#include "views/api/selection_model.h"
#include "views/api/theme.h"
#include "views/models/run_list_model.h"
#include "views/panels/expert_load/expert_load_panel.h"
#include "views/panels/model/model_panel.h"
#include "views/panels/prompt/prompt_panel.h"
#include "views/panels/routing_map/routing_map_panel.h"
#include "views/panels/runs/runs_panel.h"
#include "views/panels/start/start_page.h"
#include "views/panels/steering/steering_panel.h"
#include "views/panels/token_strip/token_strip_panel.h"

namespace moescope::app {

namespace {

constexpr QSize kDefaultSize(1600, 1000);
constexpr QSize kMinimumSize(1024, 700);
constexpr int kThreeColumns = 1240;  // under this width there are two columns
constexpr int kLayoutVersion = 1;    // saved layouts of another version are not restored
const auto kGeometryKey = QStringLiteral("window/geometry");
const auto kStateKey = QStringLiteral("window/state");
const auto kPluginPanelsKey = QStringLiteral("window/plugin_panels");  // those that the state knows

}  // namespace

MainWindow::MainWindow(Workspace& workspace, plugin::PluginHost& plugins, QWidget* parent)
    : QMainWindow(parent), m_workspace(workspace), m_plugins(plugins) {
  setMinimumSize(kMinimumSize);
  setAcceptDrops(true);
  setDockNestingEnabled(true);
  setDockOptions(AllowNestedDocks | AllowTabbedDocks);  // no animation: docks are in place at once
  setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
  m_tabs = new DockTabs(this);
  makeActions();
  makePanels();
  makeMenus();
  makeToolBar();
  refreshTitle();
  m_status = new WindowStatusBar(m_workspace.context());
  setStatusBar(m_status);
  connect(m_status, &WindowStatusBar::panelRequested, this, [this](const QString& name) {
    m_docks.at(name)->show();
    m_docks.at(name)->raise();
  });

  auto& context = m_workspace.context();
  connect(&m_workspace, &Workspace::failed, this, &MainWindow::showError);
  connect(&m_workspace, &Workspace::modelAsked, this, [this] { m_loadAsked = true; });
  connect(&context, &views::ViewContext::modelChanged, this, [this] { m_loadAsked = false; });
  connect(&m_workspace, &Workspace::recentChanged, this, &MainWindow::refreshRecentMenu);
  connect(&m_workspace, &Workspace::recentChanged, this, &MainWindow::refreshStartPage);
  connect(&m_workspace, &Workspace::traceChanged, this, &MainWindow::refreshActions);
  connect(&m_workspace, &Workspace::traceChanged, this, &MainWindow::refreshTitle);
  connect(&context, &views::ViewContext::modelChanged, this, &MainWindow::refreshTitle);
  connect(&m_workspace, &Workspace::demoOpened, this, [this](const QString& prompt) {
    if (m_promptPanel->prompt().isEmpty()) m_promptPanel->setPrompt(prompt);
  });
  connect(&context, &views::ViewContext::liveStateChanged, this, &MainWindow::refreshActions);
  connect(&context, &views::ViewContext::modelChanged, this, &MainWindow::refreshActions);
  connect(&context, &views::ViewContext::generationStarted, this, [this] {
    m_newestRun.reset();  // in another file it may have the same number
    refreshActions();
  });
  connect(&context, &views::ViewContext::runsChanged, this, &MainWindow::refreshActions);
  connect(&context, &views::ViewContext::sessionFailed, this, &MainWindow::showError);
  connect(&context, &views::ViewContext::recordingFailed, this, &MainWindow::showError);
  connect(&context, &views::ViewContext::runSwitched, this,
          [&context](qlonglong run) { context.selection().setRun(run); });
  connect(&context.steering(), &views::SteeringDocument::programChanged, this, &MainWindow::refreshActions);
  refreshActions();
  refreshStartPage();
  refreshRecentMenu();
}

MainWindow::~MainWindow() = default;

void MainWindow::makePanels() {
  auto& context = m_workspace.context();
  m_modelPanel = new views::ModelPanel(context);
  m_runsPanel = new views::RunsPanel(context);
  m_tokenStrip = new views::TokenStripPanel(context);
  m_routingMap = new views::RoutingMapPanel(context);
  m_promptPanel = new views::PromptPanel(context, {m_generate, m_stop, m_step, m_resume});
  m_steeringPanel = new views::SteeringPanel(context);
  m_expertLoad = new views::ExpertLoadPanel(context);
  m_startPage = new views::StartPage;
  m_mapPages = new QStackedWidget;
  m_mapPages->addWidget(m_startPage);
  m_mapPages->addWidget(m_routingMap);

  addPanel(QStringLiteral("model"), tr("Model"), m_modelPanel);
  addPanel(QStringLiteral("runs"), tr("Runs"), m_runsPanel);
  addPanel(QStringLiteral("tokens"), tr("Tokens"), m_tokenStrip);
  addPanel(QStringLiteral("routing_map"), tr("Routing map"), m_mapPages);
  addPanel(QStringLiteral("prompt"), tr("Prompt"), m_promptPanel);
  addPanel(QStringLiteral("steering"), tr("Steering"), m_steeringPanel);
  addPanel(QStringLiteral("expert_load"), tr("Expert load"), m_expertLoad);
  makePluginPanels();

  connect(m_modelPanel, &views::ModelPanel::changeRequested, this, &MainWindow::changeLoading);
  connect(m_modelPanel, &views::ModelPanel::unloadRequested, m_unloadModel, &QAction::trigger);
  connect(m_runsPanel, &views::RunsPanel::saveCopyRequested, this, &MainWindow::saveTraceCopy);
  connect(m_runsPanel, &views::RunsPanel::failed, this, &MainWindow::showError);
  connect(m_steeringPanel, &views::SteeringPanel::loadRequested, m_loadProgram, &QAction::trigger);
  connect(m_steeringPanel, &views::SteeringPanel::saveRequested, m_saveProgram, &QAction::trigger);
  auto* steeringTitle = qobject_cast<DockTitle*>(m_docks.at(QStringLiteral("steering"))->titleBarWidget());
  connect(m_steeringPanel, &views::SteeringPanel::summaryChanged, steeringTitle, &DockTitle::setSummary);
  connect(m_routingMap, &views::RoutingMapPanel::exportRequested, m_exportFigure, &QAction::trigger);
  connect(m_startPage, &views::StartPage::demoRequested, m_openDemo, &QAction::trigger);
  connect(m_startPage, &views::StartPage::folderRequested, m_open, &QAction::trigger);
  connect(m_startPage, &views::StartPage::traceRequested, m_openTrace, &QAction::trigger);
  connect(m_startPage, &views::StartPage::openRequested, &m_workspace, &Workspace::open);
}

void MainWindow::makePluginPanels() {
  m_workspace.context().setPlugins(&m_plugins);
  for (const plugin::PluginHost::View& view : m_plugins.views()) {
    m_pluginDocks.push_back(new PluginDock(view, m_workspace.context(), this));
    m_tabs->watch(m_pluginDocks.back());
  }
}

QDockWidget* MainWindow::addPanel(const QString& name, const QString& title, QWidget* panel) {
  auto* dock = new QDockWidget(title, this);
  dock->setObjectName(name);  // layouts are saved by this name
  dock->setWidget(panel);
  dock->setTitleBarWidget(new DockTitle(dock));
  m_tabs->watch(dock);
  m_docks[name] = dock;
  return dock;
}

void MainWindow::arrange(Layout layout) {
  const auto dock = [this](const char* name) { return m_docks.at(QString::fromLatin1(name)); };
  for (const auto& [name, panel] : m_docks) {
    panel->setFloating(false);
    removeDockWidget(panel);
  }
  for (PluginDock* panel : m_pluginDocks) {
    panel->setFloating(false);
    removeDockWidget(panel);
  }
  addDockWidget(Qt::LeftDockWidgetArea, dock("model"));
  splitDockWidget(dock("model"), dock("tokens"), Qt::Horizontal);
  splitDockWidget(dock("tokens"), dock("steering"), Qt::Horizontal);
  splitDockWidget(dock("model"), dock("runs"), Qt::Vertical);
  splitDockWidget(dock("tokens"), dock("routing_map"), Qt::Vertical);
  splitDockWidget(dock("routing_map"), dock("prompt"), Qt::Vertical);
  splitDockWidget(dock("steering"), dock("expert_load"), Qt::Vertical);
  for (PluginDock* panel : m_pluginDocks) {
    tabifyDockWidget(dock("routing_map"), panel);
    panel->show();
  }
  for (const auto& [name, panel] : m_docks) panel->show();
  bringToFront(dock("routing_map"));
  m_twoColumns = width() < kThreeColumns;
  if (m_twoColumns) tabRightColumn();
  if (layout == Layout::Reading) dock("tokens")->hide();
  if (layout == Layout::Analysis) {
    for (const char* name : {"model", "tokens", "prompt", "steering", "expert_load"}) dock(name)->hide();
  }
  if (layout == Layout::Presentation) {
    for (const char* name : {"model", "runs", "prompt", "steering", "expert_load"}) dock(name)->hide();
  }
  const int prompt = layout == Layout::Reading ? 120 : 184;
  resizeColumns();
  resizeDocks({dock("model"), dock("runs")}, {292, 600}, Qt::Vertical);
  resizeDocks({dock("tokens"), dock("routing_map"), dock("prompt")}, {168, 548, prompt}, Qt::Vertical);
  resizeDocks({dock("steering"), dock("expert_load")}, {448, 452}, Qt::Vertical);
}

void MainWindow::resizeColumns() {
  resizeDocks({m_docks.at(QStringLiteral("model")), m_docks.at(QStringLiteral("tokens")),
               m_docks.at(QStringLiteral("steering"))},
              {256, 1000, 336}, Qt::Horizontal);
}

// In a narrow window the right column lies behind the left one.
void MainWindow::tabRightColumn() {
  tabifyDockWidget(m_docks.at(QStringLiteral("model")), m_docks.at(QStringLiteral("steering")));
  tabifyDockWidget(m_docks.at(QStringLiteral("runs")), m_docks.at(QStringLiteral("expert_load")));
  bringToFront(m_docks.at(QStringLiteral("model")));
  bringToFront(m_docks.at(QStringLiteral("runs")));
}

void MainWindow::resizeEvent(QResizeEvent* event) {
  QMainWindow::resizeEvent(event);
  if (!isVisible() || m_twoColumns == (width() < kThreeColumns)) return;
  // After the docks have taken up the new size.
  QTimer::singleShot(0, this, [this] {
    arrange(Layout::Work);
    // Bars of tabs keep the width that they were made with until the sizes are asked for again.
    QTimer::singleShot(0, this, [this] { resizeColumns(); });
  });
}

// Before the window is shown its bars of tabs are empty and nothing comes to the front; nor would a second
// raise() help then, as the dock already is the last child.
void MainWindow::bringToFront(QDockWidget* dock) {
  if (isVisible()) {
    dock->raise();
  } else {
    m_toFront.push_back(dock);
  }
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  QTimer::singleShot(0, this, [this] {
    for (QDockWidget* dock : std::exchange(m_toFront, {})) dock->raise();
  });
}

void MainWindow::restoreLayout() {
  const QSettings settings;
  m_promptPanel->restore();
  if (!restoreGeometry(settings.value(kGeometryKey).toByteArray())) resize(kDefaultSize);
  arrange(Layout::Work);
  if (!restoreState(settings.value(kStateKey).toByteArray(), kLayoutVersion)) return;
  m_toFront.clear();
  // Qt puts docks that the saved layout does not know anywhere.
  const QStringList known = settings.value(kPluginPanelsKey).toStringList();
  auto* map = m_docks.at(QStringLiteral("routing_map"));
  for (PluginDock* dock : m_pluginDocks) {
    if (known.contains(dock->objectName())) continue;
    tabifyDockWidget(map, dock);
    bringToFront(map);
  }
}

void MainWindow::refreshActions() {
  auto& context = m_workspace.context();
  const auto status = m_workspace.session().status();
  const bool busy = status.state == engine::LiveState::Running ||
                    status.state == engine::LiveState::Stopping || status.state == engine::LiveState::Loading;
  const bool model = m_workspace.session().model() != nullptr;
  const bool trace = context.store() != nullptr;
  const views::RunListModel& runs = m_runsPanel->model();
  const bool anyRun = trace && runs.rowCount() > 0;
  m_generate->setEnabled(model && !busy);
  m_stop->setEnabled(busy && status.state != engine::LiveState::Stopping);
  m_step->setEnabled(model && !busy);
  m_resume->setEnabled(model && !busy && status.canContinue);
  m_recordCorpus->setEnabled(model && !busy);
  m_recordSeries->setEnabled(!busy);
  m_changeModel->setEnabled(model && !busy);
  m_unloadModel->setEnabled(model && !busy);
  m_saveCopy->setEnabled(trace);
  m_closeTrace->setEnabled(trace && !busy);
  m_exportFigure->setEnabled(anyRun);
  m_saveProgram->setEnabled(!context.steering().program().rules.empty());
  const bool on = context.steering().masterOn() && !context.steering().program().rules.empty();
  m_steeringOn->setChecked(on);
  m_steeringOn->setText(on ? tr("Steering on") : tr("Steering off"));
  m_steeringOn->setIcon(on ? views::themeIcon(QStringLiteral("check")) : QIcon());
  m_steeringOn->setEnabled(!context.steering().program().rules.empty());
  if (m_mode != nullptr) m_mode->setCurrentIndex(context.steering().counterfactual() ? 1 : 0);
  m_mapPages->setCurrentIndex(model || anyRun || busy ? 1 : 0);
  // A new run is looked at until the user chooses another.
  if (status.run != m_newestRun) {
    m_newestRun = status.run;
    if (status.run) context.selection().setRun(status.run);
  }
  if (anyRun && !context.selection().run()) {
    context.selection().setRun(runs.newestRun());
  }
}

void MainWindow::refreshTitle() {
  QStringList parts;
  if (const auto model = m_workspace.session().model()) {
    parts << QString::fromStdString(model->checkpoint().displayName());
  }
  if (const auto store = m_workspace.context().store()) {
    parts << QString::fromStdString(store->path().filename().string());
  }
  parts << QStringLiteral("MoEScope");
  setWindowTitle(parts.join(QStringLiteral(" – ")));
}

void MainWindow::refreshStartPage() {
  m_startPage->setRecent(m_workspace.recent());
  const auto folder = checkpoint::huggingFaceCacheFolder();
  std::int64_t freeBytes = 0;
  QString device = QStringLiteral("cpu");
  if (const auto model = m_workspace.session().model()) {
    freeBytes = model->device().freeBytes;
    device = QString::fromStdString(model->device().id);
  } else {
    freeBytes = availableMemoryBytes();
  }
  m_startPage->setCache(checkpoint::listHuggingFaceCache(folder), QString::fromStdString(folder.string()),
                        freeBytes, device);
}

void MainWindow::showError(const QString& text) {
  // Beside what failed: loading in the Model panel, everything else where the user types.
  const bool loading = std::exchange(m_loadAsked, false) || m_workspace.session().model() == nullptr;
  if (loading) {
    m_modelPanel->showError(text);
  } else {
    m_promptPanel->showError(text);
  }
  const QWidget* panel = loading ? static_cast<QWidget*>(m_modelPanel) : m_promptPanel;
  if (!panel->isVisible()) m_status->showMessage(text, kMessageMs);
}

void MainWindow::beginCommand() {
  m_loadAsked = false;
  m_promptPanel->clearError();
}

void MainWindow::startGenerating(int maxTokens) {
  auto settings = m_promptPanel->settings();
  if (!settings) return m_promptPanel->showRefused(settings.error());
  if (maxTokens > 0) settings->maxTokens = maxTokens;
  bool intoOpenFile = false;
  if (m_workspace.mustAskBeforeRecording()) {
    QMessageBox box(QMessageBox::Question, tr("Record into this trace?"),
                    tr("%1 was opened for reading. Record the new run into it, or into a new file?")
                        .arg(m_workspace.traceFile()),
                    QMessageBox::Cancel, this);
    auto* newFile = box.addButton(tr("New file"), QMessageBox::AcceptRole);
    auto* thisFile = box.addButton(tr("This file"), QMessageBox::AcceptRole);
    box.setDefaultButton(qobject_cast<QPushButton*>(newFile));
    box.exec();
    if (box.clickedButton() != newFile && box.clickedButton() != thisFile) return;
    intoOpenFile = box.clickedButton() == thisFile;
  }
  if (!m_workspace.prepareRecording(intoOpenFile)) return;
  beginCommand();
  m_workspace.session().generate(*std::move(settings));
}

void MainWindow::closeEvent(QCloseEvent* event) {
  QSettings settings;
  settings.setValue(kGeometryKey, saveGeometry());
  settings.setValue(kStateKey, saveState(kLayoutVersion));
  QStringList panels;
  for (const PluginDock* dock : m_pluginDocks) panels << dock->objectName();
  settings.setValue(kPluginPanelsKey, panels);
  m_promptPanel->save();
  m_workspace.saveSession();
  m_workspace.closeTrace();
  QMainWindow::closeEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  for (const QUrl& url : event->mimeData()->urls()) {
    if (url.isLocalFile()) m_workspace.open(url.toLocalFile());
  }
}

}  // namespace moescope::app
