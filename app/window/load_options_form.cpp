#include "app/window/load_options_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QSpinBox>
#include <QStandardPaths>

#include <thread>

#include "views/api/number_text.h"

namespace moescope::app {

namespace {

QString roundedFolder() {
  return QStandardPaths::writableLocation(QStandardPaths::CacheLocation) + QStringLiteral("/weights");
}

}  // namespace

LoadOptionsForm::LoadOptionsForm(const engine::LoadOptions& options,
                                 const std::vector<engine::DeviceInfo>& devices, QWidget* parent)
    : QWidget(parent),
      m_device(new QComboBox),
      m_dtype(new QComboBox),
      m_keep(new QCheckBox(tr("Keep rounded weights on disk"))),
      m_threads(new QSpinBox) {
  m_device->setObjectName(QStringLiteral("device"));
  m_device->addItem(tr("Automatic"), QStringLiteral("auto"));
  for (const auto& device : devices) {
    const QString id = QString::fromStdString(device.id);
    m_device->addItem(tr("%1 (%2), %3 free")
                          .arg(id, QString::fromStdString(device.name), views::bytesText(device.freeBytes)),
                      id);
  }
  const QString set = QString::fromStdString(options.device);
  if (m_device->findData(set) < 0) m_device->addItem(set, set);
  m_device->setCurrentIndex(m_device->findData(set));
  m_dtype->setObjectName(QStringLiteral("dtype"));
  m_dtype->addItem(tr("Automatic: as stored"), static_cast<int>(engine::Dtype::Auto));
  m_dtype->addItem(QStringLiteral("float32"), static_cast<int>(engine::Dtype::F32));
  m_dtype->addItem(QStringLiteral("bfloat16"), static_cast<int>(engine::Dtype::BF16));
  m_dtype->addItem(QStringLiteral("float16"), static_cast<int>(engine::Dtype::F16));
  m_dtype->addItem(tr("8 bits (Q8_0), CPU"), static_cast<int>(engine::Dtype::Q8_0));
  m_dtype->addItem(tr("4 bits (Q4_0), CPU"), static_cast<int>(engine::Dtype::Q4_0));
  m_dtype->setCurrentIndex(std::max(0, m_dtype->findData(static_cast<int>(options.dtype))));
  m_keep->setObjectName(QStringLiteral("keep"));
  m_keep->setChecked(!options.roundedFolder.empty());
  m_keep->setToolTip(
      tr("The next load with the same number of bits takes them from %1").arg(roundedFolder()));
  const auto showKeep = [this] {
    m_keep->setEnabled(engine::roundsWeights(static_cast<engine::Dtype>(m_dtype->currentData().toInt())));
  };
  showKeep();
  connect(m_dtype, &QComboBox::currentIndexChanged, this, showKeep);
  m_threads->setObjectName(QStringLiteral("threads"));
  m_threads->setRange(0, static_cast<int>(std::thread::hardware_concurrency()));
  m_threads->setSpecialValueText(tr("Automatic"));
  m_threads->setValue(options.threads);

  auto* form = new QFormLayout(this);
  form->setContentsMargins(0, 0, 0, 0);
  form->addRow(tr("Device"), m_device);
  form->addRow(tr("Dtype"), m_dtype);
  form->addRow(QString(), m_keep);
  form->addRow(tr("Threads"), m_threads);
  connect(m_device, &QComboBox::activated, this, &LoadOptionsForm::changed);
  connect(m_dtype, &QComboBox::activated, this, &LoadOptionsForm::changed);
  connect(m_keep, &QCheckBox::clicked, this, &LoadOptionsForm::changed);
  connect(m_threads, &QSpinBox::valueChanged, this, &LoadOptionsForm::changed);
}

engine::LoadOptions LoadOptionsForm::options() const {
  engine::LoadOptions options;
  options.device = m_device->currentData().toString().toStdString();
  options.dtype = static_cast<engine::Dtype>(m_dtype->currentData().toInt());
  if (m_keep->isChecked()) options.roundedFolder = roundedFolder().toStdString();
  options.threads = m_threads->value();
  return options;
}

}  // namespace moescope::app
