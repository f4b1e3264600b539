// PromptPanel: which part of the text is the prompt, what Generate gets, and what a token costs on disk.
#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollBar>
#include <QSpinBox>
#include <QTextCursor>
#include <QTextEdit>

#include <semaphore>

#include "core/trace/trace_sql.h"
#include "tests/support/gui_test.h"
#include "tests/support/view_bench.h"
#include "views/api/panel_widgets.h"
#include "views/panels/prompt/prompt_panel.h"

namespace moescope::views {

namespace {

struct Shown {
  ViewBench bench;
  QAction generate{QStringLiteral("Generate")}, stop{QStringLiteral("Stop")}, step{QStringLiteral("Step")},
      resume{QStringLiteral("Continue")};
  PromptPanel panel{bench.context, {&generate, &stop, &step, &resume}};
  QTextEdit* editor = panel.findChild<QTextEdit*>();

  void write(const char* text, bool prompt = false) {
    Q_EMIT bench.context.tokenAppended(QString::fromUtf8(text), prompt);
  }
  QColor colourAt(int position) const {
    QTextCursor cursor(editor->document());
    cursor.setPosition(position);
    return cursor.charFormat().foreground().style() == Qt::NoBrush ? QColor()
                                                                   : cursor.charFormat().foreground().color();
  }
  void typeAt(int position, const QString& text) {
    QTextCursor cursor(editor->document());
    cursor.setPosition(position);
    editor->setTextCursor(cursor);
    QTest::keyClicks(editor, text);
  }
};

std::int64_t numberFrom(const std::filesystem::path& trace, const std::string& sql) {
  std::int64_t number = -1;
  const auto done = trace::runQuery(trace, sql, 0,
                                    {{},
                                     [&number](const auto& row) {
                                       number = std::get<std::int64_t>(row.at(0));
                                       return true;
                                     },
                                     {}});
  if (!done) qFatal("%s", done.error().text().c_str());
  return number;
}

}  // namespace

class TestPromptPanel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void generatedTextIsNotPrompt() {
    Shown shown;
    shown.panel.setPrompt(QStringLiteral("Once upon"));
    QCOMPARE(shown.panel.prompt(), QStringLiteral("Once upon"));
    Q_EMIT shown.bench.context.generationStarted();
    shown.write("Once", true);  // the prompt's own tokens stand there already
    shown.write(" upon", true);
    shown.write(" a");
    shown.write(" time");
    QCOMPARE(shown.editor->toPlainText(), QStringLiteral("Once upon a time"));
    QCOMPARE(shown.panel.prompt(), QStringLiteral("Once upon"));
    QCOMPARE(shown.colourAt(12), Theme::current().colour(ColourRole::Text2));
    QVERIFY(!shown.colourAt(4).isValid());
    // The next Generate begins from the prompt again.
    Q_EMIT shown.bench.context.generationStarted();
    QCOMPARE(shown.editor->toPlainText(), QStringLiteral("Once upon"));
    QVERIFY(!shown.colourAt(4).isValid());
  }

  void whatTheUserTouchedIsPrompt_data() {
    QTest::addColumn<int>("position");
    QTest::addColumn<QString>("whole");
    QTest::newRow("in the generated part") << 12 << QStringLiteral("Once upon a X time");
    QTest::newRow("at the end") << 16 << QStringLiteral("Once upon a time X");
    QTest::newRow("in the prompt") << 4 << QStringLiteral("Once X upon a time");
  }
  void whatTheUserTouchedIsPrompt() {
    QFETCH(int, position);
    QFETCH(QString, whole);
    Shown shown;
    shown.panel.setPrompt(QStringLiteral("Once upon"));
    shown.write(" a");
    shown.write(" time");
    shown.typeAt(position, position == 12 ? QStringLiteral("X ") : QStringLiteral(" X"));
    QCOMPARE(shown.editor->toPlainText(), whole);
    QCOMPARE(shown.panel.prompt(), whole);
    for (int i = 1; i < whole.size(); ++i) QVERIFY(!shown.colourAt(i).isValid());
  }

