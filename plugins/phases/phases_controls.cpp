#include "plugins/phases/phases_controls.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>

#include <array>

namespace moescope::phases {

namespace {

constexpr int kPadding = 8, kHeight = 36, kNarrowestBox = 72;
constexpr const char* kFirstMetric = "cv";
constexpr const char* kFirstX = "peak_factor";
constexpr const char* kFirstY = "loss";

struct EstimatorName {
  const char* id;
  const char* label;
};
constexpr std::array kEstimators{
    EstimatorName{"q1", QT_TRANSLATE_NOOP("PhasesControls", "mean router logit")},
    EstimatorName{"q2", QT_TRANSLATE_NOOP("PhasesControls", "log mean probability")},
    EstimatorName{"q3", QT_TRANSLATE_NOOP("PhasesControls", "median router logit")},
    EstimatorName{"q4", QT_TRANSLATE_NOOP("PhasesControls", "logit where chosen")}};

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// Fills a box; the item of the same data stays chosen, else `otherwise`, else the first.
void refill(QComboBox& box, const std::vector<std::pair<QString, QVariant>>& items,
            const QVariant& otherwise) {
  const QSignalBlocker blocker(&box);
  const QVariant before = box.currentData();
  box.clear();
  for (const auto& [label, data] : items) box.addItem(label, data);
  int index = before.isValid() ? box.findData(before) : -1;
  if (index < 0) index = box.findData(otherwise);
  box.setCurrentIndex(index < 0 && box.count() > 0 ? 0 : index);
}

std::string word(const QComboBox& box) { return box.currentData().toString().toStdString(); }

}  // namespace

PhasesControls::PhasesControls(QWidget* parent) : QWidget(parent) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(kPadding, 0, kPadding, 0);
  row->setSpacing(kPadding);
  setMinimumHeight(kHeight);
  m_series = addBox(QStringLiteral("series"), tr("Series"), tr("Series of checkpoints that is shown"));
  m_layer = addBox(QStringLiteral("layer"), tr("Layer"), tr("Mean of the layers, or one layer"));
  m_metric =
      addBox(QStringLiteral("metric"), tr("Over steps"), tr("Metric of the left picture and of the layers"));
  m_x = addBox(QStringLiteral("plane_x"), tr("Plane"), tr("Metric on the horizontal axis of the plane"));
  m_y = addBox(QStringLiteral("plane_y"), QString(), tr("Metric on the vertical axis of the plane"));
  m_estimator = addBox(QStringLiteral("estimator"), tr("Estimator"),
                       tr("Quality estimator of the congestion fit (R1)"));
  for (const EstimatorName& estimator : kEstimators)
    m_estimator->addItem(tr(estimator.label), QString::fromLatin1(estimator.id));
  row->addStretch(1);
  m_bands = addCheck(QStringLiteral("bands"), tr("95 % band"), tr("Intervals from resampling texts"));
  m_phases = addCheck(QStringLiteral("phases"), tr("Phases"), tr("Phases where the segmentation holds"));
  m_sameScale = addCheck(QStringLiteral("same_scale"), tr("Same y scale"), tr("All layers on one scale"));
  connect(m_series, &QComboBox::activated, this, &PhasesControls::seriesChanged);
  connect(m_estimator, &QComboBox::activated, this, &PhasesControls::seriesChanged);
  for (QComboBox* box : {m_layer, m_metric, m_x, m_y})
    connect(box, &QComboBox::activated, this, &PhasesControls::viewChanged);
  for (QCheckBox* box : {m_bands, m_phases, m_sameScale})
    connect(box, &QCheckBox::toggled, this, &PhasesControls::viewChanged);
}

QComboBox* PhasesControls::addBox(const QString& name, const QString& label, const QString& toolTip) {
  auto* row = static_cast<QHBoxLayout*>(layout());
  auto* box = new QComboBox;
  box->setObjectName(name);
  box->setMinimumWidth(kNarrowestBox);
  box->setToolTip(toolTip);
  box->setAccessibleName(toolTip);
  box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  box->setMinimumContentsLength(9);
  if (!label.isEmpty()) {
    auto* text = new QLabel(label);
    text->setBuddy(box);
    row->addWidget(text);
  }
  row->addWidget(box);
  return box;
}

QCheckBox* PhasesControls::addCheck(const QString& name, const QString& label, const QString& toolTip) {
  auto* box = new QCheckBox(label);
  box->setObjectName(name);
  box->setToolTip(toolTip);
  box->setChecked(true);
  layout()->addWidget(box);
  return box;
}

void PhasesControls::setSeries(const std::vector<trace::SeriesRecord>& series) {
  std::vector<std::pair<QString, QVariant>> items;
  for (const trace::SeriesRecord& one : series) items.emplace_back(qt(one.name), qlonglong{one.id});
  if (series.size() > 1) items.emplace_back(tr("All series"), qlonglong{kAllSeries});
  refill(*m_series, items, {});
  m_series->setEnabled(!items.empty());
}

void PhasesControls::setMetrics(const analysis::SeriesMetrics& series) {
  std::vector<std::pair<QString, QVariant>> layers{{tr("Mean of %1 layers").arg(series.layers.size()), 0}};
  for (std::size_t i = 0; i < series.layers.size(); ++i)
    layers.emplace_back(tr("Layer %1").arg(series.layers[i]), static_cast<int>(i) + 1);
  refill(*m_layer, layers, 0);
  std::vector<std::pair<QString, QVariant>> metrics;
  for (const analysis::SeriesMetric& metric : series.metrics)
    metrics.emplace_back(qt(metric.label), qt(metric.id));
  refill(*m_metric, metrics, QString::fromLatin1(kFirstMetric));
  refill(*m_x, metrics, QString::fromLatin1(kFirstX));
  refill(*m_y, metrics, QString::fromLatin1(kFirstY));
}

qlonglong PhasesControls::series() const { return m_series->currentData().toLongLong(); }
int PhasesControls::column() const { return m_layer->currentData().toInt(); }
std::string PhasesControls::metric() const { return word(*m_metric); }
std::string PhasesControls::planeX() const { return word(*m_x); }
std::string PhasesControls::planeY() const { return word(*m_y); }
std::string PhasesControls::estimator() const { return word(*m_estimator); }
bool PhasesControls::bands() const { return m_bands->isChecked(); }
bool PhasesControls::phases() const { return m_phases->isChecked(); }
bool PhasesControls::sameScale() const { return m_sameScale->isChecked(); }

}  // namespace moescope::phases
