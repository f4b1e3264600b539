#include "app/window/loading_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QPushButton>
#include <QSpinBox>

#include <thread>

#include "views/api/number_text.h"

namespace moescope::app {

LoadingDialog::LoadingDialog(const engine::LoadOptions& options,
                             const std::vector<engine::DeviceInfo>& devices, QWidget* parent)
    : QDialog(parent), m_device(new QComboBox), m_dtype(new QComboBox), m_threads(new QSpinBox) {
  setWindowTitle(tr("Device and dtype"));
  m_device->addItem(tr("Automatic"), QStringLiteral("auto"));
  for (const auto& device : devices) {
    const QString id = QString::fromStdString(device.id);
    m_device->addItem(tr("%1 (%2), %3 free")
                          .arg(id, QString::fromStdString(device.name), views::bytesText(device.freeBytes)),
                      id);
  }
  m_device->setCurrentIndex(std::max(0, m_device->findData(QString::fromStdString(options.device))));
  m_dtype->addItem(tr("Automatic: as stored"), static_cast<int>(engine::Dtype::Auto));
  m_dtype->addItem(QStringLiteral("float32"), static_cast<int>(engine::Dtype::F32));
  m_dtype->addItem(QStringLiteral("bfloat16"), static_cast<int>(engine::Dtype::BF16));
  m_dtype->addItem(QStringLiteral("float16"), static_cast<int>(engine::Dtype::F16));
  m_dtype->setCurrentIndex(m_dtype->findData(static_cast<int>(options.dtype)));
  m_threads->setRange(0, static_cast<int>(std::thread::hardware_concurrency()));
  m_threads->setSpecialValueText(tr("Automatic"));
  m_threads->setValue(options.threads);

  auto* form = new QFormLayout(this);
  form->addRow(tr("Device"), m_device);
  form->addRow(tr("Dtype"), m_dtype);
  form->addRow(tr("Threads"), m_threads);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
  buttons->addButton(tr("Load again"), QDialogButtonBox::AcceptRole);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  form->addRow(buttons);
}

engine::LoadOptions LoadingDialog::options() const {
  engine::LoadOptions options;
  options.device = m_device->currentData().toString().toStdString();
  options.dtype = static_cast<engine::Dtype>(m_dtype->currentData().toInt());
  options.threads = m_threads->value();
  return options;
}

}  // namespace moescope::app
