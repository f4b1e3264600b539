// The settings dialog: every field acts at once and is kept; a folder that cannot be used is refused.
#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QLabel>
#include <QLineEdit>
#include <QSignalSpy>
#include <QSpinBox>

#include "app/window/settings_dialog.h"
#include "app/window/workspace.h"
#include "core/engine/generation/live_session.h"
#include "tests/support/gui_test.h"
#include "views/api/motion.h"
#include "views/panels/prompt/prompt_panel.h"

namespace moescope::app {

class TestSettingsDialog : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    QSettings().clear();
    views::setReducedMotion(false);
    m_workspace = std::make_unique<Workspace>();
    open();
  }

  void cleanup() {
    m_dialog.reset();
    m_workspace.reset();
    views::chooseTheme(views::ThemeChoice::Dark);
  }

  void theLookChangesAtOnce() {
    choose("theme", QStringLiteral("Light"));
    QVERIFY(!views::Theme::current().dark());
    choose("theme", QStringLiteral("Dark"));
    QVERIFY(views::Theme::current().dark());
    QCOMPARE(views::savedThemeChoice(), views::ThemeChoice::Dark);
    auto* motion = m_dialog->findChild<QCheckBox*>(QStringLiteral("reduced_motion"));
    QVERIFY(!motion->isChecked());
    motion->click();
    QVERIFY(views::reducedMotion());
    open();
    QVERIFY(m_dialog->findChild<QCheckBox*>(QStringLiteral("reduced_motion"))->isChecked());
  }

  void theCaptureLevelIsToldAndKept() {
    QCOMPARE(views::defaultCapture(), trace::CaptureLevel::Full);
    QSignalSpy told(m_dialog.get(), &SettingsDialog::captureChosen);
    choose("capture", QStringLiteral("Expert ids"));
    QCOMPARE(told.count(), 1);
    QCOMPARE(told[0][0].toInt(), static_cast<int>(trace::CaptureLevel::Ids));
    QCOMPARE(views::defaultCapture(), trace::CaptureLevel::Ids);
    // A window that starts now begins with it.
    views::ViewContext context(std::make_shared<engine::LiveSession>());
    QAction actions[4];
    views::PromptPanel panel(context, {&actions[0], &actions[1], &actions[2], &actions[3]});
    QCOMPARE(panel.settings()->capture, trace::CaptureLevel::Ids);
    panel.setCapture(trace::CaptureLevel::Weights);
    QCOMPARE(panel.settings()->capture, trace::CaptureLevel::Weights);
  }

  void loadOptionsAreKept() {
    choose("device", QStringLiteral("cpu (test), "));
    choose("dtype", QStringLiteral("float32"));
    m_dialog->findChild<QSpinBox*>(QStringLiteral("threads"))->setValue(1);
    const auto options = m_workspace->loadOptions();
    QCOMPARE(options.device, std::string("cpu"));
    QCOMPARE(options.dtype, engine::Dtype::F32);
    QCOMPARE(options.threads, 1);
  }

  void newTracesGoWhereTheUserSays() {
    const QTemporaryDir folder;
    QCOMPARE(m_workspace->tracesFolder(), m_workspace->dataFolder());
    type(folder.path());
    QCOMPARE(m_workspace->tracesFolder(), folder.path());
    QVERIFY(m_workspace->prepareRecording(false));
    QVERIFY(m_workspace->traceFile().startsWith(folder.path() + QStringLiteral("/untitled-")));
    // It is the user's own: it is opened for writing again.
    const QString file = m_workspace->traceFile();
    m_workspace->closeTrace();
    m_workspace->openTrace(file);
    QVERIFY(m_workspace->context().store()->writable());
    m_workspace->closeTrace();
    type(QString());
    QCOMPARE(m_workspace->tracesFolder(), m_workspace->dataFolder());
  }

  void aFolderThatIsNoneIsRefused() {
    const QString before = m_workspace->tracesFolder();
    for (const char* wrong : {"/no/such/folder", "relative", "/etc/passwd"}) {
      type(QString::fromLatin1(wrong));
      auto* problem = m_dialog->findChild<QLabel*>(QStringLiteral("traces_problem"));
      QVERIFY(!problem->isHidden());
      QVERIFY(problem->text().contains(QLatin1String(wrong)));
      QCOMPARE(m_workspace->tracesFolder(), before);
    }
  }

 private:
  void open() {
    engine::DeviceInfo device;
    device.id = "cpu";
    device.name = "test";
    device.freeBytes = std::int64_t{2} << 30;
    m_dialog = std::make_unique<SettingsDialog>(*m_workspace, std::vector{device});
    m_dialog->setAttribute(Qt::WA_DeleteOnClose, false);
    m_dialog->show();
  }
  void choose(const char* field, const QString& text) {
    auto* box = m_dialog->findChild<QComboBox*>(QString::fromLatin1(field));
    const int index = box->findText(text, Qt::MatchStartsWith);
    QVERIFY2(index >= 0, qPrintable(text));
    box->setCurrentIndex(index);
    Q_EMIT box->activated(index);
  }
  void type(const QString& folder) {
    auto* field = m_dialog->findChild<QLineEdit*>(QStringLiteral("traces"));
    field->setText(folder);
    Q_EMIT field->editingFinished();
  }

  std::unique_ptr<Workspace> m_workspace;
  std::unique_ptr<SettingsDialog> m_dialog;
};

}  // namespace moescope::app

int main(int argc, char** argv) {
  return moescope::views::runGuiTest<moescope::app::TestSettingsDialog>(argc, argv);
}
#include "tst_settings_dialog.moc"
