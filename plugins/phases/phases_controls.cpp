#include "plugins/phases/phases_controls.h"

#include <QAbstractItemView>
#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QSignalBlocker>
#include <QStandardItemModel>

#include <algorithm>
#include <array>
#include <optional>

#include "views/api/panel_widgets.h"

namespace moescope::phases {

namespace {

constexpr int kPadding = 8, kHeight = 36, kHeadHeight = 30, kNarrowestBox = 88, kVisibleItems = 24,
              kListMargin = 32;
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

/// As wide as the text that it shows, so that a row of boxes reads like a sentence.
class SentenceBox final : public QComboBox {
 public:
  SentenceBox() {
    connect(this, &QComboBox::currentIndexChanged, this, [this] { updateGeometry(); });
  }
  [[nodiscard]] QSize sizeHint() const override {
    QSize size = QComboBox::sizeHint();
    int longest = 0;
    for (int i = 0; i < count(); ++i)
      longest = std::max(longest, fontMetrics().horizontalAdvance(itemText(i)));
    size.rwidth() -= longest - fontMetrics().horizontalAdvance(currentText());
    return size;
  }
};

/// Gives way where there is no room, and then ends in an ellipsis.
class ElidedLabel final : public views::TextLabel {
 public:
  using TextLabel::TextLabel;
  [[nodiscard]] QSize minimumSizeHint() const override { return {1, TextLabel::minimumSizeHint().height()}; }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    painter.setPen(palette().color(QPalette::WindowText));
    painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter,
                     fontMetrics().elidedText(text(), Qt::ElideRight, width()));
  }
  bool event(QEvent* event) override {
    if (event->type() == QEvent::ToolTip) setToolTip(sizeHint().width() > width() ? text() : QString());
    return TextLabel::event(event);
  }
};

struct Item {
  QString label;
  QVariant data;  ///< invalid: a heading
};

/// Fills a box; the item of the same data stays chosen, else `otherwise`, else the first.
void refill(QComboBox& box, const std::vector<Item>& items, const QVariant& otherwise) {
  const QSignalBlocker blocker(&box);
  const QVariant before = box.currentData();
  box.clear();
  int first = -1;
  for (const Item& item : items) {
    box.addItem(item.label, item.data);
    const int index = box.count() - 1;
    if (item.data.isValid()) {
      if (first < 0) first = index;
      continue;
    }
    if (auto* model = qobject_cast<QStandardItemModel*>(box.model()))
      model->item(index)->setFlags(Qt::NoItemFlags);
  }
  int index = before.isValid() ? box.findData(before) : -1;
  if (index < 0 && otherwise.isValid()) index = box.findData(otherwise);
  box.setCurrentIndex(index < 0 ? first : index);
  box.view()->setMinimumWidth(box.view()->sizeHintForColumn(0) + kListMargin);
  box.updateGeometry();
}

/// As wide as its longest text, narrower where there is no room.
template <class Box = QComboBox>
QComboBox* makeBox(const QString& name, const QString& toolTip) {
  auto* box = new Box;
  box->setObjectName(name);
  box->setToolTip(toolTip);
  box->setAccessibleName(toolTip);
  box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  box->setMinimumWidth(kNarrowestBox);
  box->setMaxVisibleItems(kVisibleItems);
  return box;
}

QCheckBox* makeCheck(const QString& name, const QString& label, const QString& toolTip) {
  auto* box = new QCheckBox(label);
  box->setObjectName(name);
  box->setToolTip(toolTip);
  box->setChecked(true);
  return box;
}

void addNamed(QHBoxLayout& row, const QString& label, QComboBox* box) {
  auto* text = new QLabel(label);
  text->setBuddy(box);
  row.addWidget(text);
  row.addWidget(box);
}

std::string word(const QComboBox& box) { return box.currentData().toString().toStdString(); }

}  // namespace

