// LoadingDialog: device, dtype and threads of a model. Not for choosing its files.
#pragma once

#include <QDialog>

#include "app/window/load_options_form.h"

namespace moescope::app {

class LoadingDialog : public QDialog {
  Q_OBJECT

 public:
  LoadingDialog(const engine::LoadOptions& options, const std::vector<engine::DeviceInfo>& devices,
                QWidget* parent = nullptr);

  [[nodiscard]] engine::LoadOptions options() const { return m_form->options(); }

 private:
  LoadOptionsForm* m_form;
};

}  // namespace moescope::app
