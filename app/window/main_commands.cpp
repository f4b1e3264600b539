// What the commands of the main window do when they need a dialog.
#include <QApplication>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QSaveFile>
#include <QStackedWidget>

#include "app/window/corpus_dialog.h"
#include "app/window/keyboard_dialog.h"
#include "app/window/loading_dialog.h"
#include "app/window/main_window.h"
#include "app/window/manual_window.h"
#include "app/window/plugin_dock.h"
#include "app/window/plugins_dialog.h"
#include "app/window/series_dialog.h"
#include "app/window/settings_dialog.h"
#include "app/window/window_status_bar.h"
#include "core/checkpoint/hf_cache.h"
#include "views/panels/analysis/analysis_dialog.h"
#include "views/panels/expert_load/expert_load_panel.h"
#include "views/panels/export/export_dialog.h"
#include "views/panels/prompt/prompt_panel.h"
#include "views/panels/routing_map/routing_map_panel.h"

namespace moescope::app {

void MainWindow::openFolder() {
  const QString folder =
      QFileDialog::getExistingDirectory(this, tr("Open a checkpoint folder"), m_workspace.modelFolder());
  if (!folder.isEmpty()) m_workspace.openModel(folder);
}

void MainWindow::openGgufFile() {
  const QString file =
      QFileDialog::getOpenFileName(this, tr("Open a GGUF file"), QFileInfo(m_workspace.modelFolder()).path(),
                                   tr("Models in one file (*.gguf)"));
  if (!file.isEmpty()) m_workspace.openModel(file);
}

void MainWindow::openTraceFile() {
  const QString file = QFileDialog::getOpenFileName(this, tr("Open a trace"), m_workspace.dataFolder(),
                                                    tr("MoEScope traces (*.moescope)"));
  if (!file.isEmpty()) m_workspace.openTrace(file);
}

void MainWindow::openFromCache() {
  QMenu menu(this);
  const auto folder = checkpoint::huggingFaceCacheFolder();
  for (const auto& model : checkpoint::listHuggingFaceCache(folder)) {
    if (!model.supported) continue;
    const QString path = QString::fromStdString(model.snapshot.string());
    menu.addAction(QString::fromStdString(model.repository), &m_workspace,
                   [this, path] { m_workspace.openModel(path); });
  }
  if (menu.isEmpty()) {
    menu.addAction(tr("No supported model in %1").arg(QString::fromStdString(folder.string())))
        ->setEnabled(false);
  }
  menu.exec(mapToGlobal(menuBar()->geometry().bottomLeft()));
}

void MainWindow::saveTraceCopy() {
  QString file = QFileDialog::getSaveFileName(this, tr("Save a copy of the trace"), QString(),
                                              tr("MoEScope traces (*.moescope)"));
  if (file.isEmpty()) return;
  if (QFileInfo(file).suffix().isEmpty()) file += QStringLiteral(".moescope");
  m_workspace.saveTraceAs(file);
}

void MainWindow::recordCorpus() {
  const auto model = m_workspace.session().model();
  if (!model) return;
  const auto demo = resourceFolder() / "demo";
  const bool isDemo = m_workspace.modelFolder() == QString::fromStdString((demo / "model").string());
  CorpusDialog dialog(isDemo ? QString::fromStdString((demo / "corpus").string()) : QString(),
                      std::min(256, model->checkpoint().description().maxPositions), this);
  if (dialog.exec() != QDialog::Accepted) return;
  if (!m_workspace.prepareRecording(false)) return;
  auto settings = dialog.settings();
  settings.program = m_workspace.context().steering().effectiveProgram();
  beginCommand();
  m_workspace.session().recordCorpus(std::move(settings));
}

void MainWindow::recordSeries() {
  const auto store = m_workspace.context().store();
  const bool canResume = store && store->writable() && !store->allSeries().empty();
  SeriesDialog dialog(canResume, this);
  if (dialog.exec() != QDialog::Accepted) return;
  auto settings = dialog.settings();
  if (!m_workspace.prepareRecording(false)) return;
  settings.load = m_workspace.loadOptions();
  settings.load.contextTokens = 0;  // what the windows need
  beginCommand();
  m_workspace.session().recordSeries(std::move(settings));
}

void MainWindow::changeLoading() {
  std::vector<engine::DeviceInfo> devices;
  if (auto engine = engine::loadEngine()) devices = (*engine)->devices();
  LoadingDialog dialog(m_workspace.loadOptions(), devices, this);
  if (dialog.exec() != QDialog::Accepted) return;
  m_workspace.setLoadOptions(dialog.options());
  m_workspace.openModel(m_workspace.modelFolder());
}

void MainWindow::exportFigure() {
  std::vector<views::ExportSource> sources{
      {tr("Routing map"), [this] { return m_routingMap->figureSpec(); }},
      {tr("Expert load"), [this] { return m_expertLoad->barsFigure(); }},
      {tr("Course of a load metric"), [this] { return m_expertLoad->courseFigure(); }}};
  // The panel with the focus comes first.
  if (m_expertLoad->isAncestorOf(QApplication::focusWidget()))
    std::rotate(sources.begin(), sources.begin() + 1, sources.end());
  for (const PluginDock* dock : m_pluginDocks) {
    const bool first = dock->isAncestorOf(QApplication::focusWidget());
    std::vector<views::ExportSource> more;
    for (auto& [name, figure] : dock->figures()) more.push_back({name, std::move(figure)});
    sources.insert(first ? sources.begin() : sources.end(), more.begin(), more.end());
  }
  auto* dialog = new views::ExportDialog(std::move(sources), {}, this);
  connect(dialog, &views::ExportDialog::exported, this, [this](const QStringList& files) {
    m_status->showMessage(tr("Exported %1").arg(files.join(QStringLiteral(", "))), kMessageMs);
  });
  dialog->show();
}

void MainWindow::loadProgram() {
  const QString file = QFileDialog::getOpenFileName(this, tr("Load a steering program"), QString(),
                                                    tr("Steering programs (*.json)"));
  if (!file.isEmpty()) m_workspace.openProgram(file);
}

void MainWindow::saveProgram() {
  QString file = QFileDialog::getSaveFileName(this, tr("Save the steering program"), QString(),
                                              tr("Steering programs (*.json)"));
  if (file.isEmpty()) return;
  if (QFileInfo(file).suffix().isEmpty()) file += QStringLiteral(".json");
  QSaveFile target(file);
  const auto text = toJson(m_workspace.context().steering().program()).dump(2) + "\n";
  if (!target.open(QIODevice::WriteOnly) || target.write(text.data(), static_cast<qint64>(text.size())) < 0 ||
      !target.commit()) {
    showError(tr("%1 cannot be written: %2").arg(file, target.errorString()));
  }
}

void MainWindow::focusPanel(int step) {
  // Panels in the order of the screen; the one with the focus is where the step starts.
  QList<QDockWidget*> docks = findChildren<QDockWidget*>();
  docks.removeIf([](const QDockWidget* dock) { return !dock->isVisible(); });
  std::sort(docks.begin(), docks.end(), [](const QDockWidget* a, const QDockWidget* b) {
    return std::pair(a->x(), a->y()) < std::pair(b->x(), b->y());
  });
  if (docks.isEmpty()) return;
  qsizetype current = step > 0 ? -1 : 0;
  for (qsizetype i = 0; i < docks.size(); ++i) {
    if (docks[i]->isAncestorOf(QApplication::focusWidget())) current = i;
  }
  const qsizetype next = (current + step + docks.size()) % docks.size();
  focusContent(*docks[next]);
}

void MainWindow::focusContent(const QDockWidget& dock) {
  QWidget* content = dock.widget();
  if (const auto* pages = qobject_cast<QStackedWidget*>(content)) content = pages->currentWidget();
  if (content->focusProxy() != nullptr) {  // a picture
    content->setFocus(Qt::ShortcutFocusReason);
    return;
  }
  QWidget* target = content->nextInFocusChain();
  while (target != content &&
         (!content->isAncestorOf(target) || !target->isVisible() || target->focusPolicy() == Qt::NoFocus)) {
    target = target->nextInFocusChain();
  }
  target->setFocus(Qt::TabFocusReason);
}

void MainWindow::showManual() {
  // One window, at the section of the panel that has the focus.
  if (m_manual == nullptr) m_manual = new ManualWindow(resourceFolder() / "manual.md", this);
  QString title;
  for (const auto& [name, dock] : m_docks) {
    if (dock->isAncestorOf(QApplication::focusWidget())) title = dock->windowTitle();
  }
  for (const PluginDock* dock : m_pluginDocks) {
    if (dock->isAncestorOf(QApplication::focusWidget())) title = dock->windowTitle();
  }
  m_manual->showSection(title);
}

void MainWindow::showSettings() {
  if (m_settings == nullptr) {
    // Listing devices starts the engine, which takes a moment: only where it runs already.
    std::vector<engine::DeviceInfo> devices;
    if (m_workspace.session().model()) {
      if (auto engine = engine::loadEngine()) devices = (*engine)->devices();
    }
    m_settings = new SettingsDialog(m_workspace, devices, this);
    connect(m_settings.data(), &SettingsDialog::captureChosen, m_promptPanel,
            [this](int level) { m_promptPanel->setCapture(static_cast<trace::CaptureLevel>(level)); });
  }
  m_settings->show();
  m_settings->raise();
  m_settings->activateWindow();
}

void MainWindow::showKeyboard() { KeyboardDialog(m_commands, this).exec(); }

void MainWindow::runAnalysis() {
  (new views::AnalysisDialog(m_workspace.context(), m_plugins, this))->show();
}

void MainWindow::showPlugins() { PluginsDialog(m_plugins, this).exec(); }

void MainWindow::showAbout() {
  QMessageBox::about(this, tr("About MoEScope"),
                     tr("MoEScope %1\n\nA workbench for mixture-of-experts language models.\nApache-2.0")
                         .arg(QStringLiteral(MOESCOPE_VERSION)));
}

}  // namespace moescope::app
