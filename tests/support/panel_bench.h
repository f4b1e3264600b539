// PanelBench: the panel of a built-in plug-in on a copy of the demo's recording, and counts of its rows made
// one by one. Not for tests of analyses.
#pragma once

#include <QApplication>
#include <QComboBox>
#include <QFile>
#include <QTableView>
#include <QTemporaryDir>

#include <algorithm>

#include "plugins/built_in_plugins.h"
#include "tests/support/view_bench.h"
#include "views/api/figure_view.h"
#include "views/api/sample_line.h"

namespace moescope::views {

/// The demo's recording, copied once.
inline std::shared_ptr<trace::TraceStore> demoCopy() {
  static const QTemporaryDir folder;
  static const auto store = [] {
    const QString file = folder.filePath(QStringLiteral("demo.moescope"));
    if (!QFile::copy(QStringLiteral(MOESCOPE_RESOURCES "/demo/demo.moescope"), file)) qFatal("no copy");
    auto opened = trace::TraceStore::open(file.toStdString(), trace::OpenMode::ReadOnly);
    if (!opened) qFatal("%s", opened.error().text().c_str());
    return *std::move(opened);
  }();
  return store;
}

inline const plugin::PluginHost& builtInHost() {
  static plugin::PluginHost* const host = [] {
    auto* made = new plugin::PluginHost;
    made->load(plugin::builtInPlugins());
    return made;
  }();
  return *host;
}

template <class Panel>
struct PanelBench : ViewBench {
  std::unique_ptr<Panel> panel;

  /// On the demo's corpus run.
  void openDemo() {
    context.setStore(demoCopy());
    context.selection().setRun(demoCopy()->runs().front().id);
    context.selection().setRouter(LayerIndex{4});
    make();
  }
  void make() {
    context.setPlugins(&builtInHost());
    panel = std::make_unique<Panel>(context);
    panel->resize(1100, 800);
    panel->show();
    wait();
  }
  void wait() {
    if (!QTest::qWaitFor([this] { return !panel->busy(); }, 60000)) qFatal("the panel does not get ready");
    QCoreApplication::processEvents();
  }
  ~PanelBench() { panel.reset(); }

  template <class Widget>
  Widget* find(const char* name) const {
    auto* found = panel->template findChild<Widget*>(QString::fromLatin1(name));
    if (found == nullptr) qFatal("no %s", name);
    return found;
  }
  FigureView* figure(const char* name) const { return find<FigureView>(name); }
  const figure::HeatMap& map() const { return *figure("map")->figure()->map; }
  int columnOf(int expert) const {
    const auto& names = map().columnNames;
    return static_cast<int>(std::ranges::find(names, std::to_string(expert)) - names.begin());
  }
  /// As a user would.
  void choose(const char* box, const QString& text) {
    auto* combo = find<QComboBox>(box);
    const int index = combo->findText(text);
    if (index < 0) qFatal("%s has no %s", box, qPrintable(text));
    combo->setCurrentIndex(index);
    Q_EMIT combo->activated(index);
    wait();
  }
  bool isMissing() const { return figure("missing")->isVisible(); }
  QString missing() const { return figure("missing")->accessibleName(); }
};

/// Rows of a run with what one router chose there, read block by block.
struct PlainRow {
  std::int64_t row = 0;
  std::int32_t id = 0;
  std::string label;  ///< of the text
  std::vector<int> experts;
};
inline std::vector<PlainRow> plainRows(const trace::TraceStore& store, trace::RunId run, int router) {
  std::vector<std::string> labels;
  for (const auto& sequence : store.sequences(run)) {
    labels.resize(std::max(labels.size(), static_cast<std::size_t>(sequence.ordinal) + 1));
    for (const auto& [key, value] : sequence.labels)
      if (key == "label") labels[static_cast<std::size_t>(sequence.ordinal)] = value;
  }
  std::vector<PlainRow> rows;
  for (std::int64_t block = 0;; ++block) {
    const auto tokens = store.tokenBlock(run, block);
    const auto routes = store.routeBlock(run, router, block);
    if (!tokens || !routes) return rows;
    for (int r = 0; r < routes->count; ++r) {
      const auto at = static_cast<std::size_t>(r);
      PlainRow row{block * trace::kBlockTokens + r,
                   tokens->ids[at],
                   labels[static_cast<std::size_t>(tokens->sequences[at])],
                   {}};
      for (int k = 0; k < routes->width; ++k)
        row.experts.push_back(
            routes->ids[at * static_cast<std::size_t>(routes->width) + static_cast<std::size_t>(k)]);
      rows.push_back(std::move(row));
    }
  }
}
inline bool chose(const PlainRow& row, int expert) {
  return std::ranges::find(row.experts, expert) != row.experts.end();
}

/// Closes the window that "Show as table" opens on a figure and returns its number of rows; -1 without one.
inline int tableRows(FigureView* view) {
  for (QAction* action : view->actions()) action->trigger();
  for (QWidget* window : QApplication::topLevelWidgets()) {
    auto* table = window->findChild<QTableView*>();
    if (table == nullptr || !window->isVisible() || !window->isWindow() ||
        window->findChild<FigureView*>() != nullptr)
      continue;
    const int rows = table->model()->rowCount();
    window->close();
    return rows;
  }
  return -1;
}

}  // namespace moescope::views
