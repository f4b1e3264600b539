#include "views/panels/routing_map/map_tool_bar.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QHBoxLayout>
#include <QSignalBlocker>
#include <QStandardItemModel>
#include <QToolButton>

#include <array>

#include "core/base/router_label.h"
#include "views/api/panel_widgets.h"
#include "views/api/router_text.h"
#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr double kZoomStep = 1.25;
constexpr int kSmallestBox = 64;
// Under kWithTexts buttons show their icons only.
constexpr int kNarrowest = 660, kWithTexts = 880;
constexpr std::array kLoadValues{figure::LoadValue::LoadRatio, figure::LoadValue::LoadShare,
                                 figure::LoadValue::Frequency, figure::LoadValue::GateRatio};
constexpr std::array kExpertValues{figure::TokenValue::Weight, figure::TokenValue::Rank,
                                   figure::TokenValue::Logit};
constexpr std::array kLayerValues{figure::TokenValue::Weight, figure::TokenValue::Entropy};
constexpr std::array<std::int64_t, 3> kLastTokens{128, 512, 2048};

enum Sort { kById, kByLoad };

std::vector<MapWindow> windows() {
  std::vector<MapWindow> all{{MapWindow::Kind::WholeRun, 0}, {MapWindow::Kind::Selection, 0}};
  for (const std::int64_t tokens : kLastTokens) all.push_back({MapWindow::Kind::Last, tokens});
  all.push_back({MapWindow::Kind::Prefill, 0});
  all.push_back({MapWindow::Kind::Decode, 0});
  return all;
}

void enableItem(QComboBox* box, int row, bool on, const QString& why) {
  auto* model = qobject_cast<QStandardItemModel*>(box->model());
  if (model == nullptr || model->item(row) == nullptr) return;
  model->item(row)->setEnabled(on);
  model->item(row)->setToolTip(on ? QString() : why);
}

QComboBox* makeBox(const QString& name) {
  auto* box = new QComboBox;
  box->setAccessibleName(name);
  box->setToolTip(name);
  box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  box->setMinimumWidth(kSmallestBox);  // narrow windows cut the text, the tool tip has it
  box->setFocusPolicy(Qt::StrongFocus);
  return box;
}

}  // namespace

MapToolBar::MapToolBar(QWidget* parent)
    : QWidget(parent),
      m_modes(new QButtonGroup(this)),
      m_layer(makeBox(tr("Layer"))),
      m_value(makeBox(tr("Value shown"))),
      m_window(makeBox(tr("Tokens counted"))),
      m_sort(makeBox(tr("Order of experts"))) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(8, 4, 8, 4);
  row->setSpacing(8);
  auto* modes = new QHBoxLayout;
  modes->setSpacing(0);
  modes->addWidget(addMode(tr("Layer × expert"), MapMode::LayerExpert));
  modes->addWidget(addMode(tr("Token × expert"), MapMode::TokenExpert));
  modes->addWidget(addMode(tr("Token × layer"), MapMode::TokenLayer));
  row->addLayout(modes);
  row->addWidget(m_layer);
  row->addWidget(m_value);
  row->addWidget(m_window);
  m_sortLabel = new TextLabel(tr("Sort"), TextLabel::Style::Secondary);
  row->addWidget(m_sortLabel);
  m_sort->addItems({tr("Expert id"), tr("Load")});
  m_sort->setToolTip(tr("Order of experts; choose Load again to sort by what is shown now"));
  row->addWidget(m_sort);
  row->addStretch(1);
  auto* out = addButton("zoom_out", {}, tr("Zoom out (Ctrl+−)"));
  auto* in = addButton("zoom_in", {}, tr("Zoom in (Ctrl++)"));
  m_fit = addButton("fit", tr("Fit"), tr("Show everything (F)"));
  m_follow = addButton("follow", tr("Follow live"), tr("Keep the newest token in sight (L)"));
  m_follow->setCheckable(true);
  m_follow->setChecked(true);
  for (auto* button : {out, in, m_fit, m_follow}) row->addWidget(button);
  connect(out, &QToolButton::clicked, this, [this] { Q_EMIT zoomRequested(1.0 / kZoomStep); });
  connect(in, &QToolButton::clicked, this, [this] { Q_EMIT zoomRequested(kZoomStep); });
  connect(m_fit, &QToolButton::clicked, this, &MapToolBar::fitRequested);
  connect(m_follow, &QToolButton::clicked, this, &MapToolBar::followToggled);
  connect(m_modes, &QButtonGroup::idClicked, this, &MapToolBar::choose);
  for (auto* box : {m_layer, m_value, m_window})
    connect(box, &QComboBox::activated, this, &MapToolBar::choose);
  // Choosing the same order again sorts again: nothing else does.
  connect(m_sort, &QComboBox::activated, this, [this](int index) { Q_EMIT sortRequested(index == kByLoad); });
  fillWindows();
  setSettings(m_settings);
}

QSize MapToolBar::minimumSizeHint() const { return {kNarrowest, QWidget::minimumSizeHint().height()}; }

void MapToolBar::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  const bool wide = width() >= kWithTexts;
  for (auto* button : {m_fit, m_follow}) {
    button->setToolButtonStyle(wide ? Qt::ToolButtonTextBesideIcon : Qt::ToolButtonIconOnly);
  }
  m_sortLabel->setVisible(wide && m_settings.mode != MapMode::TokenLayer);
}

QToolButton* MapToolBar::addMode(const QString& text, MapMode mode) {
  auto* button = new QToolButton;
  button->setText(text);
  button->setCheckable(true);
  button->setToolTip(tr("%1 (M: next)").arg(text));
  m_modes->addButton(button, static_cast<int>(mode));
  return button;
}

