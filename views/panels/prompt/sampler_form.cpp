#include "views/panels/prompt/sampler_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMenu>
#include <QRandomGenerator>
#include <QSettings>
#include <QSpinBox>
#include <QToolButton>
#include <QWidgetAction>

#include <limits>

#include "core/engine/generation/live_session.h"
#include "views/api/number_text.h"
#include "views/api/view_context.h"

namespace moescope::views {

namespace {

constexpr int kSpacing = 8;
const auto kCaptureKey = QStringLiteral("prompt/capture");
constexpr int kFieldWidth = 92;  // ten digits

QDoubleSpinBox* decimalField(double value, double low, double high, double step, const QString& tip) {
  auto* field = new QDoubleSpinBox;
  field->setRange(low, high);
  field->setSingleStep(step);
  field->setDecimals(2);
  field->setValue(value);
  field->setToolTip(tip);
  field->setAlignment(Qt::AlignRight);
  field->setFixedWidth(kFieldWidth);
  return field;
}

QSpinBox* wholeField(int value, int low, int high, const QString& tip) {
  auto* field = new QSpinBox;
  field->setRange(low, high);
  field->setValue(value);
  field->setToolTip(tip);
  field->setAlignment(Qt::AlignRight);
  field->setFixedWidth(kFieldWidth);
  return field;
}

}  // namespace

QString captureName(trace::CaptureLevel level) {
  switch (level) {
    case trace::CaptureLevel::None: return SamplerForm::tr("Tokens only");
    case trace::CaptureLevel::Ids: return SamplerForm::tr("Expert ids");
    case trace::CaptureLevel::Weights: return SamplerForm::tr("Ids, weights");
    case trace::CaptureLevel::Full: break;
  }
  return SamplerForm::tr("Full logits");
}

trace::CaptureLevel defaultCapture() {
  const QString word = QSettings().value(kCaptureKey).toString();
  return trace::captureLevelFrom(word.toStdString()).value_or(trace::CaptureLevel::Full);
}

void setDefaultCapture(trace::CaptureLevel level) {
  const auto word = trace::name(level);
  QSettings().setValue(kCaptureKey, QString::fromUtf8(word.data(), static_cast<qsizetype>(word.size())));
}

std::int64_t captureBytesPerToken(const std::vector<RouterSpec>& routers, trace::CaptureLevel level) {
  std::int64_t bytes = 0;
  for (const auto& router : routers) {
    const std::int64_t idBytes = router.experts <= 255 ? 1 : 2;
    switch (level) {
      case trace::CaptureLevel::None: break;
      case trace::CaptureLevel::Ids: bytes += router.topK * idBytes; break;
      case trace::CaptureLevel::Weights: bytes += router.topK * (idBytes + 2); break;
      case trace::CaptureLevel::Full:
        bytes += router.topK * (idBytes + 4) + std::int64_t{router.experts} * 2;
        break;
    }
  }
  return bytes;
}

SamplerForm::SamplerForm(ViewContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
  auto* form = new QFormLayout(this);
  form->setContentsMargins(0, 0, 0, 0);
  form->setVerticalSpacing(4);
  form->setHorizontalSpacing(12);
  const engine::SamplerSettings defaults;
  m_temperature =
      decimalField(defaults.temperature, 0.0, 5.0, 0.05, tr("0 always takes the most probable token"));
  m_topP = decimalField(defaults.topP, 0.0, 1.0, 0.05,
                        tr("Smallest set of tokens with this probability; 1 is off"));
  m_seed = wholeField(static_cast<int>(defaults.seed), 0, std::numeric_limits<int>::max(),
                      tr("The same seed gives the same text"));
  m_keepSeed = new QCheckBox(tr("keep"));
  m_keepSeed->setChecked(true);
  m_keepSeed->setToolTip(tr("Off: every Generate draws a new seed"));
  m_maxTokens = wholeField(128, 1, 1 << 20, tr("Generate and Continue add at most this many tokens"));
  m_capture = new QComboBox;
  m_capture->setToolTip(tr("What the trace keeps of every routing decision"));
  m_capture->setAccessibleName(tr("Capture level"));

  auto* seedRow = new QHBoxLayout;
  seedRow->setSpacing(kSpacing);
  seedRow->addWidget(m_seed);
  seedRow->addWidget(m_keepSeed);
  seedRow->addStretch(1);
  auto* maxRow = new QHBoxLayout;
  maxRow->setSpacing(kSpacing);
  maxRow->addWidget(m_maxTokens);
  auto* more = new QToolButton;
  more->setText(tr("More…"));
  more->setToolTip(tr("Top-k, min-p, repetition penalty, stop strings"));
  more->setPopupMode(QToolButton::InstantPopup);
  auto* menu = new QMenu(more);
  auto* content = new QWidgetAction(menu);
  content->setDefaultWidget(makeMoreSettings());
  menu->addAction(content);
  more->setMenu(menu);
  maxRow->addWidget(more);
  maxRow->addStretch(1);

  form->addRow(tr("Temperature"), m_temperature);
  form->addRow(tr("Top-p"), m_topP);
  form->addRow(tr("Seed"), seedRow);
  form->addRow(tr("Max tokens"), maxRow);
  form->addRow(tr("Capture"), m_capture);
  connect(&context, &ViewContext::modelChanged, this, &SamplerForm::refreshCaptureSizes);
  refreshCaptureSizes();
}

QWidget* SamplerForm::makeMoreSettings() {
  auto* box = new QWidget;
  auto* form = new QFormLayout(box);
  form->setContentsMargins(12, 12, 12, 12);
  m_topK = wholeField(0, 0, 1 << 20, tr("Only the k most probable tokens; 0 is off"));
  m_minP = decimalField(0.0, 0.0, 1.0, 0.01, tr("Least probability as a share of the largest; 0 is off"));
  m_repetition =
      decimalField(1.0, 0.5, 3.0, 0.05, tr("Divides the logits of tokens that occurred; 1 is off"));
  m_stopStrings = new QLineEdit;
  m_stopStrings->setPlaceholderText(tr("separated by |, \\n is a new line"));
  m_stopStrings->setMinimumWidth(200);
  m_ignoreEnd = new QCheckBox(tr("Go on after the end-of-text token"));
  form->addRow(tr("Top-k"), m_topK);
  form->addRow(tr("Min-p"), m_minP);
  form->addRow(tr("Repetition penalty"), m_repetition);
  form->addRow(tr("Stop strings"), m_stopStrings);
  form->addRow(QString(), m_ignoreEnd);
  return box;
}

engine::GenerationSettings SamplerForm::settings() {
  if (!m_keepSeed->isChecked()) {
    m_seed->setValue(static_cast<int>(QRandomGenerator::global()->bounded(m_seed->maximum())));
  }
  engine::GenerationSettings settings;
  settings.maxTokens = m_maxTokens->value();
  settings.sampler.temperature = m_temperature->value();
  settings.sampler.topP = m_topP->value();
  settings.sampler.topK = m_topK->value();
  settings.sampler.minP = m_minP->value();
  settings.sampler.repetitionPenalty = m_repetition->value();
  settings.sampler.seed = static_cast<std::uint64_t>(m_seed->value());
  settings.ignoreEndTokens = m_ignoreEnd->isChecked();
  settings.capture = static_cast<trace::CaptureLevel>(m_capture->currentData().toInt());
  for (QString text : m_stopStrings->text().split(QLatin1Char('|'), Qt::SkipEmptyParts)) {
    settings.stopStrings.push_back(text.replace(QLatin1String("\\n"), QLatin1String("\n")).toStdString());
  }
  return settings;
}

int SamplerForm::maxTokens() const { return m_maxTokens->value(); }

void SamplerForm::setCapture(trace::CaptureLevel level) {
  m_capture->setCurrentIndex(m_capture->findData(static_cast<int>(level)));
}

void SamplerForm::refreshCaptureSizes() {
  const auto model = m_context.session().model();
  const auto routers = model ? model->checkpoint().description().routers : std::vector<RouterSpec>{};
  const QVariant chosen =
      m_capture->count() > 0 ? m_capture->currentData() : QVariant(static_cast<int>(defaultCapture()));
  m_capture->clear();
  for (const auto level : {trace::CaptureLevel::None, trace::CaptureLevel::Ids, trace::CaptureLevel::Weights,
                           trace::CaptureLevel::Full}) {
    const QString name = captureName(level);
    const auto bytes = captureBytesPerToken(routers, level);
    const QString text = bytes > 0 ? tr("%1, %2/token").arg(name, bytesText(bytes)) : name;
    m_capture->addItem(text, static_cast<int>(level));
  }
  m_capture->setCurrentIndex(m_capture->findData(chosen));
}

}  // namespace moescope::views