PhasesControls::PhasesControls(QWidget* parent)
    : QWidget(parent),
      m_courseHead(new QWidget(this)),
      m_planeHead(new QWidget(this)),
      m_layersHead(new QWidget(this)),
      m_layersTitle(new ElidedLabel({}, views::TextLabel::Style::Title)),
      m_layersNote(new ElidedLabel({}, views::TextLabel::Style::Secondary)),
      m_series(makeBox(QStringLiteral("series"), tr("Series of checkpoints that is shown"))),
      m_layer(makeBox(QStringLiteral("layer"), tr("Mean of the layers, or one layer"))),
      m_metric(makeBox<SentenceBox>(QStringLiteral("metric"), tr("Metric over the steps and of the layers"))),
      m_x(makeBox<SentenceBox>(QStringLiteral("plane_x"), tr("Metric on the horizontal axis of the plane"))),
      m_y(makeBox<SentenceBox>(QStringLiteral("plane_y"), tr("Metric on the vertical axis of the plane"))),
      m_estimator(makeBox(QStringLiteral("estimator"), tr("Quality estimator of the congestion fit (R1)"))),
      m_bands(makeCheck(QStringLiteral("bands"), tr("95 % band"), tr("Intervals from resampling texts"))),
      m_phases(makeCheck(QStringLiteral("phases"), tr("Phases"), tr("Phases where the segmentation holds"))),
      m_sameScale(
          makeCheck(QStringLiteral("same_scale"), tr("Same y scale"), tr("All layers on one scale"))) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(kPadding, 0, kPadding, 0);
  row->setSpacing(kPadding);
  setMinimumHeight(kHeight);
  addNamed(*row, tr("Series"), m_series);
  addNamed(*row, tr("Layer"), m_layer);
  addNamed(*row, tr("Estimator"), m_estimator);
  for (const EstimatorName& estimator : kEstimators)
    m_estimator->addItem(tr(estimator.label), QString::fromLatin1(estimator.id));
  row->addStretch(1);
  row->addWidget(m_bands);
  row->addWidget(m_phases);

  auto* course = makeHead(m_courseHead);
  course->addWidget(m_metric);
  course->addWidget(new ElidedLabel(tr("over training steps"), views::TextLabel::Style::Body));
  course->addStretch(1);
  auto* plane = makeHead(m_planeHead);
  plane->addWidget(m_y);
  plane->addWidget(new QLabel(tr("against")));
  plane->addWidget(m_x);
  plane->addStretch(1);
  auto* layers = makeHead(m_layersHead);
  m_layersTitle->setObjectName(QStringLiteral("layers_title"));
  layers->addWidget(m_layersTitle);
  layers->addWidget(m_layersNote);
  layers->addStretch(1);
  layers->addWidget(m_sameScale);

  connect(m_series, &QComboBox::activated, this, &PhasesControls::seriesChanged);
  connect(m_estimator, &QComboBox::activated, this, &PhasesControls::seriesChanged);
  connect(m_metric, &QComboBox::activated, this, &PhasesControls::nameLayers);
  for (QComboBox* box : {m_layer, m_metric, m_x, m_y})
    connect(box, &QComboBox::activated, this, &PhasesControls::viewChanged);
  for (QCheckBox* box : {m_bands, m_phases, m_sameScale})
    connect(box, &QCheckBox::toggled, this, &PhasesControls::viewChanged);
}

QHBoxLayout* PhasesControls::makeHead(QWidget* head) {
  auto* row = new QHBoxLayout(head);
  row->setContentsMargins(kPadding, 0, kPadding, 0);
  row->setSpacing(kPadding);
  head->setMinimumHeight(kHeadHeight);
  return row;
}

void PhasesControls::nameLayers() {
  m_layersTitle->setText(tr("Each layer: %1 over training steps").arg(m_metric->currentText()));
}

void PhasesControls::setSeries(const std::vector<trace::SeriesRecord>& series) {
  std::vector<Item> items;
  items.reserve(series.size() + 1);
  for (const trace::SeriesRecord& one : series) items.push_back({qt(one.name), qlonglong{one.id}});
  if (series.size() > 1) items.push_back({tr("All series"), qlonglong{kAllSeries}});
  refill(*m_series, items, {});
  m_series->setEnabled(!items.empty());
}

void PhasesControls::setMetrics(const analysis::SeriesMetrics& series) {
  std::vector<Item> layers{{tr("Mean of %1 layers").arg(series.layers.size()), 0}};
  for (std::size_t i = 0; i < series.layers.size(); ++i)
    layers.push_back({tr("Layer %1").arg(series.layers[i]), static_cast<int>(i) + 1});
  refill(*m_layer, layers, 0);
  std::vector<Item> metrics;
  std::optional<analysis::MetricGroup> group;
  for (const analysis::SeriesMetric& metric : series.metrics) {
    const bool isNew = metric.group != group;
    group = metric.group;
    // The loss is alone in its group and says what it is.
    if (isNew && metric.group != analysis::MetricGroup::Loss) {
      const auto heading = analysis::headingOf(metric.group);
      metrics.push_back({QString::fromUtf8(heading.data(), static_cast<qsizetype>(heading.size())), {}});
    }
    metrics.push_back({qt(metric.label), qt(metric.id)});
  }
  refill(*m_metric, metrics, QString::fromLatin1(kFirstMetric));
  refill(*m_x, metrics, QString::fromLatin1(kFirstX));
  refill(*m_y, metrics, QString::fromLatin1(kFirstY));
  m_layersNote->setText(
      series.name.empty() || m_series->count() < 2
          ? tr("grey: mean of %1 layers").arg(series.layers.size())
          : tr("%1 · grey: mean of %2 layers").arg(qt(series.name)).arg(series.layers.size()));
  nameLayers();
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
