#include "views/panels/routing_map/routing_map_canvas.h"

#include <algorithm>

#include "core/figure/number_text.h"
#include "views/api/selection_model.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"

namespace moescope::views {

namespace {

constexpr double kTokenRow = 16.0;  // px
constexpr double kMargin = 0.5;     // screens above and below that a picture covers
constexpr float kPlate = 22.0F;     // height of the plate with the live value

}  // namespace

RoutingMapCanvas::RoutingMapCanvas(ViewContext& context, ExpertActions& actions, QObject* parent)
    : QObject(parent), m_context(context), m_actions(actions) {
  auto& selection = context.selection();
  connect(&selection, &SelectionModel::tokensChanged, this, &RoutingMapCanvas::followSelection);
  connect(&selection, &SelectionModel::expertsChanged, this, &RoutingMapCanvas::followSelection);
  connect(&selection, &SelectionModel::routerChanged, this, &RoutingMapCanvas::followSelection);
  followSelection();
}

void RoutingMapCanvas::setRun(std::vector<RouterSpec> routers, std::vector<trace::TokenRange> prompts) {
  const bool other = routers != m_scene.routers;
  m_scene.routers = std::move(routers);
  m_scene.prompts = std::move(prompts);
  if (other) {
    m_scene.order.clear();
    m_anchor.reset();
    m_scene.cursor.reset();
  }
  setSettings(m_scene.settings);
}

void RoutingMapCanvas::setSettings(const MapSettings& settings) {
  const bool otherMap = settings.mode != m_scene.settings.mode;
  const bool otherColumns =
      otherMap || (settings.mode == MapMode::TokenExpert && settings.router != m_scene.settings.router);
  m_scene.settings = settings;
  if (otherMap) {
    m_scene.tokens.reset();  // their columns are others
    m_scene.overview.reset();
    m_scene.hover.reset();
    m_scene.cursor.reset();
    m_anchor.reset();
    m_scene.geometry = MapGeometry{};
    m_scene.geometry.setLimits(m_scene.tokenMode() ? MapGeometry::Limits{40.0, kTokenRow, 64.0, 48.0}
                                                   : MapGeometry::Limits{});
    if (m_scene.tokenMode()) m_scene.geometry.fitColumns(kTokenRow);
    m_scene.geometry.setPlot(layoutOf(m_scene, m_area).plot);
  }
  if (otherColumns) m_scene.order.clear();
  if (!m_scene.tokenMode()) {
    int experts = 0;
    for (const RouterSpec& router : m_scene.routers) experts = std::max(experts, router.experts);
    m_scene.geometry.setContent(static_cast<std::int64_t>(m_scene.routers.size()), experts);
  } else {
    setTokenCount(m_scene.geometry.rows(), m_scene.live);
  }
  rescale();
  Q_EMIT changed();
}

void RoutingMapCanvas::setTokenCount(std::int64_t tokens, bool live) {
  m_scene.live = live;
  if (!m_scene.tokenMode()) return;
  const auto router = static_cast<std::size_t>(m_scene.settings.router);
  const bool layers = m_scene.settings.mode == MapMode::TokenLayer;
  const int columns = layers ? static_cast<int>(m_scene.routers.size())
                             : (router < m_scene.routers.size() ? m_scene.routers[router].experts : 0);
  m_scene.geometry.setContent(tokens, columns);
  if (m_following && live) m_scene.geometry.showEnd();
  Q_EMIT viewChanged();
  Q_EMIT changed();
}

void RoutingMapCanvas::setMarks(figure::SteeringMarks marks, steering::SteeringProgram program,
                                std::vector<std::int64_t> ruleChanges) {
  m_scene.marks = std::move(marks);
  m_scene.program = std::move(program);
  m_scene.ruleChanges = std::move(ruleChanges);
  Q_EMIT changed();
}

void RoutingMapCanvas::rescale() {
  const bool known = !m_scene.colourBar.dataScale().label.empty();
  const figure::ColourScale last = m_scene.colourBar.dataScale();
  m_scene.colourBar.setScale(automaticScale(m_scene, known ? &last : nullptr));
  m_textures.map.forget();
  m_textures.minimap.forget();
}

void RoutingMapCanvas::showLayers(std::shared_ptr<const LayerPicture> picture) {
  m_scene.layers = std::move(picture);
  rescale();
  Q_EMIT changed();
}

void RoutingMapCanvas::showTokens(std::shared_ptr<const TokenPicture> picture) {
  m_scene.tokens = std::move(picture);
  rescale();
  Q_EMIT changed();
}

void RoutingMapCanvas::showOverview(std::shared_ptr<const TokenPicture> picture) {
  m_scene.overview = std::move(picture);
  m_textures.minimap.forget();
  Q_EMIT changed();
}

void RoutingMapCanvas::showDetail(MapCell cell, CellDetail detail) {
  m_detail = {cell, std::move(detail)};
  Q_EMIT changed();  // a tool tip that is shown follows the frame
}

void RoutingMapCanvas::sortBy(const std::vector<trace::LoadSummary>& loads) {
  if (loads.empty()) {
    m_scene.order.clear();
  } else {
    m_scene.order.sort(loads);
  }
  m_textures.map.forget();
  m_textures.minimap.forget();
  Q_EMIT changed();
}

void RoutingMapCanvas::clearData() {
  m_scene.layers.reset();
  m_scene.tokens.reset();
  m_scene.overview.reset();
  m_scene.hover.reset();
  m_detail.reset();
  Q_EMIT changed();
}

void RoutingMapCanvas::themeChanged() {
  m_textures.map.forget();
  m_textures.minimap.forget();
  Q_EMIT changed();
}

void RoutingMapCanvas::followSelection() {
  const SelectionModel& selection = m_context.selection();
  const bool otherTokens = selection.tokens() != m_scene.selectedTokens;
  m_scene.experts = selection.experts();
  m_scene.selectedTokens = selection.tokens();
  m_scene.lookedAt = selection.router();
  // A token chosen in another panel comes into sight; a gesture here has it in sight already.
  if (otherTokens && m_scene.tokenMode() && m_gesture == Gesture::None && m_scene.selectedTokens.size() > 0) {
    const std::int64_t token = m_scene.selectedTokens.begin;
    const MapGeometry& g = m_scene.geometry;
    if (token < g.beginRow() || token + 1 > g.beginRow() + static_cast<std::int64_t>(g.rowsInSight())) {
      m_scene.geometry.setFirstRow(static_cast<double>(token) - g.rowsInSight() / 2.0);
      scrolled();
    }
  }
  Q_EMIT changed();
}

void RoutingMapCanvas::scrolled() {
  if (m_following && m_scene.live && m_scene.tokenMode() && !m_scene.geometry.atEnd()) setFollowing(false);
  Q_EMIT viewChanged();
  Q_EMIT changed();
}

void RoutingMapCanvas::setFollowing(bool on) {
  if (on && m_scene.tokenMode()) m_scene.geometry.showEnd();
  if (on != m_following) {
    m_following = on;
    m_leftAt = m_scene.geometry.rows();
    Q_EMIT followingChanged();
  }
  Q_EMIT viewChanged();
  Q_EMIT changed();
}

std::int64_t RoutingMapCanvas::newTokens() const {
  return m_following || !m_scene.tokenMode() ? 0
                                             : std::max<std::int64_t>(0, m_scene.geometry.rows() - m_leftAt);
}

void RoutingMapCanvas::fit() {
  m_zoom.settle();
  m_scene.geometry.fit();
  scrolled();
}

void RoutingMapCanvas::zoomBy(double factor) {
  const Rect plot = m_scene.geometry.plot();
  const Point about{plot.x + plot.width / 2.0F, plot.y + plot.height / 2.0F};
  m_zoom.start({factor, about, !m_scene.tokenMode(), false});
}

void RoutingMapCanvas::zoomStep(const ZoomStep& step) {
  MapGeometry& g = m_scene.geometry;
  g.zoom(step.factor, step.about, step.columnsToo);
  if (step.atPointer) {
    m_scene.hover = g.cellAt(step.about);
  } else if (m_following && m_scene.live && m_scene.tokenMode()) {
    g.showEnd();
  }
  scrolled();
}

std::int64_t RoutingMapCanvas::wantedStep() const {
  // At least one pixel a row of the picture, and a power of two so that rows stay what they are.
  std::int64_t step = 1;
  while (static_cast<double>(step) * m_scene.geometry.cellHeight() < 1.0) step *= 2;
  return step;
}

trace::TokenRange RoutingMapCanvas::wantedTokens() const {
  const MapGeometry& g = m_scene.geometry;
  const auto margin = static_cast<std::int64_t>(g.rowsInSight() * kMargin) + 1;
  return {std::max<std::int64_t>(0, g.beginRow() - margin), std::min(g.rows(), g.endRow() + margin)};
}

std::optional<MapCell> RoutingMapCanvas::activeCell() const {
  return m_scene.hover ? m_scene.hover : m_scene.cursor;
}

void RoutingMapCanvas::build(Rect area, CanvasPainter& painter) {
  const bool resized = area.width != m_area.width || area.height != m_area.height;
  m_area = area;
  painter.fillRect(area, Theme::current().paint(ColourRole::Canvas));
  if (resized) {
    m_scene.geometry.setPlot(layoutOf(m_scene, area).plot);
    if (m_scene.tokenMode() && m_following && m_scene.live) m_scene.geometry.showEnd();
    // Other rows may be in sight now; asked for after the frame.
    QMetaObject::invokeMethod(this, &RoutingMapCanvas::viewChanged, Qt::QueuedConnection);
  }
  if (m_scene.tokenMode()) {
    paintTokenMap(m_scene, m_textures, area, painter);
  } else {
    paintLayerMap(m_scene, m_textures, area, painter);
  }
  paintStrength(painter);
}

void RoutingMapCanvas::paintStrength(CanvasPainter& painter) const {
  if (m_gesture != Gesture::Strength || !m_actions.dragging()) return;
  const Theme& theme = Theme::current();
  const double value = m_actions.draggedStrength();
  const std::string text = std::string(value > 0.0 ? "+" : "") + figure::decimalText(value, 3) + " logit";
  const float width = painter.textWidth(text, FontRole::Body) + 16.0F;
  const float x = std::min(m_last.at.x + 14.0F, m_area.x + m_area.width - width - 4.0F);
  const Rect plate{x, m_last.at.y - kPlate / 2.0F, width, kPlate};
  painter.fillRect(plate, theme.paint(ColourRole::Control));
  painter.strokeRect(plate, theme.paint(ColourRole::Border), 1.0F);
  painter.text({plate.x + 8.0F, m_last.at.y}, text, theme.paint(ColourRole::Text), FontRole::Body);
}

void RoutingMapCanvas::focusChanged(bool hasFocus) {
  m_scene.hasFocus = hasFocus;
  m_spaceHeld = false;
  Q_EMIT changed();
}

std::optional<ToolTipContent> RoutingMapCanvas::toolTip(const CanvasEvent& event) {
  if (m_gesture != Gesture::None) return std::nullopt;
  const auto cell = m_scene.geometry.cellAt(event.at);
  if (!cell) return std::nullopt;
  const CellDetail* detail = m_detail && m_detail->first == *cell ? &m_detail->second : nullptr;
  return mapToolTip(m_scene, *cell, detail);
}

}  // namespace moescope::views
