// MainWindow: docks, menus, tool bar and status bar around the panels. Not for what is open
// (workspace.h) or for how panels work.
#pragma once

#include <QMainWindow>
#include <QPointer>

#include <map>
#include <optional>

#include "app/window/workspace.h"
#include "core/plugin/plugin_host.h"

class QActionGroup;
class QComboBox;
class QDockWidget;
class QStackedWidget;

namespace moescope::views {
class ExpertLoadPanel;
class ModelPanel;
class PromptPanel;
class RoutingMapPanel;
class RunsPanel;
class StartPage;
class SteeringPanel;
class TokenStripPanel;
}  // namespace moescope::views

namespace moescope::app {

class DockTabs;
class ManualWindow;
class PluginDock;
class SettingsDialog;
class WindowStatusBar;

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  /// `plugins` outlives the window.
  MainWindow(Workspace& workspace, plugin::PluginHost& plugins, QWidget* parent = nullptr);
  ~MainWindow() override;

  /// Puts docks back where they were at the last start, or where they belong.
  void restoreLayout();

 protected:
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  // main_window.cpp
  void makePanels();
  void makePluginPanels();
  QDockWidget* addPanel(const QString& name, const QString& title, QWidget* panel);
  enum class Layout : std::uint8_t { Work, Reading, Analysis, Presentation };
  void arrange(Layout layout);
  void bringToFront(QDockWidget* dock);
  void tabRightColumn();
  void resizeColumns();
  void refreshActions();
  void refreshTitle();
  void showError(const QString& text);
  void beginCommand();                  ///< errors of what was tried before go
  void startGenerating(int maxTokens);  ///< 0: as the prompt panel says
  void refreshStartPage();

  // main_menu.cpp
  QAction* makeAction(const char* name, const QString& text, const QString& icon, const QKeySequence& keys);
  void makeActions();
  void makeMenus();
  void makeFileMenu();
  void makeViewMenu();
  void makeRunMenus();
  void makeAnalysisMenu();
  void makeHelpMenu();
  void makeToolBar();
  void refreshRecentMenu();

  // main_commands.cpp
  void openFolder();
  void openGgufFile();
  void openTraceFile();
  void openFromCache();
  void saveTraceCopy();
  void recordCorpus();
  void recordSeries();
  void changeLoading();
  void exportFigure();
  void loadProgram();
  void saveProgram();
  void showManual();
  void showSettings();
  void showKeyboard();
  void runAnalysis();
  void showPlugins();
  void showAbout();
  void focusPanel(int step);
  static void focusContent(const QDockWidget& dock);

  Workspace& m_workspace;
  plugin::PluginHost& m_plugins;
  std::map<QString, QDockWidget*> m_docks;
  DockTabs* m_tabs = nullptr;
  std::vector<PluginDock*> m_pluginDocks;  // tabs behind the routing map
  QList<QAction*> m_commands;              // with keys that can be changed

  views::ModelPanel* m_modelPanel = nullptr;
  views::RunsPanel* m_runsPanel = nullptr;
  views::TokenStripPanel* m_tokenStrip = nullptr;
  views::RoutingMapPanel* m_routingMap = nullptr;
  views::PromptPanel* m_promptPanel = nullptr;
  views::SteeringPanel* m_steeringPanel = nullptr;
  views::ExpertLoadPanel* m_expertLoad = nullptr;
  views::StartPage* m_startPage = nullptr;
  QStackedWidget* m_mapPages = nullptr;
  WindowStatusBar* m_status = nullptr;
  ManualWindow* m_manual = nullptr;
  QPointer<SettingsDialog> m_settings;
  std::optional<trace::RunId> m_newestRun;
  std::vector<QDockWidget*> m_toFront;  // when the window is shown
  bool m_loadAsked = false;             // what fails next is the loading
  bool m_twoColumns = false;            // the right column lies behind the left one

  QAction* m_open = nullptr;
  QAction* m_openGguf = nullptr;
  QAction* m_openTrace = nullptr;
  QAction* m_openCache = nullptr;
  QAction* m_openDemo = nullptr;
  QAction* m_saveCopy = nullptr;
  QAction* m_closeTrace = nullptr;
  QAction* m_recordCorpus = nullptr;
  QAction* m_recordSeries = nullptr;
  QAction* m_exportFigure = nullptr;
  QAction* m_generate = nullptr;
  QAction* m_stop = nullptr;
  QAction* m_step = nullptr;
  QAction* m_resume = nullptr;
  QAction* m_steeringOn = nullptr;
  QAction* m_loadProgram = nullptr;
  QAction* m_saveProgram = nullptr;
  QAction* m_undo = nullptr;
  QAction* m_redo = nullptr;
  QAction* m_changeModel = nullptr;
  QAction* m_unloadModel = nullptr;
  QComboBox* m_mode = nullptr;
  QMenu* m_recentMenu = nullptr;
};

}  // namespace moescope::app
