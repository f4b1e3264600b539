// SettingsDialog: what a user sets once: look, what is recorded, how models are loaded, where traces go.
// Every change acts at once. Not for the settings of one text (the prompt panel).
#pragma once

#include <QDialog>

#include <vector>

#include "core/engine/api/engine.h"

class QLabel;
class QLineEdit;

namespace moescope::app {

class LoadOptionsForm;
class Workspace;

/// GUI thread only; not modal.
class SettingsDialog : public QDialog {
  Q_OBJECT

 public:
  SettingsDialog(Workspace& workspace, const std::vector<engine::DeviceInfo>& devices,
                 QWidget* parent = nullptr);

 Q_SIGNALS:
  /// The capture level of the next texts: a trace::CaptureLevel.
  void captureChosen(int level);

 private:
  QWidget* makeLook();
  QWidget* makeRecording();
  QWidget* makeLoading(const std::vector<engine::DeviceInfo>& devices);
  void chooseFolder();
  void takeFolder();

  Workspace& m_workspace;
  QLineEdit* m_folder = nullptr;
  QLabel* m_folderProblem = nullptr;
  LoadOptionsForm* m_loading = nullptr;
};

}  // namespace moescope::app
