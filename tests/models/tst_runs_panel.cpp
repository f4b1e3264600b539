// RunsPanel, ModelPanel and StartPage: empty states, renaming, notes, deleting, and what a model's card says.
#include <QAbstractButton>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QStackedWidget>
#include <QTimer>
#include <QToolButton>
#include <QTreeWidget>

#include <semaphore>

#include "tests/support/gui_test.h"
#include "tests/support/view_bench.h"
#include "views/api/number_text.h"
#include "views/api/panel_widgets.h"
#include "views/api/progress_pace.h"
#include "views/models/run_list_model.h"
#include "views/panels/model/model_panel.h"
#include "views/panels/runs/runs_panel.h"
#include "views/panels/start/start_page.h"

namespace moescope::views {

namespace {

QStringList visibleTexts(const QWidget& widget) {
  QStringList texts;
  for (const auto* label : widget.findChildren<QLabel*>()) {
    if (label->isVisible() && !label->text().isEmpty()) texts << label->text();
  }
  return texts;
}

struct Shown {
  ViewBench bench;
  RunsPanel panel{bench.context};
  QListView* list = panel.findChild<QListView*>();
  QPlainTextEdit* notes = panel.findChild<QPlainTextEdit*>();
  QLineEdit* filter = panel.findChild<QLineEdit*>();

  Shown() {
    panel.resize(256, 600);
    panel.show();
    panel.activateWindow();
  }
  QAction* action(const QString& text) {
    for (auto* each : panel.findChild<QMenu*>()->actions()) {
      if (each->text() == text) return each;
    }
    return nullptr;
  }
  /// Answers the question that comes next.
  static void answer(QMessageBox::StandardButton button, QString* question) {
    QTimer::singleShot(0, [button, question] {
      auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
      if (box == nullptr) return;
      *question = box->text();
      box->button(button)->click();
    });
  }
};

}  // namespace

class TestRunsPanel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void emptyStateSaysWhatToDo() {
    Shown shown;
    QVERIFY(visibleTexts(shown.panel).contains(QStringLiteral("No trace open")));
    shown.bench.addRun("first");
    shown.bench.context.setStore(shown.bench.trace.store);
    QVERIFY(!visibleTexts(shown.panel).contains(QStringLiteral("No trace open")));
    QVERIFY(shown.list->isVisible());
    shown.bench.context.setStore(nullptr);
    QVERIFY(visibleTexts(shown.panel).contains(QStringLiteral("No trace open")));
  }

  void choosingARunSelectsItForAll() {
    Shown shown;
    const auto first = shown.bench.addRun("first");
    const auto second = shown.bench.addRun("second");
    shown.bench.context.setStore(shown.bench.trace.store);
    const QModelIndex row = shown.list->model()->index(1, 0);
    QTest::mouseClick(shown.list->viewport(), Qt::LeftButton, {}, shown.list->visualRect(row).center());
    QCOMPARE(shown.bench.context.selection().run(), std::optional(second));
    shown.bench.context.selection().setRun(first);
    QCOMPARE(shown.list->currentIndex().row(), 0);
  }

  void filterSaysWhenNothingMatches() {
    Shown shown;
    shown.bench.addRun("Sunset, steered");
    shown.bench.addRun("Corpus");
    shown.bench.context.setStore(shown.bench.trace.store);
    QTest::keyClicks(shown.filter, QStringLiteral("sunset"));
    QCOMPARE(shown.list->model()->rowCount(), 1);
    QTest::keyClicks(shown.filter, QStringLiteral("s"));
    QCOMPARE(shown.list->model()->rowCount(), 0);
    QVERIFY(visibleTexts(shown.panel).contains(QStringLiteral("No runs match “sunsets”. Clear the filter.")));
    shown.filter->clear();
    QCOMPARE(shown.list->model()->rowCount(), 2);
  }

  void f2Renames() {
    Shown shown;
    const auto id = shown.bench.addRun("first");
    shown.bench.context.setStore(shown.bench.trace.store);
    shown.bench.context.selection().setRun(id);
    shown.list->setFocus();
    QTest::keyClick(shown.list, Qt::Key_F2);
    auto* editor = shown.list->viewport()->findChild<QLineEdit*>();
    QVERIFY(editor != nullptr);
    editor->selectAll();
    QTest::keyClicks(editor, QStringLiteral("Sunset"));
    QTest::keyClick(editor, Qt::Key_Return);
    QTRY_COMPARE(shown.bench.trace.store->run(id)->name, std::string("Sunset"));
  }