  void editingWaitsWhileTheModelWrites() {
    Shown shown;
    shown.bench.openTrace();
    QVERIFY(shown.bench.loadModel());
    std::binary_semaphore hold(0);
    shown.bench.behaviour->beforeBlock = [&hold](std::int64_t position, int) {
      if (position == 8) hold.acquire();
    };
    QVERIFY(!shown.editor->isReadOnly());
    shown.panel.setPrompt(QStringLiteral("one two"));
    shown.bench.session->generate(ViewBench::settings(12, "one two"));
    QTRY_VERIFY(shown.editor->isReadOnly());
    hold.release();
    QVERIFY(shown.bench.waitForIdle());
    QTRY_VERIFY(!shown.editor->isReadOnly());
    QCOMPARE(shown.panel.prompt(), QStringLiteral("one two"));
    QVERIFY(shown.editor->toPlainText().size() > shown.panel.prompt().size());
    QTRY_COMPARE(shown.panel.findChild<QProgressBar*>()->value(), 12);
    shown.bench.behaviour->beforeBlock = nullptr;
  }

  void generateGetsWhatTheFieldsSay() {
    Shown shown;
    shown.panel.setPrompt(QStringLiteral("Grüße, 世界"));
    const auto decimals = shown.panel.findChildren<QDoubleSpinBox*>();
    const auto set = [&](const QString& tip, double value) {
      for (auto* field : decimals) {
        if (field->toolTip().startsWith(tip)) field->setValue(value);
      }
    };
    set(QStringLiteral("0 always"), 0.35);
    set(QStringLiteral("Smallest set"), 0.9);
    set(QStringLiteral("Least probability"), 0.07);
    set(QStringLiteral("Divides"), 1.3);
    for (auto* field : shown.panel.findChildren<QSpinBox*>()) {
      if (field->toolTip().startsWith(QLatin1String("Only the k"))) field->setValue(40);
      if (field->toolTip().startsWith(QLatin1String("Generate and Continue"))) field->setValue(77);
      if (field->toolTip().startsWith(QLatin1String("The same seed"))) field->setValue(99);
    }
    for (auto* field : shown.panel.findChildren<QLineEdit*>()) {
      if (field->placeholderText().startsWith(QLatin1String("separated")))
        field->setText(QStringLiteral("END|\\n\\n||Q:"));
    }
    const auto settings = *shown.panel.settings();
    QCOMPARE(settings.prompt, std::string("Grüße, 世界"));
    QCOMPARE(settings.maxTokens, 77);
    QCOMPARE(settings.sampler.temperature, 0.35);
    QCOMPARE(settings.sampler.topP, 0.9);
    QCOMPARE(settings.sampler.minP, 0.07);
    QCOMPARE(settings.sampler.repetitionPenalty, 1.3);
    QCOMPARE(settings.sampler.topK, 40);
    QCOMPARE(settings.sampler.seed, 99U);
    QCOMPARE(settings.stopStrings, (std::vector<std::string>{"END", "\n\n", "Q:"}));
  }

  void aSeedThatIsNotKeptChanges() {
    Shown shown;
    QCOMPARE(shown.panel.settings()->sampler.seed, shown.panel.settings()->sampler.seed);
    for (auto* box : shown.panel.findChildren<QCheckBox*>()) {
      if (box->text() == QLatin1String("keep")) box->setChecked(false);
    }
    std::set<std::uint64_t> seeds;
    for (int i = 0; i < 8; ++i) seeds.insert(shown.panel.settings()->sampler.seed);
    QVERIFY(seeds.size() > 6);
  }

