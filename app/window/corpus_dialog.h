// CorpusDialog: what a corpus run records. Not for running it.
#pragma once

#include <QDialog>

#include "core/engine/generation/corpus_run.h"

class QComboBox;
class QFormLayout;
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

 protected:
  [[nodiscard]] QFormLayout& form() const { return *m_form; }
  void setCapture(trace::CaptureLevel capture);
  void setTokenLimits(int label, int text);
  /// The row for a run's name, for another use of it.
  void setNameRow(const QString& label, const QString& placeholder);
  /// True if there is all that a recording needs.
  [[nodiscard]] virtual bool isComplete() const;
  void refreshButton();

 private:
  void chooseFolder();
  void chooseFile();

  QLineEdit* m_corpus;
  QComboBox* m_labels;
  QLineEdit* m_separator;
  QSpinBox* m_context;
  QSpinBox* m_maxTokens;
  QSpinBox* m_maxTextTokens;
  QComboBox* m_capture;
  QLineEdit* m_name;
  QFormLayout* m_form = nullptr;
  QPushButton* m_record;
};

}  // namespace moescope::app
