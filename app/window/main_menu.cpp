// Actions, menus and tool bar of the main window.
#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QComboBox>
#include <QDockWidget>
#include <QMenu>
#include <QMenuBar>
#include <QSettings>
#include <QToolBar>
#include <QUndoStack>

#include "app/window/keyboard_dialog.h"
#include "app/window/main_window.h"
#include "app/window/plugin_dock.h"
#include "views/api/motion.h"
#include "views/api/panel_widgets.h"
#include "views/api/theme.h"
#include "views/panels/prompt/prompt_panel.h"
#include "views/panels/steering/steering_panel.h"

namespace moescope::app {

namespace {

// In the order of the Alt+digit shortcuts.
const QStringList kPanelOrder{QStringLiteral("model"),      QStringLiteral("runs"),
                              QStringLiteral("tokens"),     QStringLiteral("routing_map"),
                              QStringLiteral("prompt"),     QStringLiteral("steering"),
                              QStringLiteral("expert_load")};

}  // namespace

QAction* MainWindow::makeAction(const char* name, const QString& text, const QString& icon,
                                const QKeySequence& keys) {
  auto* action = new QAction(text, this);
  if (!icon.isEmpty()) action->setIcon(views::themeIcon(icon));
  nameAction(*action, QString::fromLatin1(name), keys);
  addAction(action);
  m_commands.append(action);
  return action;
}

void MainWindow::makeActions() {
  m_open = makeAction("open", tr("Open…"), QStringLiteral("open"), QKeySequence::Open);
  m_open->setToolTip(tr("Open a checkpoint folder"));
  m_openGguf = makeAction("open_gguf", tr("Open GGUF file…"), {}, {});
  m_openTrace = makeAction("open_trace", tr("Open trace…"), QStringLiteral("trace"), {});
  m_openCache =
      makeAction("open_cache", tr("Open from Hugging Face cache…"), {}, QKeySequence(tr("Ctrl+Shift+O")));
  m_openDemo = makeAction("open_demo", tr("Open demo"), QStringLiteral("play"), {});
  m_saveCopy =
      makeAction("save_copy", tr("Save a copy of the trace…"), QStringLiteral("save"), QKeySequence::SaveAs);
  m_closeTrace = makeAction("close_trace", tr("Close trace"), {}, {});
  m_recordCorpus = makeAction("record_corpus", tr("Record corpus…"), {}, {});
  m_recordSeries = makeAction("record_series", tr("Record series…"), {}, {});
  m_exportFigure =
      makeAction("export_figure", tr("Export figure…"), QStringLiteral("export"), QKeySequence(tr("Ctrl+E")));
  m_generate =
      makeAction("generate", tr("Generate"), QStringLiteral("play"), QKeySequence(tr("Ctrl+Return")));
  m_stop = makeAction("stop", tr("Stop"), QStringLiteral("stop"), QKeySequence(tr("Esc")));
  m_step = makeAction("step", tr("Step"), QStringLiteral("step"), QKeySequence(tr("F7")));
  m_step->setToolTip(tr("Step one token"));
  m_resume = makeAction("continue", tr("Continue"), QStringLiteral("continue"), QKeySequence(tr("F9")));
  m_resume->setToolTip(tr("Write on from the last token"));
  m_steeringOn = makeAction("steering", tr("Steering off"), {}, QKeySequence(tr("F8")));
  m_steeringOn->setCheckable(true);
  m_steeringOn->setToolTip(tr("All rules on or off"));
  m_loadProgram = makeAction("load_program", tr("Load program…"), QStringLiteral("load"), {});
  m_saveProgram = makeAction("save_program", tr("Save program…"), QStringLiteral("save"), {});
  m_changeModel = makeAction("change_model", tr("Device and dtype…"), {}, {});
  m_unloadModel = makeAction("unload_model", tr("Unload"), {}, {});

  auto& context = m_workspace.context();
  auto& session = m_workspace.session();
  m_undo = context.steering().undoStack()->createUndoAction(this, tr("Undo"));
  m_redo = context.steering().undoStack()->createRedoAction(this, tr("Redo"));
  m_undo->setIcon(views::themeIcon(QStringLiteral("undo")));
  m_redo->setIcon(views::themeIcon(QStringLiteral("redo")));
  nameAction(*m_undo, QStringLiteral("undo"), QKeySequence::Undo);
  nameAction(*m_redo, QStringLiteral("redo"), QKeySequence(tr("Ctrl+Shift+Z")));
  m_commands << m_undo << m_redo;

  connect(m_open, &QAction::triggered, this, &MainWindow::openFolder);
  connect(m_openGguf, &QAction::triggered, this, &MainWindow::openGgufFile);
  connect(m_openTrace, &QAction::triggered, this, &MainWindow::openTraceFile);
  connect(m_openCache, &QAction::triggered, this, &MainWindow::openFromCache);
  connect(m_openDemo, &QAction::triggered, &m_workspace, &Workspace::openDemo);
  connect(m_saveCopy, &QAction::triggered, this, &MainWindow::saveTraceCopy);
  connect(m_closeTrace, &QAction::triggered, &m_workspace, &Workspace::closeTrace);
  connect(m_recordCorpus, &QAction::triggered, this, &MainWindow::recordCorpus);
  connect(m_recordSeries, &QAction::triggered, this, &MainWindow::recordSeries);
  connect(m_exportFigure, &QAction::triggered, this, &MainWindow::exportFigure);
  connect(m_generate, &QAction::triggered, this, [this] { startGenerating(0); });
  connect(m_stop, &QAction::triggered, this, [&session] { session.stop(); });
  connect(m_step, &QAction::triggered, this, [this, &session] {
    if (session.status().canContinue) {
      session.stepOne();
    } else {
      startGenerating(1);
    }
  });
  connect(m_resume, &QAction::triggered, this,
          [this, &session] { session.resume(m_promptPanel->maxTokens()); });
  connect(m_steeringOn, &QAction::triggered, &context.steering(), &views::SteeringDocument::setMasterOn);
  connect(m_loadProgram, &QAction::triggered, this, &MainWindow::loadProgram);
  connect(m_saveProgram, &QAction::triggered, this, &MainWindow::saveProgram);
  connect(m_changeModel, &QAction::triggered, this, &MainWindow::changeLoading);
  connect(m_unloadModel, &QAction::triggered, this, [&session] { session.unloadModel(); });
}

void MainWindow::makeMenus() {
  makeFileMenu();
  auto* edit = menuBar()->addMenu(tr("&Edit"));
  edit->addAction(m_undo);
  edit->addAction(m_redo);
  edit->addSeparator();
  auto* settings =
      makeAction("settings", tr("Settings…"), QStringLiteral("settings"), QKeySequence(tr("Ctrl+,")));
  connect(settings, &QAction::triggered, this, &MainWindow::showSettings);
  edit->addAction(settings);
  makeViewMenu();
  makeRunMenus();
  makeAnalysisMenu();
  auto* window = menuBar()->addMenu(tr("&Window"));
  auto* next = makeAction("next_panel", tr("Next panel"), {}, QKeySequence(tr("F6")));
  auto* previous = makeAction("previous_panel", tr("Previous panel"), {}, QKeySequence(tr("Shift+F6")));
  auto* full = makeAction("full_screen", tr("Full screen"), {}, QKeySequence(tr("F11")));
  connect(next, &QAction::triggered, this, [this] { focusPanel(1); });
  connect(previous, &QAction::triggered, this, [this] { focusPanel(-1); });
  connect(full, &QAction::triggered, this, [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });
  window->addActions({next, previous, full});
  makeHelpMenu();
}

void MainWindow::makeFileMenu() {
  auto* file = menuBar()->addMenu(tr("&File"));
  file->addAction(m_open);
  file->addAction(m_openGguf);
  file->addAction(m_openCache);
  file->addAction(m_openTrace);
  file->addAction(m_openDemo);
  m_recentMenu = file->addMenu(tr("Recent"));
  file->addSeparator();
  file->addAction(m_saveCopy);
  file->addAction(m_closeTrace);
  file->addSeparator();
  file->addAction(m_recordCorpus);
  file->addAction(m_recordSeries);
  file->addAction(m_exportFigure);
  file->addSeparator();
  file->addAction(tr("Quit"), QKeySequence::Quit, this, &QWidget::close);
}

void MainWindow::makeViewMenu() {
  auto* view = menuBar()->addMenu(tr("&View"));
  auto* themes = view->addMenu(tr("Theme"));
  auto* group = new QActionGroup(this);
  const std::pair<QString, views::ThemeChoice> choices[] = {{tr("System"), views::ThemeChoice::System},
                                                            {tr("Dark"), views::ThemeChoice::Dark},
                                                            {tr("Light"), views::ThemeChoice::Light}};
  for (const auto& [text, choice] : choices) {
    auto* action = themes->addAction(text);
    action->setCheckable(true);
    group->addAction(action);
    connect(action, &QAction::triggered, this, [choice = choice] { views::chooseTheme(choice); });
    // Another place may have changed it.
    connect(themes, &QMenu::aboutToShow, action,
            [action, choice = choice] { action->setChecked(views::savedThemeChoice() == choice); });
  }
  auto* motion = view->addAction(tr("Reduced motion"));
  motion->setCheckable(true);
  connect(motion, &QAction::triggered, this, [](bool on) { views::setReducedMotion(on); });
  connect(view, &QMenu::aboutToShow, motion, [motion] { motion->setChecked(views::reducedMotion()); });
  view->addSeparator();
  int number = 1;
  for (const QString& name : kPanelOrder) {
    auto* dock = m_docks.at(name);
    auto* toggle = dock->toggleViewAction();
    view->addAction(toggle);
    auto* focus =
        makeAction(("go_to_" + name.toLatin1()).constData(), tr("Go to %1").arg(dock->windowTitle()), {},
                   QKeySequence(tr("Alt+%1").arg(number++)));
    connect(focus, &QAction::triggered, dock, [dock] {
      dock->show();
      dock->raise();
      focusContent(*dock);
    });
  }
  view->addSeparator();
  auto* layouts = view->addMenu(tr("Layout"));
  layouts->addAction(tr("Work"), this, [this] { arrange(Layout::Work); });
  layouts->addAction(tr("Reading"), this, [this] { arrange(Layout::Reading); });
  layouts->addAction(tr("Analysis"), this, [this] { arrange(Layout::Analysis); });
  layouts->addAction(tr("Presentation"), this, [this] { arrange(Layout::Presentation); });
  view->addAction(tr("Reset layout"), this, [this] { arrange(Layout::Work); });
}

void MainWindow::makeRunMenus() {
  auto* model = menuBar()->addMenu(tr("&Model"));
  model->addAction(m_open);
  model->addAction(m_changeModel);
  model->addAction(m_unloadModel);
  auto* run = menuBar()->addMenu(tr("&Run"));
  run->addAction(m_generate);
  run->addAction(m_stop);
  run->addAction(m_step);
  run->addAction(m_resume);
  run->addSeparator();
  run->addAction(m_recordCorpus);
  auto* steering = menuBar()->addMenu(tr("&Steering"));
  steering->addAction(m_steeringOn);
  steering->addSeparator();
  steering->addAction(m_loadProgram);
  steering->addAction(m_saveProgram);
  steering->addSeparator();
  steering->addAction(m_undo);
  steering->addAction(m_redo);
}

void MainWindow::makeAnalysisMenu() {
  auto* menu = menuBar()->addMenu(tr("&Analysis"));
  for (PluginDock* dock : m_pluginDocks) {
    auto* action =
        makeAction(("show_" + dock->objectName().toLatin1()).constData(), dock->windowTitle(), {}, {});
    connect(action, &QAction::triggered, dock, [dock] {
      dock->show();
      dock->raise();
      focusContent(*dock);
    });
    menu->addAction(action);
  }
  if (!m_pluginDocks.empty()) menu->addSeparator();
  auto* run = makeAction("run_analysis", tr("Run analysis…"), {}, QKeySequence(tr("Ctrl+Shift+A")));
  connect(run, &QAction::triggered, this, &MainWindow::runAnalysis);
  menu->addAction(run);
}

void MainWindow::makeHelpMenu() {
  auto* help = menuBar()->addMenu(tr("&Help"));
  auto* manual = makeAction("manual", tr("Manual"), {}, QKeySequence::HelpContents);
  connect(manual, &QAction::triggered, this, &MainWindow::showManual);
  help->addAction(manual);
  help->addAction(tr("Keyboard…"), this, &MainWindow::showKeyboard);
  help->addAction(tr("Plug-ins…"), this, &MainWindow::showPlugins);
  help->addAction(tr("About MoEScope"), this, &MainWindow::showAbout);
}

void MainWindow::makeToolBar() {
  auto* bar = addToolBar(tr("Main"));
  bar->setObjectName(QStringLiteral("main_tools"));
  bar->setMovable(false);
  bar->setContextMenuPolicy(Qt::PreventContextMenu);
  bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  bar->addAction(m_open);
  bar->addSeparator();
  bar->addWidget(new views::ActionButton(m_generate, true));
  for (QAction* action : {m_stop, m_step, m_resume}) bar->addWidget(new views::ActionButton(action, false));
  bar->addSeparator();
  bar->addAction(m_steeringOn);
  m_mode = new QComboBox;
  m_mode->addItems({tr("From now on"), tr("Counterfactual")});
  m_mode->setToolTip(
      tr("From now on: a rule acts on the next token. Counterfactual: the text so far is "
         "replayed as if the rule had always been there."));
  m_mode->setAccessibleName(tr("Steering mode"));
  connect(m_mode, &QComboBox::activated, &m_workspace.context().steering(),
          [this](int index) { m_workspace.context().steering().setCounterfactual(index == 1); });
  bar->addWidget(m_mode);
  for (QAction* action : {m_undo, m_redo}) {
    bar->addAction(action);
    if (auto* button = bar->widgetForAction(action)) {
      button->setProperty("toolButtonStyle", static_cast<int>(Qt::ToolButtonIconOnly));
    }
  }
  auto* spacer = new QWidget;
  spacer->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  bar->addWidget(spacer);
  bar->addWidget(new views::ActionButton(m_exportFigure, false));
}

void MainWindow::refreshRecentMenu() {
  m_recentMenu->clear();
  for (const QString& path : m_workspace.recent()) {
    m_recentMenu->addAction(path, &m_workspace, [this, path] { m_workspace.open(path); });
  }
  m_recentMenu->setEnabled(!m_recentMenu->isEmpty());
}

}  // namespace moescope::app
