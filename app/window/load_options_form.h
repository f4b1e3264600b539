// LoadOptionsForm: fields for device, dtype and threads of a model, and whether rounded weights are kept. Not
// for when they take effect.
#pragma once

#include <QWidget>

#include <vector>

#include "core/engine/api/engine.h"

class QCheckBox;
class QComboBox;
class QSpinBox;

namespace moescope::app {

class LoadOptionsForm : public QWidget {
  Q_OBJECT

 public:
  /// Devices that are not in the list cannot be chosen, except the one that is set.
  LoadOptionsForm(const engine::LoadOptions& options, const std::vector<engine::DeviceInfo>& devices,
                  QWidget* parent = nullptr);

  [[nodiscard]] engine::LoadOptions options() const;

 Q_SIGNALS:
  void changed();

 private:
  QComboBox* m_device;
  QComboBox* m_dtype;
  QCheckBox* m_keep;
  QSpinBox* m_threads;
};

}  // namespace moescope::app
