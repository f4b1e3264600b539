#include "app/window/settings_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/window/load_options_form.h"
#include "app/window/workspace.h"
#include "views/api/motion.h"
#include "views/api/panel_widgets.h"
#include "views/api/theme.h"
#include "views/panels/prompt/prompt_panel.h"

namespace moescope::app {

namespace {

constexpr int kFolderWidth = 320;
constexpr int kLabelWidth = 110;
using Style = views::TextLabel::Style;

QFormLayout* makeForm(QWidget* box) {
  auto* form = new QFormLayout(box);
  form->setContentsMargins(0, 0, 0, 8);
  return form;
}

}  // namespace

SettingsDialog::SettingsDialog(Workspace& workspace, const std::vector<engine::DeviceInfo>& devices,
                               QWidget* parent)
    : QDialog(parent), m_workspace(workspace) {
  setWindowTitle(tr("Settings"));
  setAttribute(Qt::WA_DeleteOnClose);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(16, 12, 16, 12);
  const auto add = [column](const QString& heading, QWidget* part) {
    column->addWidget(new views::TextLabel(heading, Style::Title));
    column->addWidget(part);
  };
  add(tr("Look"), makeLook());
  add(tr("Recording"), makeRecording());
  add(tr("Loading models"), makeLoading(devices));
  // One column of labels over all parts.
  for (auto* form : findChildren<QFormLayout*>()) {
    for (int row = 0; row < form->rowCount(); ++row) {
      const auto* label = form->itemAt(row, QFormLayout::LabelRole);
      if (label != nullptr) label->widget()->setMinimumWidth(kLabelWidth);
    }
  }
  column->addStretch(1);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::close);
  column->addWidget(buttons);
}

QWidget* SettingsDialog::makeLook() {
  auto* box = new QWidget;
  auto* form = makeForm(box);
  auto* theme = new QComboBox;
  theme->setObjectName(QStringLiteral("theme"));
  theme->addItem(tr("System"), static_cast<int>(views::ThemeChoice::System));
  theme->addItem(tr("Dark"), static_cast<int>(views::ThemeChoice::Dark));
  theme->addItem(tr("Light"), static_cast<int>(views::ThemeChoice::Light));
  theme->setCurrentIndex(theme->findData(static_cast<int>(views::savedThemeChoice())));
  connect(theme, &QComboBox::activated, this,
          [theme] { views::chooseTheme(static_cast<views::ThemeChoice>(theme->currentData().toInt())); });
  form->addRow(tr("Theme"), theme);
  auto* motion = new QCheckBox(tr("Zoom at once, live pictures twice a second"));
  motion->setObjectName(QStringLiteral("reduced_motion"));
  motion->setChecked(views::reducedMotion());
  connect(motion, &QCheckBox::toggled, this, [](bool on) { views::setReducedMotion(on); });
  form->addRow(tr("Reduced motion"), motion);
  return box;
}

QWidget* SettingsDialog::makeRecording() {
  auto* box = new QWidget;
  auto* form = makeForm(box);
  auto* capture = new QComboBox;
  capture->setObjectName(QStringLiteral("capture"));
  for (const auto level : {trace::CaptureLevel::None, trace::CaptureLevel::Ids, trace::CaptureLevel::Weights,
                           trace::CaptureLevel::Full}) {
    capture->addItem(views::captureName(level), static_cast<int>(level));
  }
  capture->setCurrentIndex(capture->findData(static_cast<int>(views::defaultCapture())));
  connect(capture, &QComboBox::activated, this, [this, capture] {
    views::setDefaultCapture(static_cast<trace::CaptureLevel>(capture->currentData().toInt()));
    Q_EMIT captureChosen(capture->currentData().toInt());
  });
  form->addRow(tr("Capture"), capture);
  m_folder = new QLineEdit(QDir::toNativeSeparators(m_workspace.tracesFolder()));
  m_folder->setObjectName(QStringLiteral("traces"));
  m_folder->setMinimumWidth(kFolderWidth);
  connect(m_folder, &QLineEdit::editingFinished, this, &SettingsDialog::takeFolder);
  auto* choose = new QPushButton(tr("Choose…"));
  choose->setAutoDefault(false);
  choose->setAccessibleName(tr("Choose the folder of new traces"));
  connect(choose, &QPushButton::clicked, this, &SettingsDialog::chooseFolder);
  auto* row = new QHBoxLayout;
  row->addWidget(m_folder, 1);
  row->addWidget(choose);
  form->addRow(tr("New traces"), row);
  m_folderProblem = new views::TextLabel({}, Style::Warning);
  m_folderProblem->setObjectName(QStringLiteral("traces_problem"));
  m_folderProblem->setWordWrap(true);
  m_folderProblem->hide();
  form->addRow(QString(), m_folderProblem);
  return box;
}

QWidget* SettingsDialog::makeLoading(const std::vector<engine::DeviceInfo>& devices) {
  auto* box = new QWidget;
  auto* column = new QVBoxLayout(box);
  column->setContentsMargins(0, 0, 0, 8);
  m_loading = new LoadOptionsForm(m_workspace.loadOptions(), devices);
  connect(m_loading, &LoadOptionsForm::changed, this,
          [this] { m_workspace.setLoadOptions(m_loading->options()); });
  column->addWidget(m_loading);
  column->addWidget(new views::TextLabel(tr("Takes effect when a model is loaded."), Style::Secondary));
  return box;
}

void SettingsDialog::chooseFolder() {
  const QString folder =
      QFileDialog::getExistingDirectory(this, tr("Folder of new traces"), m_workspace.tracesFolder());
  if (folder.isEmpty()) return;
  m_folder->setText(QDir::toNativeSeparators(folder));
  takeFolder();
}

/// A folder that nothing can be written to is named, and the one before stays.
void SettingsDialog::takeFolder() {
  const QString folder = QDir::fromNativeSeparators(m_folder->text().trimmed());
  const QFileInfo info(folder);
  const bool usable = folder.isEmpty() || (info.isAbsolute() && info.isDir() && info.isWritable());
  m_folderProblem->setVisible(!usable);
  if (!usable) {
    m_folderProblem->setText(tr("%1 is not a folder that can be written to; new traces go to %2.")
                                 .arg(m_folder->text(), m_workspace.tracesFolder()));
    return;
  }
  m_workspace.setTracesFolder(folder);
  m_folder->setText(QDir::toNativeSeparators(m_workspace.tracesFolder()));
}

}  // namespace moescope::app