  void notesBelongToTheirRun() {
    Shown shown;
    const auto first = shown.bench.addRun("first");
    const auto second = shown.bench.addRun("second");
    QVERIFY(shown.bench.trace.store->setNotes(second, "seen before"));
    shown.bench.context.setStore(shown.bench.trace.store);
    shown.bench.context.selection().setRun(first);
    QTest::keyClicks(shown.notes, QStringLiteral("odd layer 3"));
    shown.bench.context.selection().setRun(second);
    QCOMPARE(shown.notes->toPlainText(), QStringLiteral("seen before"));
    QCOMPARE(shown.bench.trace.store->run(first)->notes, std::string("odd layer 3"));
    QCOMPARE(shown.bench.trace.store->run(second)->notes, std::string("seen before"));
    shown.bench.context.selection().setRun(first);
    QCOMPARE(shown.notes->toPlainText(), QStringLiteral("odd layer 3"));
  }

  void notesAreSavedWhenTheTypingPauses() {
    Shown shown;
    const auto id = shown.bench.addRun("first");
    shown.bench.context.setStore(shown.bench.trace.store);
    shown.bench.context.selection().setRun(id);
    QTest::keyClicks(shown.notes, QStringLiteral("odd"));
    QTRY_COMPARE(shown.bench.trace.store->run(id)->notes, std::string("odd"));
    // And when the file is closed before that.
    QTest::keyClicks(shown.notes, QStringLiteral("er"));
    shown.bench.context.setStore(nullptr);
    QCOMPARE(shown.bench.trace.store->run(id)->notes, std::string("odder"));
  }

  void notesKeepTheCursorWhileTheyAreSaved() {
    Shown shown;
    const auto id = shown.bench.addRun("first");
    shown.bench.context.setStore(shown.bench.trace.store);
    shown.bench.context.selection().setRun(id);
    const QSignalSpy told(&shown.bench.context, &ViewContext::runsChanged);
    QTest::keyClicks(shown.notes, QStringLiteral("abc"));
    QTRY_COMPARE(shown.bench.trace.store->run(id)->notes, std::string("abc"));
    QTRY_VERIFY(!told.isEmpty());  // the store's own event about it
    QTest::keyClicks(shown.notes, QStringLiteral("def"));
    QCOMPARE(shown.notes->toPlainText(), QStringLiteral("abcdef"));
  }

  void deletingAsksFirst() {
    Shown shown;
    const auto id = shown.bench.addRun("first");
    shown.bench.addRun("second");
    shown.bench.context.setStore(shown.bench.trace.store);
    shown.bench.context.selection().setRun(id);
    QString question;
    Shown::answer(QMessageBox::Cancel, &question);
    shown.action(QStringLiteral("Delete run…"))->trigger();
    QCOMPARE(question, QStringLiteral("Delete the run “first” with its 40 tokens? This cannot be undone."));
    QVERIFY(shown.bench.trace.store->run(id).has_value());
    Shown::answer(QMessageBox::Yes, &question);
    shown.action(QStringLiteral("Delete run…"))->trigger();
    QVERIFY(!shown.bench.trace.store->run(id));
    QTRY_COMPARE(shown.list->model()->rowCount(), 1);
    QVERIFY(shown.bench.context.selection().run() != std::optional(id));
  }

  void aSeriesIsRenamedAndDeletedAsAWhole() {
    Shown shown;
    auto& store = *shown.bench.trace.store;
    const auto alone = shown.bench.addRun("alone");
    const auto one = shown.bench.addRun("step-1");
    const auto two = shown.bench.addRun("step-2");
    const auto series = store.startSeries("training", "{}");
    QVERIFY(store.addToSeries(*series, one));
    QVERIFY(store.addToSeries(*series, two));
    shown.bench.context.setStore(shown.bench.trace.store);
    shown.bench.context.selection().setRun(two);  // unfolds the series
    QCOMPARE(shown.list->model()->rowCount(), 4);
    shown.list->setCurrentIndex(shown.list->model()->index(1, 0));
    shown.list->setFocus();
    QTest::keyClick(shown.list, Qt::Key_F2);
    auto* editor = shown.list->viewport()->findChild<QLineEdit*>();
    QVERIFY(editor != nullptr);
    editor->selectAll();
    QTest::keyClicks(editor, QStringLiteral("Second try"));
    QTest::keyClick(editor, Qt::Key_Return);
    QTRY_COMPARE(store.allSeries()[0].name, std::string("Second try"));
    QTRY_COMPARE(shown.list->currentIndex().data().toString(), QStringLiteral("Second try"));

    Q_EMIT shown.panel.findChild<QMenu*>()->aboutToShow();
    auto* remove = shown.action(QStringLiteral("Delete series with its runs…"));
    QVERIFY(remove != nullptr && remove->isEnabled());
    QString question;
    Shown::answer(QMessageBox::Cancel, &question);
    remove->trigger();
    QCOMPARE(question,
             QStringLiteral("Delete the series “Second try” with its 2 runs? This cannot be undone."));
    QCOMPARE(store.allSeries().size(), std::size_t{1});
    Shown::answer(QMessageBox::Yes, &question);
    remove->trigger();
    QVERIFY(store.allSeries().empty());
    QCOMPARE(store.runs().size(), std::size_t{1});
    QCOMPARE(store.runs()[0].id, alone);
    QTRY_COMPARE(shown.list->model()->rowCount(), 1);
    QVERIFY(shown.bench.context.selection().run() != std::optional(two));
  }