  void captureCostsWhatTheFileHolds_data() {
    QTest::addColumn<int>("level");
    for (const auto level : {trace::CaptureLevel::None, trace::CaptureLevel::Ids,
                             trace::CaptureLevel::Weights, trace::CaptureLevel::Full}) {
      QTest::newRow(std::string(name(level)).c_str()) << static_cast<int>(level);
    }
  }
  void captureCostsWhatTheFileHolds() {
    // The bytes of the routing columns of a run that is on the disk, by SQL.
    QFETCH(int, level);
    const auto capture = static_cast<trace::CaptureLevel>(level);
    ViewBench bench;
    const auto synthetic = trace::fixture::synthesize(3, {256, 512}, 0.0);
    auto recorder = bench.trace.store->startRun(trace::fixture::modelRecord(synthetic.routers),
                                                trace::fixture::runRecord(capture));
    QVERIFY(recorder.has_value());
    trace::fixture::feed(**recorder, synthetic, 0, 2, 3);
    QVERIFY((*recorder)->end(trace::RunStatus::Closed));
    const auto rows = bench.trace.store->run((*recorder)->run())->tokens;
    recorder->reset();
    QVERIFY(bench.trace.store->close());
    std::int64_t bytes = 0;
    for (const char* sql : {"SELECT coalesce(sum(length(ids)), 0) FROM route_block",
                            "SELECT coalesce(sum(length(weights)), 0) FROM route_block",
                            "SELECT coalesce(sum(length(logits)), 0) FROM logit_block"}) {
      bytes += numberFrom(bench.trace.file, sql);
    }
    QVERIFY(rows >= 768);
    // One row of the second sequence was never routed.
    const double perToken = static_cast<double>(captureBytesPerToken(synthetic.routers, capture));
    QVERIFY2(
        std::abs(static_cast<double>(bytes) / static_cast<double>(rows) - perToken) <= 0.01 * perToken,
        qPrintable(QStringLiteral("%1 bytes in %2 rows, %3 expected").arg(bytes).arg(rows).arg(perToken)));
  }

  void captureSaysItsSizeOnceAModelIsThere() {
    Shown shown;
    QComboBox* capture = nullptr;
    for (auto* box : shown.panel.findChildren<QComboBox*>())
      if (box->accessibleName() == QLatin1String("Capture level")) capture = box;
    QVERIFY(capture != nullptr);
    QCOMPARE(capture->count(), 4);
    QVERIFY(!capture->itemText(3).contains(QLatin1Char('/')));
    capture->setCurrentIndex(1);
    QVERIFY(shown.bench.loadModel());
    QTRY_VERIFY(capture->itemText(3).contains(QStringLiteral("/token")));
    QCOMPARE(capture->currentIndex(), 1);  // what was chosen stays chosen
    QCOMPARE(shown.panel.settings()->capture, trace::CaptureLevel::Ids);
    // The demo: 6 routers of 32 experts, top-4; a byte an id.
    QCOMPARE(capture->itemText(1), QStringLiteral("Expert ids, 24\u2009B/token"));
  }

  void buttonsFollowTheirActions() {
    Shown shown;
    QPushButton* generate = nullptr;
    for (auto* button : shown.panel.findChildren<ActionButton*>()) {
      if (button->text() == QLatin1String("Generate")) generate = button;
    }
    QVERIFY(generate != nullptr);
    QVERIFY(generate->isDefault());
    shown.generate.setEnabled(false);
    QVERIFY(!generate->isEnabled());
    QVERIFY(!generate->isDefault());
    shown.generate.setEnabled(true);
    int triggered = 0;
    connect(&shown.generate, &QAction::triggered, this, [&triggered] { ++triggered; });
    QTest::mouseClick(generate, Qt::LeftButton);
    QCOMPARE(triggered, 1);
  }

  void errorsStandAboveTheText() {
    Shown shown;
    shown.panel.show();
    shown.panel.showError(QStringLiteral("The prompt is empty; write one."));
    auto* bar = shown.panel.findChild<ErrorBar*>();
    QVERIFY(bar->isVisible());
    QCOMPARE(bar->accessibleName(), QStringLiteral("The prompt is empty; write one."));
    Q_EMIT shown.bench.context.generationStarted();
    QVERIFY(!bar->isVisible());
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestPromptPanel)
#include "tst_prompt_panel.moc"
