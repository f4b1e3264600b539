// CorpusDialog: what a corpus run records. Not for running it.
#pragma once

#include <QDialog>

#include "core/engine/generation/corpus_run.h"

class QComboBox;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace moescope::app {

class CorpusDialog : public QDialog {
  Q_OBJECT

 public:
  /// `folder` is offered as the corpus, `context` as the window's length.
  CorpusDialog(const QString& folder, int context, QWidget* parent = nullptr);

  [[nodiscard]] engine::CorpusSettings settings() const;

 private:
  void chooseFolder();
  void chooseFile();

  QLineEdit* m_corpus;
  QComboBox* m_labels;
  QLineEdit* m_separator;
  QSpinBox* m_context;
  QSpinBox* m_maxTokens;
  QComboBox* m_capture;
  QLineEdit* m_name;
  QPushButton* m_record;
};

}  // namespace moescope::app