QToolButton* MapToolBar::addButton(const char* icon, const QString& text, const QString& toolTip) {
  auto* button = new QToolButton;
  button->setIcon(themeIcon(QString::fromLatin1(icon)));
  button->setText(text);
  button->setToolTip(toolTip);
  button->setAccessibleName(toolTip);
  button->setToolButtonStyle(text.isEmpty() ? Qt::ToolButtonIconOnly : Qt::ToolButtonTextBesideIcon);
  return button;
}

void MapToolBar::fillWindows() {
  for (const MapWindow& window : windows()) {
    switch (window.kind) {
      case MapWindow::Kind::WholeRun: m_window->addItem(tr("Whole run")); break;
      case MapWindow::Kind::Selection: m_window->addItem(tr("Selected tokens")); break;
      case MapWindow::Kind::Last: m_window->addItem(tr("Last %1 tokens").arg(window.tokens)); break;
      case MapWindow::Kind::Prefill: m_window->addItem(tr("Prompt (prefill)")); break;
      case MapWindow::Kind::Decode: m_window->addItem(tr("Generated (decode)")); break;
    }
  }
}

void MapToolBar::fillValues() {
  m_value->clear();
  switch (m_settings.mode) {
    case MapMode::LayerExpert:
      for (const auto value : kLoadValues)
        m_value->addItem(QString::fromStdString(label(value)), static_cast<int>(value));
      m_value->setCurrentIndex(m_value->findData(static_cast<int>(m_settings.loadValue)));
      return;
    case MapMode::TokenExpert:
      for (const auto value : kExpertValues)
        m_value->addItem(QString::fromStdString(label(value, m_settings.mode)), static_cast<int>(value));
      break;
    case MapMode::TokenLayer:
      for (const auto value : kLayerValues)
        m_value->addItem(QString::fromStdString(label(value, m_settings.mode)), static_cast<int>(value));
      break;
  }
  m_value->setCurrentIndex(m_value->findData(static_cast<int>(m_settings.tokenValue())));
}

void MapToolBar::enableValues() {
  if (m_settings.mode == MapMode::LayerExpert) return;
  for (int i = 0; i < m_value->count(); ++i) {
    const auto value = static_cast<figure::TokenValue>(m_value->itemData(i).toInt());
    enableItem(m_value, i, isRecorded(value, m_capture), tr("Not recorded at this capture level"));
  }
}

void MapToolBar::setRouters(const std::vector<RouterSpec>& routers) {
  const QSignalBlocker quiet(m_layer);
  m_layer->clear();
  for (const RouterSpec& router : routers) m_layer->addItem(routerHeading(router));
  m_layer->setCurrentIndex(m_settings.router);
}

void MapToolBar::setRun(trace::CaptureLevel capture, bool hasPhases, bool live) {
  m_capture = capture;
  enableValues();
  const auto all = windows();
  for (int i = 0; i < static_cast<int>(all.size()); ++i) {
    const auto kind = all[static_cast<std::size_t>(i)].kind;
    if (kind == MapWindow::Kind::Prefill || kind == MapWindow::Kind::Decode)
      enableItem(m_window, i, hasPhases, tr("This run has one phase only"));
  }
  setLive(live);
}

void MapToolBar::setLive(bool live) { m_follow->setEnabled(live); }

void MapToolBar::setSelectionEmpty(bool empty) {
  enableItem(m_window, 1, !empty, tr("Select tokens in the Tokens panel first"));
}

void MapToolBar::setFollowing(bool on) { m_follow->setChecked(on); }

void MapToolBar::setSettings(const MapSettings& settings) {
  const QSignalBlocker quietValue(m_value), quietWindow(m_window), quietLayer(m_layer), quietSort(m_sort);
  const bool otherColumns = settings.mode == MapMode::TokenExpert && settings.router != m_settings.router;
  if (settings.mode != m_settings.mode || otherColumns) m_sort->setCurrentIndex(kById);
  m_settings = settings;
  m_modes->button(static_cast<int>(settings.mode))->setChecked(true);
  fillValues();
  enableValues();
  m_layer->setCurrentIndex(settings.router);
  m_layer->setVisible(settings.mode == MapMode::TokenExpert);
  m_window->setVisible(settings.mode == MapMode::LayerExpert);
  const auto all = windows();
  for (int i = 0; i < static_cast<int>(all.size()); ++i) {
    if (all[static_cast<std::size_t>(i)] == settings.window) m_window->setCurrentIndex(i);
  }
  const bool sortable = settings.mode != MapMode::TokenLayer;
  m_sort->setVisible(sortable);
  m_sortLabel->setVisible(sortable && width() >= kWithTexts);
}

void MapToolBar::choose() {
  MapSettings settings = m_settings;
  settings.mode = static_cast<MapMode>(m_modes->checkedId());
  if (settings.mode == m_settings.mode) {
    const int value = m_value->currentData().toInt();
    switch (settings.mode) {
      case MapMode::LayerExpert: settings.loadValue = static_cast<figure::LoadValue>(value); break;
      case MapMode::TokenExpert: settings.expertValue = static_cast<figure::TokenValue>(value); break;
      case MapMode::TokenLayer: settings.layerValue = static_cast<figure::TokenValue>(value); break;
    }
    settings.router = std::max(0, m_layer->currentIndex());
    settings.window = windows()[static_cast<std::size_t>(std::max(0, m_window->currentIndex()))];
  }
  Q_EMIT settingsChanged(settings);
}

}  // namespace moescope::views
