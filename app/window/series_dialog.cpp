#include "app/window/series_dialog.h"

#include <QCheckBox>
#include <QFile>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPushButton>

#include "app/resource_folder.h"

namespace moescope::app {

namespace {

// As the demo's series: 4 texts of a label, which is recorded in seconds and enough for intervals.
constexpr int kContext = 256;
constexpr int kLabelTokens = 1024;
constexpr int kTextTokens = 256;

}  // namespace

SeriesDialog::SeriesDialog(bool canResume, QWidget* parent)
    : CorpusDialog(QString::fromStdString((resourceFolder() / "demo" / "corpus").string()), kContext, parent),
      m_checkpoints(new QLineEdit),
      m_resume(new QCheckBox(tr("Go on with the last series of the open trace"))) {
  setWindowTitle(tr("Record series"));
  setCapture(trace::CaptureLevel::Ids);
  setTokenLimits(kLabelTokens, kTextTokens);
  setNameRow(tr("Series name"), tr("after the checkpoints"));
  m_checkpoints->setPlaceholderText(tr("step folders, an index, or models--org--name of a cache"));
  auto* row = new QHBoxLayout;
  row->addWidget(m_checkpoints, 1);
  auto* folderButton = new QPushButton(tr("Folder…"));
  auto* fileButton = new QPushButton(tr("Index…"));
  connect(folderButton, &QPushButton::clicked, this, &SeriesDialog::chooseFolder);
  connect(fileButton, &QPushButton::clicked, this, &SeriesDialog::chooseFile);
  connect(m_checkpoints, &QLineEdit::textChanged, this, &SeriesDialog::refreshButton);
  row->addWidget(folderButton);
  row->addWidget(fileButton);
  form().insertRow(0, tr("Checkpoints"), row);
  m_resume->setEnabled(canResume);
  m_resume->setToolTip(tr("Runs that are finished stay, the one that was cut is completed"));
  form().insertRow(form().rowCount() - 1, QString(), m_resume);
  m_checkpoints->setFocus();
  refreshButton();
}

bool SeriesDialog::isComplete() const {
  return CorpusDialog::isComplete() && !m_checkpoints->text().isEmpty();
}

void SeriesDialog::chooseFolder() {
  const QString folder =
      QFileDialog::getExistingDirectory(this, tr("Folder of the checkpoints"), m_checkpoints->text());
  if (!folder.isEmpty()) m_checkpoints->setText(folder);
}

void SeriesDialog::chooseFile() {
  const QString file = QFileDialog::getOpenFileName(this, tr("Index of the checkpoints"),
                                                    m_checkpoints->text(), tr("Indexes (*.json *.csv)"));
  if (!file.isEmpty()) m_checkpoints->setText(file);
}

engine::SeriesSettings SeriesDialog::settings() const {
  engine::SeriesSettings settings;
  settings.checkpoints = QFile::encodeName(m_checkpoints->text()).toStdString();
  settings.corpus = CorpusDialog::settings();
  settings.name = std::exchange(settings.corpus.runName, {});
  settings.corpus.resume = m_resume->isEnabled() && m_resume->isChecked();
  return settings;
}

}  // namespace moescope::app
