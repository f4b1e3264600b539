// The Phases panel on small recorded series: pictures against what was recorded, choices, selection, the live
// point, and what it says where something is missing.
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QStackedWidget>

#include <cmath>
#include <semaphore>

#include "core/analysis/load_metrics.h"
#include "plugins/built_in_plugins.h"
#include "plugins/phases/phases_panel.h"
#include "tests/support/gui_test.h"
#include "tests/support/routing_trace.h"
#include "tests/support/series_trace.h"
#include "tests/support/view_bench.h"
#include "views/api/progress_row.h"

using namespace moescope;
using tests::RecordedCheckpoint;
using tests::SeriesShape;

namespace {

const plugin::PluginHost& host() {
  static const auto* const made = [] {
    auto* plugins = new plugin::PluginHost;
    plugins->load(plugin::builtInPlugins());
    return plugins;
  }();
  return *made;
}

bool isNear(double a, double b) { return std::abs(a - b) < 1e-6; }

struct Shown {
  views::ViewBench bench;
  std::vector<RecordedCheckpoint> recorded;
  std::unique_ptr<phases::PhasesPanel> panel;

  explicit Shown(const std::vector<SeriesShape>& shapes) {
    for (const SeriesShape& shape : shapes) {
      for (auto& each : tests::recordSeries(*bench.trace.store, shape)) recorded.push_back(std::move(each));
    }
    bench.context.setPlugins(&host());
    bench.context.setStore(bench.trace.store);
    panel = std::make_unique<phases::PhasesPanel>(bench.context);
    panel->resize(900, 700);
    panel->show();
  }

  bool wait() {
    return QTest::qWaitFor([this] { return !panel->busy(); }, 60000);
  }
  template <class T>
  T* find(const char* name) {
    T* found = panel->findChild<T*>(QLatin1String(name));
    if (found == nullptr) qFatal("no %s", name);
    return found;
  }
  const figure::FigureSpec& picture(const char* name) {
    const figure::FigureSpec* spec = find<views::FigureView>(name)->figure();
    if (spec == nullptr) qFatal("no figure in %s", name);
    return *spec;
  }
  void choose(const char* name, const QVariant& data) {
    auto* box = find<QComboBox>(name);
    const int index = box->findData(data);
    if (index < 0) qFatal("%s lacks %s", name, qPrintable(data.toString()));
    box->setCurrentIndex(index);
    Q_EMIT box->activated(index);
  }
  QStringList texts() {
    QStringList out;
    for (const auto* label : panel->findChildren<QLabel*>()) {
      if (label->isVisible() && !label->text().isEmpty()) out << label->text();
    }
    return out;
  }
  bool says(const QString& words) { return texts().join(QLatin1Char('\n')).contains(words); }
};

double meanCv(const RecordedCheckpoint& checkpoint) {
  double sum = 0.0;
  for (const auto& counts : checkpoint.counts) sum += tests::cvOfCounts(counts);
  return sum / static_cast<double>(checkpoint.counts.size());
}

}  // namespace