  /// The programs are read off the GUI thread; the row never shows those of another run.
  void detailsNameTheSteering() {
    Shown shown;
    auto& store = *shown.bench.trace.store;
    const auto plain = shown.bench.addRun("plain");
    trace::RunId steered = 0;
    {
      const auto synthetic = trace::fixture::synthesize(7, {40});
      auto recorder = store.startRun(trace::fixture::modelRecord(synthetic.routers),
                                     trace::fixture::runRecord(trace::CaptureLevel::Ids));
      QVERIFY(recorder.has_value());
      QVERIFY((*recorder)->steeringChanged(R"({"rules":[{},{}]})", false));
      trace::fixture::feed(**recorder, synthetic, 0, 1, 7);
      QVERIFY((*recorder)->steeringChanged(R"({"rules":[]})", false));  // no token is under it
      QVERIFY((*recorder)->end(trace::RunStatus::Closed));
      steered = (*recorder)->run();
    }
    shown.bench.context.setStore(shown.bench.trace.store);
    shown.bench.context.selection().setRun(steered);
    QVERIFY(!visibleTexts(shown.panel).contains(QStringLiteral("2 rules, from token 0")));
    QTRY_VERIFY(visibleTexts(shown.panel).contains(QStringLiteral("2 rules, from token 0")));
    shown.bench.context.selection().setRun(plain);
    QVERIFY(!visibleTexts(shown.panel).contains(QStringLiteral("2 rules, from token 0")));
    QTRY_VERIFY(visibleTexts(shown.panel).contains(QStringLiteral("none")));
  }

  void theChosenRunIsInSight() {
    Shown shown;
    shown.panel.resize(256, 420);
    trace::RunId last = 0;
    for (int i = 0; i < 6; ++i) last = shown.bench.addRun("run");
    shown.bench.context.setStore(shown.bench.trace.store);
    shown.bench.context.selection().setRun(std::nullopt);  // the list has the height of the details too
    QCoreApplication::processEvents();
    shown.bench.context.selection().setRun(last);
    QTRY_VERIFY(shown.list->viewport()->rect().contains(shown.list->visualRect(shown.list->currentIndex())));
  }

  void aReadOnlyFileCannotBeChanged() {
    Shown shown;
    const auto id = shown.bench.addRun("first");
    QVERIFY(shown.bench.trace.store->close());
    auto reader = trace::TraceStore::open(shown.bench.trace.file, trace::OpenMode::ReadOnly);
    QVERIFY(reader.has_value());
    shown.bench.context.setStore(*reader);
    shown.bench.context.selection().setRun(id);
    QVERIFY(shown.notes->isReadOnly());
    Q_EMIT shown.panel.findChild<QMenu*>()->aboutToShow();
    QVERIFY(!shown.action(QStringLiteral("Rename"))->isEnabled());
    QVERIFY(shown.action(QStringLiteral("Rename"))->toolTip().contains(QStringLiteral("reading only")));
    QVERIFY(!shown.action(QStringLiteral("Delete run…"))->isEnabled());
  }

  void modelPanelSaysWhatIsLoaded() {
    ViewBench bench;
    ModelPanel panel(bench.context);
    panel.resize(256, 292);
    panel.show();
    QVERIFY(visibleTexts(panel).contains(QStringLiteral("No model loaded")));
    QVERIFY(bench.loadModel());
    QTRY_VERIFY(visibleTexts(panel).contains(QStringLiteral("context 1024")));
    const QStringList texts = visibleTexts(panel);
    // Facts of the demo model's config.json and model card.
    QVERIFY2(texts.contains(QStringLiteral("olmoe, softmax router")),
             qPrintable(texts.join(QLatin1Char('|'))));
    QVERIFY(texts.contains(QStringLiteral("6 × 32 experts, top-4")));
    const QSignalSpy change(&panel, &ModelPanel::changeRequested),
        unload(&panel, &ModelPanel::unloadRequested);
    for (auto* button : panel.findChildren<QPushButton*>()) {
      if (button->isVisible()) QTest::mouseClick(button, Qt::LeftButton);
    }
    QCOMPARE(change.size(), 1);
    QCOMPARE(unload.size(), 1);
    // Nothing is cut at the width of its dock.
    for (const auto* label : panel.findChildren<QLabel*>()) {
      if (!label->isVisible()) continue;
      const QRect place(label->mapTo(&panel, QPoint()), label->size());
      QVERIFY2(place.left() >= 0 && place.right() <= panel.rect().right(), qPrintable(label->text()));
    }
    bench.session->unloadModel();
    QTRY_VERIFY(visibleTexts(panel).contains(QStringLiteral("No model loaded")));
  }

