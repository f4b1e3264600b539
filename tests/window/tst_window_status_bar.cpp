// The status bar says what waits to be written, and says so when nothing waits any more.
#include <QToolButton>

#include "app/window/window_status_bar.h"
#include "tests/support/gui_test.h"
#include "tests/support/view_bench.h"
#include "views/api/number_text.h"

namespace moescope::app {

class TestWindowStatusBar : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void theQueueIsSeenToRunEmpty() {
    views::ViewBench bench;
    bench.openTrace();
    WindowStatusBar bar(bench.context);
    bar.show();
    const QString idle = QStringLiteral("queue %1 of").arg(views::bytesText(0));
    const auto shows = [&bar](const QString& text) {
      for (const auto* part : bar.findChildren<QToolButton*>())
        if (part->text().startsWith(text)) return true;
      return false;
    };
    QVERIFY(shows(idle));
    const auto synthetic = trace::fixture::synthesize(7, {40});
    auto recorder = bench.trace.store->startRun(trace::fixture::modelRecord(synthetic.routers),
                                                trace::fixture::runRecord(trace::CaptureLevel::Weights));
    QVERIFY(recorder.has_value());
    trace::fixture::feed(**recorder, synthetic, 0, synthetic.sequences.size(), 7);
    // Rows that are appended are an event; that they were written is none.
    QTRY_VERIFY(shows(QStringLiteral("queue ")) && !shows(idle));
    QTRY_VERIFY(shows(idle));
    QCOMPARE(bench.trace.store->writerState().queuedBytes, 0);
    QVERIFY((*recorder)->end(trace::RunStatus::Closed).has_value());
  }

  void noPartIsCutInANarrowWindow() {
    views::ViewBench bench;
    bench.openTrace();
    QVERIFY(bench.loadModel());
    WindowStatusBar bar(bench.context);
    bench.session->generate(views::ViewBench::settings(8));
    QVERIFY(bench.waitForIdle());
    bar.show();
    const auto shown = [&bar] {
      QList<QToolButton*> parts = bar.findChildren<QToolButton*>();
      parts.removeIf([](const auto* part) { return !part->isVisible(); });
      return parts;
    };
    const auto cut = [&] {
      QStringList texts;
      for (const auto* part : shown())
        if (part->width() < part->sizeHint().width() || part->geometry().right() >= bar.width())
          texts << part->text();
      return texts;
    };
    for (const int width : {1600, 1240, 1024, 500, 300}) {
      bar.resize(width, 24);
      QTRY_COMPARE(cut(), QStringList());
      QVERIFY(!shown().isEmpty());
    }
    const auto narrow = shown().size();
    bar.resize(1600, 24);
    QTRY_VERIFY(shown().size() > narrow);
  }
};

}  // namespace moescope::app

int main(int argc, char** argv) {
  return moescope::views::runGuiTest<moescope::app::TestWindowStatusBar>(argc, argv);
}
#include "tst_window_status_bar.moc"
