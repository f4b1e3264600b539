// LoadingDialog: device, dtype and threads of a model. Not for choosing its files.
#pragma once

#include <QDialog>

#include <vector>

#include "core/engine/api/engine.h"

class QComboBox;
class QSpinBox;

namespace moescope::app {

class LoadingDialog : public QDialog {
  Q_OBJECT

 public:
  LoadingDialog(const engine::LoadOptions& options, const std::vector<engine::DeviceInfo>& devices,
                QWidget* parent = nullptr);

  [[nodiscard]] engine::LoadOptions options() const;

 private:
  QComboBox* m_device;
  QComboBox* m_dtype;
  QSpinBox* m_threads;
};

}  // namespace moescope::app
