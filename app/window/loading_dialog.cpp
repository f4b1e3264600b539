#include "app/window/loading_dialog.h"

#include <QDialogButtonBox>
#include <QPushButton>
#include <QVBoxLayout>

namespace moescope::app {

LoadingDialog::LoadingDialog(const engine::LoadOptions& options,
                             const std::vector<engine::DeviceInfo>& devices, QWidget* parent)
    : QDialog(parent), m_form(new LoadOptionsForm(options, devices)) {
  setWindowTitle(tr("Device and dtype"));
  auto* column = new QVBoxLayout(this);
  column->addWidget(m_form);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
  buttons->addButton(tr("Load again"), QDialogButtonBox::AcceptRole);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  column->addWidget(buttons);
}

}  // namespace moescope::app
