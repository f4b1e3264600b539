#include "plugins/specialization/panel/specialization_controls.h"
#include "views/api/router_text.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include <set>

#include <fmt/format.h>

#include "views/api/router_box.h"

namespace moescope::specialization {

namespace {

constexpr int kPadding = 8, kHeight = 36, kNarrowestBox = 72;
const auto kPattern = QStringLiteral("regex:");
const auto kSelection = QStringLiteral("tokens:");
const auto kPositions = QStringLiteral("positions:32");

QString qt(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

SpecializationControls::SpecializationControls(QWidget* parent) : QWidget(parent) {
  auto* rows = new QVBoxLayout(this);
  rows->setContentsMargins(kPadding, 0, kPadding, 0);
  rows->setSpacing(0);
  auto* boxes = new QWidget;
  boxes->setMinimumHeight(kHeight);
  auto* row = new QHBoxLayout(boxes);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(kPadding);
  m_router = new views::RouterBox;
  addBox(row, QStringLiteral("layer"), tr("Layer"), tr("Layer whose experts are shown"), m_router);
  m_labels = addBox(row, QStringLiteral("labels"), tr("Label"), tr("Where the labels of tokens come from"));
  m_pattern = new QLineEdit;
  m_pattern->setObjectName(QStringLiteral("pattern"));
  m_pattern->setPlaceholderText(tr("digit=[0-9]+; bracket=[{}()]"));
  m_pattern->setToolTip(
      tr("Labels as name=expression, separated by semicolons; Enter applies them. Every other "
         "token is “other”."));
  m_pattern->setAccessibleName(tr("Labels by token pattern"));
  m_pattern->hide();
  m_value = addBox(row, QStringLiteral("value"), tr("Value"), tr("What a cell shows"));
  m_value->addItem(tr("Selection rate ÷ chance"), static_cast<int>(figure::SpecializationValue::RateRatio));
  m_value->addItem(tr("Selection rate"), static_cast<int>(figure::SpecializationValue::Rate));
  m_value->addItem(tr("Share of the expert"), static_cast<int>(figure::SpecializationValue::Share));
  m_order = addBox(row, QStringLiteral("order"), tr("Sort"), tr("Order of the experts"));
  m_order->addItem(tr("By label"), static_cast<int>(figure::ExpertOrder::Label));
  m_order->addItem(tr("By number"), static_cast<int>(figure::ExpertOrder::Number));
  row->addStretch(1);
  m_grey = new QCheckBox(tr("Grey at chance"));
  m_grey->setObjectName(QStringLiteral("grey"));
  m_grey->setToolTip(tr("Greys out cells whose 95 % interval includes the chance level"));
  m_grey->setChecked(true);
  row->addWidget(m_grey);
  rows->addWidget(boxes);
  rows->addWidget(m_pattern);  // expressions are long
  connect(m_router, &QComboBox::activated, this, &SpecializationControls::routerChosen);
  connect(m_labels, &QComboBox::activated, this, [this] {
    const bool isPattern = m_labels->currentData().toString() == kPattern;
    m_pattern->setVisible(isPattern);
    Q_EMIT labelsChanged();
    if (isPattern) m_pattern->setFocus();
  });
  connect(m_pattern, &QLineEdit::returnPressed, this, &SpecializationControls::labelsChanged);
  connect(m_value, &QComboBox::activated, this, &SpecializationControls::viewChanged);
  connect(m_order, &QComboBox::activated, this, &SpecializationControls::viewChanged);
  connect(m_grey, &QCheckBox::toggled, this, &SpecializationControls::viewChanged);
}

QComboBox* SpecializationControls::addBox(QHBoxLayout* row, const QString& name, const QString& label,
                                          const QString& toolTip, QComboBox* box) {
  if (box == nullptr) box = new QComboBox;
  box->setObjectName(name);
  box->setMinimumWidth(kNarrowestBox);
  box->setToolTip(toolTip);
  box->setAccessibleName(label);
  auto* text = new QLabel(label);
  text->setBuddy(box);
  row->addWidget(text);
  row->addWidget(box);
  return box;
}

void SpecializationControls::setRun(const std::vector<RouterSpec>& routers,
                                    const std::vector<trace::SequenceRecord>& sequences) {
  const QSignalBlocker labelBlocker(m_labels);
  const QVariant labels = m_labels->currentData();
  m_router->setRouters(routers);
  std::set<std::string> keys;
  for (const trace::SequenceRecord& sequence : sequences) {
    for (const auto& [key, value] : sequence.labels) keys.insert(key);
  }
  m_labels->clear();
  // The key that the analyses take by default comes first.
  if (keys.erase("label") > 0) m_labels->addItem(QStringLiteral("label"), QStringLiteral("corpus:label"));
  for (const std::string& key : keys) m_labels->addItem(qt(key), qt("corpus:" + key));
  m_labels->addItem(tr("Position"), kPositions);
  m_labels->addItem(tr("Selected tokens"), kSelection);
  m_labels->addItem(tr("Token pattern…"), kPattern);
  const auto choose = [](QComboBox& box, const QVariant& wanted) {
    const int index = wanted.isValid() ? box.findData(wanted) : -1;
    box.setCurrentIndex(index >= 0 ? index : (box.count() > 0 ? 0 : -1));
  };
  choose(*m_labels, labels);
  m_pattern->setVisible(m_labels->currentData().toString() == kPattern);
}

void SpecializationControls::setRouter(const RouterKey& router) { (void)m_router->choose(router); }

std::optional<RouterKey> SpecializationControls::router() const { return m_router->router(); }

std::optional<RouterSpec> SpecializationControls::spec() const { return m_router->spec(); }

bool SpecializationControls::usesSelection() const {
  return m_labels->currentData().toString() == kSelection;
}

std::string SpecializationControls::labels(trace::TokenRange selected) const {
  const QString word = m_labels->currentData().toString();
  if (word == kPattern) {
    const QString pattern = m_pattern->text().trimmed();
    return pattern.isEmpty() ? std::string() : (kPattern + pattern).toStdString();
  }
  if (word == kSelection) {
    if (selected.size() == 0) return {};
    return fmt::format("tokens:selected={}-{}", selected.begin, selected.end - 1);
  }
  return word.toStdString();
}

figure::SpecializationFigureOptions SpecializationControls::options() const {
  return {static_cast<figure::SpecializationValue>(m_value->currentData().toInt()),
          static_cast<figure::ExpertOrder>(m_order->currentData().toInt()), m_grey->isChecked()};
}

}  // namespace moescope::specialization