class TestPhasesPanel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void withoutSeriesItSaysHowToGetOne() {
    Shown shown({});
    QVERIFY(shown.says(QStringLiteral("No series of checkpoints")));
    QVERIFY(shown.says(QStringLiteral("Record series")));
    QVERIFY(!shown.find<views::FigureView>("course")->isVisible());
    for (const auto& named : shown.panel->figures())
      QCOMPARE(named.figure().error().kind, std::string("figure.no_series"));
  }

  void picturesShowWhatWasRecorded() {
    Shown shown({SeriesShape{}});
    QVERIFY(shown.wait());
    const auto& course = shown.picture("course").lines.at(0);
    const auto& plane = shown.picture("plane");
    QCOMPARE(course.y.size(), shown.recorded.size());
    QCOMPARE(plane.y.label, std::string("Loss, nat per token"));
    for (std::size_t c = 0; c < shown.recorded.size(); ++c) {
      QVERIFY(isNear(course.y[c], meanCv(shown.recorded[c])));
      QVERIFY(course.low[c] <= course.high[c]);
      QVERIFY(isNear(plane.lines[0].y[c], shown.recorded[c].loss));
    }
    const auto& layers = shown.picture("layers");
    QCOMPARE(layers.panels.size(), std::size_t{3});
    QCOMPARE(layers.columns, 3);
    QVERIFY(layers.sharedY);
    QCOMPARE(shown.find<QLabel>("layers_title")->text(),
             QStringLiteral("Each layer: CV over training steps"));
    for (std::size_t l = 0; l < 3; ++l) {
      for (std::size_t c = 0; c < shown.recorded.size(); ++c)
        QVERIFY(isNear(layers.panels[l].lines[1].y[c], tests::cvOfCounts(shown.recorded[c].counts[l])));
    }
    shown.find<QCheckBox>("same_scale")->click();
    QVERIFY(!shown.picture("layers").sharedY);
    shown.find<QCheckBox>("bands")->click();
    QVERIFY(shown.picture("course").lines[0].low.empty());
  }

  void nothingMovesWhileItComputes() {
    Shown shown({SeriesShape{}});
    QVERIFY(shown.wait());
    auto* progress = shown.panel->findChild<views::ProgressRow*>();
    auto* course = shown.find<views::FigureView>("course");
    const auto place = [&] {
      QApplication::processEvents();
      return QRect(course->mapTo(shown.panel.get(), QPoint()), course->size());
    };
    QVERIFY(!progress->isVisible());
    const QRect before = place();
    progress->report(QStringLiteral("Resampling texts"), 1, 2);
    QVERIFY(progress->isVisible());
    QCOMPARE(place(), before);
  }

  /// Its place in the centre of a window of 1240 x 800 and of 1024 x 700, whatever is chosen.
  void fitsItsDockInASmallWindow() {
    SeriesShape first, second;
    first.name = "a training with a name that is much longer than it has to be";
    second.name = first.name + " again";
    Shown shown({first, second});
    QVERIFY(shown.wait());
    for (const char* name : {"metric", "plane_x", "plane_y"}) {
      auto* box = shown.find<QComboBox>(name);
      int longest = 0;
      for (int i = 1; i < box->count(); ++i) {
        const bool isLonger = box->itemText(i).size() > box->itemText(longest).size();
        if (box->itemData(i).isValid() && isLonger) longest = i;
      }
      box->setCurrentIndex(longest);
      Q_EMIT box->activated(longest);
    }
    shown.find<QLabel>("note")->hide();  // as high as its text
    shown.panel->findChild<views::ProgressRow*>()->report(QStringLiteral("Resampling texts"), 10, 12);
    QApplication::processEvents();
    const QSize least = shown.panel->minimumSizeHint();
    QVERIFY2(least.width() <= 700 && least.height() <= 270,
             qPrintable(QStringLiteral("%1 x %2").arg(least.width()).arg(least.height())));
  }

  void axesAreChosen() {
    Shown shown({SeriesShape{}});
    QVERIFY(shown.wait());
    shown.choose("layer", 2);
    shown.choose("plane_x", QStringLiteral("cv"));
    shown.choose("plane_y", QStringLiteral("peak_factor"));
    const auto& plane = shown.picture("plane");
    QCOMPARE(plane.x.label, std::string("CV"));
    QCOMPARE(plane.y.label, std::string("Peak load factor B₀ (a)"));
    for (std::size_t c = 0; c < shown.recorded.size(); ++c) {
      const auto& counts = shown.recorded[c].counts[1];
      QVERIFY(isNear(plane.lines[0].x[c], tests::cvOfCounts(counts)));
      const double most = static_cast<double>(*std::ranges::max_element(counts));
      QVERIFY(isNear(
          plane.lines[0].y[c],
          most * tests::kSeriesExperts / static_cast<double>(shown.recorded[c].tokens * tests::kSeriesTopK)));
    }
    shown.choose("layer", 0);
    shown.choose("metric", QStringLiteral("mutual_information"));
    QCOMPARE(shown.picture("course").lines.size(), std::size_t{2});
    QCOMPARE(shown.picture("course").lines[1].name, std::string("labels shuffled"));
    shown.choose("metric", QStringLiteral("gamma"));
    QVERIFY(shown.picture("course").title.starts_with("Congestion fit (R1)"));
    // The metrics are grouped under headings that cannot be chosen.
    auto* box = shown.find<QComboBox>("metric");
    const int heading = box->findText(QStringLiteral("Congestion fit (R1)"));
    QVERIFY(heading > 0 && !box->model()->flags(box->model()->index(heading, 0)).testFlag(Qt::ItemIsEnabled));
  }

  void columnsFollowTheWidth() {
    Shown shown({SeriesShape{.steps = {1, 10, 100}, .layers = 16}});
    QVERIFY(shown.wait());
    QCOMPARE(shown.picture("layers").columns, 8);
    shown.panel->resize(560, 700);
    QTRY_VERIFY(shown.picture("layers").columns < 8);
    QVERIFY(shown.find<views::FigureView>("layers")->height() >= 84 * 4);
  }

  void enterOpensTheRun() {
    Shown shown({SeriesShape{}});
    QVERIFY(shown.wait());
    auto* view = shown.find<views::FigureView>("plane");
    view->setCurrent(views::FigureHit{views::FigureHit::Kind::Point, 0, 0, 4});
    QTest::keyClick(view, Qt::Key_Return);
    QCOMPARE(shown.bench.context.selection().run(), std::optional(shown.recorded[4].run));
    QCOMPARE(shown.picture("plane").lines[0].ringed, 4);
    QCOMPARE(shown.picture("course").lines[0].ringed, 4);
    auto* layers = shown.find<views::FigureView>("layers");
    layers->setCurrent(views::FigureHit{views::FigureHit::Kind::Point, 1, 1, 2});
    QTest::keyClick(layers, Qt::Key_Return);
    QCOMPARE(shown.bench.context.selection().run(), std::optional(shown.recorded[2].run));
  }

  void theRunThatIsBeingWrittenIsNamedLive() {
    Shown shown({SeriesShape{}});
    shown.bench.openTrace();
    QVERIFY(shown.bench.loadModel());
    QVERIFY(shown.wait());
    std::binary_semaphore hold(0);
    shown.bench.behaviour->beforeBlock = [&hold](std::int64_t position, int) {
      if (position == 10) hold.acquire();
    };
    shown.bench.session->generate(views::ViewBench::settings(20));
    QTRY_VERIFY(shown.bench.session->status().run.has_value());
    shown.bench.context.selection().setRun(*shown.bench.session->status().run);
    QTRY_COMPARE(shown.picture("plane").lines.size(), std::size_t{2});
    QTRY_COMPARE(shown.picture("plane").lines[1].name, std::string("live"));
    const double loss = shown.picture("plane").lines[1].y[0];
    hold.release();
    QVERIFY(shown.bench.waitForIdle());
    QTRY_VERIFY(shown.picture("plane").lines[1].name != "live");
    QVERIFY(shown.picture("plane").lines[1].y[0] != loss);
    shown.bench.behaviour->beforeBlock = nullptr;
  }

  void theLivePointIsCountedFromRows() {
    Shown shown({SeriesShape{}});
    QVERIFY(shown.wait());
    trace::RoutingTrace run(*shown.bench.trace.store,
                            {.layers = 3, .experts = 8, .topK = 2, .prompt = 4, .name = "Sunset"});
    run.append(40);
    shown.bench.context.selection().setRun(run.run());
    QTRY_COMPARE(shown.picture("plane").lines.size(), std::size_t{2});
    const double before = shown.picture("plane").lines[1].x[0];
    run.append(30);
    QTRY_VERIFY(shown.picture("plane").lines[1].x[0] != before);
    run.end();
    QCOMPARE(shown.picture("plane").lines[1].name, std::string("Sunset"));
    double peak = 0.0, loss = 0.0, surprises = 0.0;
    const auto rows = static_cast<std::int64_t>(run.rows().size());
    for (int layer = 0; layer < 3; ++layer) {
      std::vector<std::int64_t> counts;
      for (int expert = 0; expert < 8; ++expert) counts.push_back(run.count(layer, expert, 0, rows));
      peak += analysis::loadMetrics(counts, rows).peakFactor / 3.0;
    }
    for (const trace::TokenRow& token : run.tokens()) {
      if (!std::isfinite(token.logProb)) continue;
      loss -= static_cast<double>(token.logProb);
      surprises += 1.0;
    }
    QTRY_VERIFY(isNear(shown.picture("plane").lines[1].x[0], peak));
    QTRY_VERIFY(isNear(shown.picture("plane").lines[1].y[0], loss / surprises));
    shown.bench.context.selection().setRun(shown.recorded[0].run);
    QTRY_COMPARE(shown.picture("plane").lines.size(), std::size_t{1});
  }

  void seriesAreOverlaid() {
    Shown shown(
        {SeriesShape{.name = "first"}, SeriesShape{.name = "second", .steps = {5, 50, 500}, .seed = 9}});
    QVERIFY(shown.wait());
    QCOMPARE(shown.picture("plane").lines.size(), std::size_t{1});
    shown.choose("series", qlonglong{-1});
    QVERIFY(shown.wait());
    QTRY_COMPARE(shown.picture("plane").lines.size(), std::size_t{2});
    QCOMPARE(shown.picture("plane").lines[0].name, std::string("first"));
    QCOMPARE(shown.picture("plane").lines[1].name, std::string("second"));
    QVERIFY(shown.picture("plane").lines[0].colour != shown.picture("plane").lines[1].colour);
    const trace::RunId second = shown.recorded[8].run;
    shown.bench.context.selection().setRun(second);
    QCOMPARE(shown.picture("course").lines[0].ringed, -1);
    QCOMPARE(shown.picture("course").lines[1].ringed, 1);
  }

  void whatIsMissingIsSaid_data() {
    QTest::addColumn<int>("fault");
    QTest::addColumn<QString>("words");
    QTest::newRow("no losses") << 0 << QStringLiteral("No loss");
    QTest::newRow("no labels") << 1 << QStringLiteral("No mutual information");
    QTest::newRow("other texts") << 2 << QStringLiteral("No saturation and churn");
    QTest::newRow("few checkpoints") << 3 << QStringLiteral("No phases");
  }
  void whatIsMissingIsSaid() {
    QFETCH(int, fault);
    QFETCH(QString, words);
    SeriesShape shape;
    if (fault == 0) shape.logProbs = false;
    if (fault == 1) shape.labels = false;
    if (fault == 2) shape.sameTokens = false;
    if (fault == 3) shape.steps = {10, 100, 1000};
    Shown shown({shape});
    QVERIFY(shown.wait());
    QVERIFY2(shown.says(words), qPrintable(shown.texts().join(QLatin1Char('|'))));
    QCOMPARE(shown.picture("course").lines.at(0).y.size(), shape.steps.size());
    QVERIFY(isNear(shown.picture("course").lines[0].y[0], meanCv(shown.recorded[0])));
    QCOMPARE(shown.picture("layers").panels.size(), std::size_t{3});
  }

  void oneCheckpointIsNoSeries() {
    Shown shown({SeriesShape{.steps = {7}}});
    QVERIFY(shown.wait());
    QTRY_VERIFY(shown.says(QStringLiteral("A series needs two checkpoints")));
    QVERIFY(!shown.find<views::FigureView>("course")->isVisible());
  }
};

MOESCOPE_GUI_TEST_MAIN(TestPhasesPanel)
#include "tst_phases_panel.moc"
