// SeriesDialog: which checkpoints a series records, and the corpus. Not for running it.
#pragma once

#include "app/window/corpus_dialog.h"
#include "core/engine/generation/record_series.h"

class QCheckBox;

namespace moescope::app {

class SeriesDialog : public CorpusDialog {
  Q_OBJECT

 public:
  /// `canResume`: the open trace has a series to go on with.
  explicit SeriesDialog(bool canResume, QWidget* parent = nullptr);

  /// Device and dtype are left to the caller.
  [[nodiscard]] engine::SeriesSettings settings() const;

 protected:
  [[nodiscard]] bool isComplete() const override;

 private:
  void chooseFolder();
  void chooseFile();

  QLineEdit* m_checkpoints;
  QCheckBox* m_resume;
};

}  // namespace moescope::app