  void modelPanelShowsLoadingWithCancel() {
    ViewBench bench;
    ModelPanel panel(bench.context);
    panel.show();
    std::binary_semaphore hold(0);
    bench.behaviour->whileLoading = [&hold](int step) {
      if (step == 5) hold.acquire();
    };
    bench.session->loadModel(tests::demoFolder(), {});
    QPushButton* cancel = nullptr;
    const auto cancelShown = [&] {
      for (auto* button : panel.findChildren<QPushButton*>()) {
        if (button->isVisible() && button->text() == QLatin1String("Cancel")) cancel = button;
      }
      return cancel != nullptr;
    };
    QTRY_VERIFY(cancelShown());
    QTRY_VERIFY(visibleTexts(panel).contains(QStringLiteral("Reading weights, 5\u2009B of 10\u2009B")));
    QTest::mouseClick(cancel, Qt::LeftButton);
    hold.release();
    QTRY_VERIFY(visibleTexts(panel).contains(QStringLiteral("No model loaded")));
    QVERIFY(bench.session->model() == nullptr);
  }

  void theTimeLeftIsThatOfTheWorkSoFar() {
    qint64 now = 5000;
    ProgressPace pace([&now] { return now; });
    const auto at = [&](qint64 ms, std::int64_t done, const char* activity = "Reading weights") {
      now = ms;
      return pace.remaining({activity, done, 10000, "bytes"});
    };
    QCOMPARE(at(5000, 1000), QString());
    QCOMPARE(at(5500, 1500), QString());                      // too early to tell
    QCOMPARE(at(7000, 3000), QStringLiteral("7 s left"));     // 2000 in 2 s, 7000 to do
    QCOMPARE(at(65000, 4000), QStringLiteral("2 min left"));  // 3000 in 60 s, 6000 to do
    QCOMPARE(at(66000, 10000), QString());
    QCOMPARE(at(66000, 10, "Recording"), QString());
    QCOMPARE(at(68000, 20, "Recording"), QStringLiteral("33 min left"));
    // The same activity from the start is another piece of work.
    QCOMPARE(at(90000, 5, "Recording"), QString());
    pace.reset();
    QCOMPARE(at(91000, 500, "Recording"), QString());
    QCOMPARE(at(92000, 5000, "Recording"), QStringLiteral("2 s left"));
    QCOMPARE(progressText({"Opening", 0, 0, ""}), QStringLiteral("Opening"));
    QCOMPARE(progressText({"Recording corpus", 312, 15480, "texts"}),
             QStringLiteral("Recording corpus, 312 of 15\u2009480"));
  }

  void startPageOffersWhatFits() {
    StartPage page;
    page.resize(900, 600);
    page.show();
    page.setRecent({});
    QTRY_VERIFY(visibleTexts(page).contains(QStringLiteral("Nothing opened yet.")));
    std::vector<checkpoint::CachedModel> models(3);
    models[0].repository = "a/small";
    models[1].repository = "a/large";
    models[2].repository = "a/other";
    for (int i = 0; i < 3; ++i) {
      auto& model = models[static_cast<std::size_t>(i)];
      model.snapshot = "/cache/" + model.repository;
      model.family = "olmoe";
      model.supported = i < 2;
      model.weightBytes = i == 1 ? 9LL << 30 : 2LL << 30;
    }
    page.setCache(models, QStringLiteral("/cache"), 5LL << 30, QStringLiteral("cpu"));
    const auto* table = page.findChild<QTreeWidget*>();
    QCOMPARE(table->topLevelItemCount(), 2);
    QCOMPARE(table->topLevelItem(0)->text(3), QStringLiteral("fits, 3.0\u2009GiB left"));
    QCOMPARE(table->topLevelItem(1)->text(3), QStringLiteral("4.0\u2009GiB too large"));
    const QSignalSpy open(&page, &StartPage::openRequested);
    for (auto* button : page.findChildren<QPushButton*>()) {
      if (button->text() == QLatin1String("Open selected")) QTest::mouseClick(button, Qt::LeftButton);
    }
    QCOMPARE(open.size(), 1);
    QCOMPARE(open.first().first().toString(), QStringLiteral("/cache/a/small"));
    page.setRecent({QStringLiteral("/home/a/run.moescope")});
    QVERIFY(!visibleTexts(page).contains(QStringLiteral("Nothing opened yet.")));
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestRunsPanel)
#include "tst_runs_panel.moc"
