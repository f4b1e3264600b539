#include "app/window/corpus_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFile>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>

namespace moescope::app {

namespace {

constexpr int kGuessLabels = -1;
constexpr int kFieldWidth = 360;

}  // namespace

CorpusDialog::CorpusDialog(const QString& folder, int context, QWidget* parent)
    : QDialog(parent),
      m_corpus(new QLineEdit(folder)),
      m_labels(new QComboBox),
      m_separator(new QLineEdit(QStringLiteral("<|endoftext|>"))),
      m_context(new QSpinBox),
      m_maxTokens(new QSpinBox),
      m_maxTextTokens(new QSpinBox),
      m_capture(new QComboBox),
      m_name(new QLineEdit) {
  setWindowTitle(tr("Record corpus"));
  m_corpus->setMinimumWidth(kFieldWidth);
  m_labels->addItem(tr("Found out from what is there"), kGuessLabels);
  m_labels->addItem(tr("One folder a label"), static_cast<int>(engine::LabelSource::Folder));
  m_labels->addItem(tr("One file a label"), static_cast<int>(engine::LabelSource::File));
  m_labels->addItem(tr("Field “label” of JSON lines"), static_cast<int>(engine::LabelSource::Field));
  m_context->setRange(2, 1 << 20);
  m_context->setValue(context);
  m_context->setToolTip(tr("Long texts are cut into windows of this many tokens"));
  m_maxTokens->setRange(0, 1 << 30);
  m_maxTokens->setSpecialValueText(tr("all"));
  m_maxTokens->setToolTip(tr("Tokens of each label"));
  m_maxTextTokens->setRange(0, 1 << 30);
  m_maxTextTokens->setSpecialValueText(tr("all"));
  m_maxTextTokens->setToolTip(tr("Few tokens of many texts tell more than many tokens of few"));
  m_capture->addItem(tr("Expert ids"), static_cast<int>(trace::CaptureLevel::Ids));
  m_capture->addItem(tr("Ids, weights"), static_cast<int>(trace::CaptureLevel::Weights));
  m_capture->addItem(tr("Full logits"), static_cast<int>(trace::CaptureLevel::Full));
  m_capture->setCurrentIndex(1);
  m_name->setPlaceholderText(tr("after the corpus"));

  auto* corpusRow = new QHBoxLayout;
  corpusRow->addWidget(m_corpus, 1);
  auto* folderButton = new QPushButton(tr("Folder…"));
  auto* fileButton = new QPushButton(tr("File…"));
  connect(folderButton, &QPushButton::clicked, this, &CorpusDialog::chooseFolder);
  connect(fileButton, &QPushButton::clicked, this, &CorpusDialog::chooseFile);
  corpusRow->addWidget(folderButton);
  corpusRow->addWidget(fileButton);

  auto* form = new QFormLayout(this);
  m_form = form;
  form->addRow(tr("Corpus"), corpusRow);
  form->addRow(tr("Labels"), m_labels);
  form->addRow(tr("Document separator"), m_separator);
  form->addRow(tr("Context"), m_context);
  form->addRow(tr("Tokens a label"), m_maxTokens);
  form->addRow(tr("Tokens a text"), m_maxTextTokens);
  form->addRow(tr("Capture"), m_capture);
  form->addRow(tr("Run name"), m_name);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
  m_record = buttons->addButton(tr("Record"), QDialogButtonBox::AcceptRole);
  m_record->setEnabled(!folder.isEmpty());
  connect(m_corpus, &QLineEdit::textChanged, this, &CorpusDialog::refreshButton);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  form->addRow(buttons);
}

void CorpusDialog::setCapture(trace::CaptureLevel capture) {
  m_capture->setCurrentIndex(m_capture->findData(static_cast<int>(capture)));
}

void CorpusDialog::setTokenLimits(int label, int text) {
  m_maxTokens->setValue(label);
  m_maxTextTokens->setValue(text);
}

void CorpusDialog::setNameRow(const QString& label, const QString& placeholder) {
  qobject_cast<QLabel*>(m_form->labelForField(m_name))->setText(label);
  m_name->setPlaceholderText(placeholder);
}

bool CorpusDialog::isComplete() const { return !m_corpus->text().isEmpty(); }

void CorpusDialog::refreshButton() { m_record->setEnabled(isComplete()); }

void CorpusDialog::chooseFolder() {
  const QString folder = QFileDialog::getExistingDirectory(this, tr("Corpus folder"), m_corpus->text());
  if (!folder.isEmpty()) m_corpus->setText(folder);
}

void CorpusDialog::chooseFile() {
  const QString file = QFileDialog::getOpenFileName(this, tr("Corpus file"), m_corpus->text(),
                                                    tr("JSON lines (*.jsonl *.json)"));
  if (!file.isEmpty()) m_corpus->setText(file);
}

engine::CorpusSettings CorpusDialog::settings() const {
  engine::CorpusSettings settings;
  settings.corpus = QFile::encodeName(m_corpus->text()).toStdString();
  if (m_labels->currentData().toInt() != kGuessLabels) {
    settings.labelFrom = static_cast<engine::LabelSource>(m_labels->currentData().toInt());
  }
  settings.separator = m_separator->text().toStdString();
  settings.contextTokens = m_context->value();
  settings.maxTokensPerLabel = m_maxTokens->value();
  settings.maxTokensPerText = m_maxTextTokens->value();
  settings.capture = static_cast<trace::CaptureLevel>(m_capture->currentData().toInt());
  settings.runName = m_name->text().toStdString();
  return settings;
}

}  // namespace moescope::app
