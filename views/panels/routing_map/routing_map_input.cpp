// Mouse and keys of the routing map.
#include <QKeyEvent>

#include <algorithm>
#include <cmath>

#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/routing_map/routing_map_canvas.h"

namespace moescope::views {

namespace {

constexpr double kWheelZoom = 1.25, kKeyZoom = 1.25;
constexpr double kLogitPerPixel = 0.05, kFineFactor = 0.1;
constexpr float kClickReach = 3.0F;  // px that a click may move
constexpr double kWheelRows = 3.0;
constexpr double kSidewaysPixels = 60.0;

bool moved(const CanvasEvent& from, const CanvasEvent& to) {
  return std::abs(to.at.x - from.at.x) > kClickReach || std::abs(to.at.y - from.at.y) > kClickReach;
}

bool has(Qt::KeyboardModifiers modifiers, Qt::KeyboardModifier one) { return (modifiers & one) != 0; }

}  // namespace

void RoutingMapCanvas::press(const CanvasEvent& event) {
  m_zoom.settle();
  m_pressed = m_last = event;
  m_dragPixels = 0.0;
  if (event.button == Qt::MiddleButton || (event.button == Qt::LeftButton && m_spaceHeld)) {
    m_gesture = Gesture::Pan;
    return;
  }
  if (event.button != Qt::LeftButton) return;
  if (m_scene.colourBar.press(event)) {
    m_gesture = Gesture::ColourBar;
  } else if (event.region == "minimap") {
    m_gesture = Gesture::Minimap;
    scrollToMinimap(event.at);
  } else if (event.region.starts_with("token ") && event.at.x < m_scene.geometry.plot().x) {
    selectTokens(m_scene.geometry.nearestCell(event.at).row, has(event.modifiers, Qt::ShiftModifier));
  } else if (event.region.starts_with("layer ") && event.at.x < m_scene.geometry.plot().x) {
    m_context.selection().setRouter(m_scene.routerAt(m_scene.geometry.nearestCell(event.at)));
  } else {
    pressCell(event);
  }
}

void RoutingMapCanvas::pressCell(const CanvasEvent& event) {
  const auto cell = m_scene.geometry.cellAt(event.at);
  if (!cell) {
    // A click beside the data clears what is selected here.
    if (!has(event.modifiers, Qt::ControlModifier) && !has(event.modifiers, Qt::ShiftModifier)) {
      m_context.selection().setExperts({});
      m_context.selection().setTokens({});
    }
    return;
  }
  m_gesture = Gesture::Click;
}

void RoutingMapCanvas::move(const CanvasEvent& event) {
  const CanvasEvent before = m_last;
  m_last = event;
  switch (m_gesture) {
    case Gesture::None: {
      const auto cell = m_scene.geometry.cellAt(event.at);
      if (cell == m_scene.hover) return;
      m_scene.hover = cell;
      Q_EMIT hoverChanged();
      Q_EMIT changed();
      return;
    }
    case Gesture::Click: {
      if (!moved(m_pressed, event)) return;
      const MapCell cell = m_scene.geometry.nearestCell(m_pressed.at);
      const bool steers =
          m_scene.isSelected(cell) && m_scene.expertAt(cell) && m_pressed.modifiers == Qt::NoModifier;
      m_gesture = steers ? Gesture::Strength : Gesture::Box;
      if (steers) {
        m_actions.beginDrag(m_scene.experts);
        m_strengthY = m_pressed.at.y;
      }
      m_scene.hover.reset();
      move(event);
      return;
    }
    case Gesture::Box:
      m_scene.box = {m_scene.geometry.nearestCell(m_pressed.at), m_scene.geometry.nearestCell(event.at)};
      Q_EMIT changed();
      return;
    case Gesture::Strength: dragStrength(event); return;
    case Gesture::Pan:
      m_scene.geometry.panBy(before.at.x - event.at.x, before.at.y - event.at.y);
      scrolled();
      return;
    case Gesture::Minimap: scrollToMinimap(event.at); return;
    case Gesture::ColourBar:
      if (m_scene.colourBar.drag(event)) themeChanged();  // every colour anew
      return;
  }
}

void RoutingMapCanvas::dragStrength(const CanvasEvent& event) {
  if (!m_actions.dragging()) return;  // taken back with Esc
  // Each pixel counts as the modifiers were when it was passed.
  const double fine = has(event.modifiers, Qt::ShiftModifier) ? kFineFactor : 1.0;
  m_dragPixels += static_cast<double>(m_strengthY - event.at.y) * fine;
  m_strengthY = event.at.y;
  m_actions.dragTo(m_dragPixels * kLogitPerPixel);
  Q_EMIT changed();
}

void RoutingMapCanvas::release(const CanvasEvent& event) {
  const Gesture gesture = std::exchange(m_gesture, Gesture::None);
  m_last = event;
  switch (gesture) {
    case Gesture::Click: {
      m_gesture = Gesture::Click;  // the selection changes here: no scrolling to it
      selectCell(m_scene.geometry.nearestCell(m_pressed.at), m_pressed.modifiers);
      m_gesture = Gesture::None;
      break;
    }
    case Gesture::Box:
      m_scene.box.reset();
      m_gesture = Gesture::Box;
      selectBox(m_scene.geometry.nearestCell(m_pressed.at), m_scene.geometry.nearestCell(event.at),
                has(m_pressed.modifiers, Qt::ControlModifier));
      m_gesture = Gesture::None;
      break;
    case Gesture::Strength: m_actions.endDrag(); break;
    case Gesture::ColourBar: m_scene.colourBar.release(); break;
    default: break;
  }
  Q_EMIT changed();
}

void RoutingMapCanvas::doubleClick(const CanvasEvent& event) {
  if (m_scene.colourBar.doubleClick(event)) themeChanged();
}

void RoutingMapCanvas::leave() {
  if (!m_scene.hover) return;
  m_scene.hover.reset();
  Q_EMIT hoverChanged();
  Q_EMIT changed();
}

void RoutingMapCanvas::wheel(const CanvasEvent& event, QPointF steps) {
  MapGeometry& g = m_scene.geometry;
  const Rect plot = g.plot();
  const bool besides = event.region == "minimap" || event.at.x < plot.x;
  if (has(event.modifiers, Qt::ShiftModifier)) {
    m_zoom.settle();
    g.panBy(-(steps.y() + steps.x()) * kSidewaysPixels, 0.0);
  } else if (m_scene.tokenMode() && besides) {
    // Beside the cells the wheel scrolls, as in a list.
    m_zoom.settle();
    g.panBy(0.0, -steps.y() * kWheelRows * std::max(1.0, g.cellHeight()));
  } else {
    if (steps.x() != 0.0) g.panBy(-steps.x() * kSidewaysPixels, 0.0);
    const bool columnsToo = !m_scene.tokenMode() || has(event.modifiers, Qt::ControlModifier);
    m_zoom.start({std::pow(kWheelZoom, steps.y()), event.at, columnsToo, true});
    return;
  }
  m_scene.hover = g.cellAt(event.at);
  scrolled();
}

void RoutingMapCanvas::scrollToMinimap(Point at) {
  const Rect map = layoutOf(m_scene, m_area).minimap;
  if (map.height <= 0.0F) return;
  MapGeometry& g = m_scene.geometry;
  const double row = (at.y - map.y) / map.height * static_cast<double>(g.rows());
  g.setFirstRow(row - g.rowsInSight() / 2.0);
  scrolled();
}

void RoutingMapCanvas::contextMenu(const CanvasEvent& event) {
  auto cell = m_scene.geometry.cellAt(event.at);
  const bool inGutter =
      m_scene.tokenMode() && event.region.starts_with("token ") && event.at.x < m_scene.geometry.plot().x;
  if (inGutter) cell = m_scene.geometry.nearestCell(event.at);
  QPoint globalAt = event.globalAt;
  if (event.button != Qt::RightButton) {  // the Menu key is about the cursor
    cell = m_scene.cursor;
    if (!cell) return;
    const Rect rect = m_scene.geometry.rectOf(*cell);
    globalAt +=
        QPoint(static_cast<int>(rect.x + rect.width - event.at.x), static_cast<int>(rect.y - event.at.y));
  }
  if (!cell) return;
  m_scene.hover = cell;
  const bool keep = inGutter
                        ? cell->row >= m_scene.selectedTokens.begin && cell->row < m_scene.selectedTokens.end
                        : m_scene.isSelected(*cell);
  m_gesture = Gesture::Click;
  if (!keep && inGutter) selectTokens(cell->row, false);
  if (!keep && !inGutter) selectCell(*cell, Qt::NoModifier);
  m_gesture = Gesture::None;
  Q_EMIT menuRequested(globalAt, inGutter || m_scene.settings.mode == MapMode::TokenLayer);
}

void RoutingMapCanvas::selectTokens(std::int64_t token, bool extend) {
  const std::int64_t from = extend && m_anchor ? m_anchor->row : token;
  if (!extend || !m_anchor) m_anchor = MapCell{token, m_anchor ? m_anchor->column : 0};
  const Gesture gesture = std::exchange(m_gesture, Gesture::Click);
  m_context.selection().setTokens({std::min(from, token), std::max(from, token) + 1});
  m_gesture = gesture;
}

void RoutingMapCanvas::selectCell(MapCell cell, Qt::KeyboardModifiers modifiers) {
  SelectionModel& selection = m_context.selection();
  const auto expert = m_scene.expertAt(cell);
  m_scene.cursor = cell;
  if (has(modifiers, Qt::ShiftModifier) && m_anchor) {
    selectBox(*m_anchor, cell, false);
  } else if (has(modifiers, Qt::ControlModifier) && expert) {
    auto experts = selection.experts();
    if (experts.erase(*expert) == 0) experts.insert(*expert);
    selection.setExperts(std::move(experts));
    m_anchor = cell;
  } else {
    m_anchor = cell;
    selection.setRouter(m_scene.routerAt(cell));
    if (m_scene.tokenMode()) selection.setTokens({cell.row, cell.row + 1});
    if (expert) selection.setExperts({*expert});
  }
  Q_EMIT cursorChanged();
}

void RoutingMapCanvas::selectBox(MapCell from, MapCell to, bool add) {
  SelectionModel& selection = m_context.selection();
  const auto [firstRow, lastRow] = std::minmax(from.row, to.row);
  const auto [firstColumn, lastColumn] = std::minmax(from.column, to.column);
  m_scene.cursor = to;
  std::set<ExpertCell> experts;
  if (add) experts = selection.experts();
  const bool tokens = m_scene.tokenMode();
  for (std::int64_t row = firstRow; row <= (tokens ? firstRow : lastRow); ++row) {
    for (int column = firstColumn; column <= lastColumn; ++column) {
      if (const auto expert = m_scene.expertAt({row, column})) experts.insert(*expert);
    }
  }
  selection.setRouter(m_scene.routerAt(to));
  if (tokens) selection.setTokens({firstRow, lastRow + 1});
  if (m_scene.settings.mode != MapMode::TokenLayer) selection.setExperts(std::move(experts));
  Q_EMIT cursorChanged();
}

bool RoutingMapCanvas::moveCursor(const QKeyEvent& event) {
  const MapGeometry& g = m_scene.geometry;
  if (g.rows() == 0 || g.columns() == 0) return false;
  m_zoom.settle();
  const auto page = std::max<std::int64_t>(1, static_cast<std::int64_t>(g.rowsInSight()) - 1);
  MapCell cell = m_scene.cursor.value_or(g.nearestCell({g.plot().x, g.plot().y}));
  const bool first = !m_scene.cursor.has_value();
  const bool control = has(event.modifiers(), Qt::ControlModifier);
  switch (event.key()) {
    case Qt::Key_Left: --cell.column; break;
    case Qt::Key_Right: ++cell.column; break;
    case Qt::Key_Up: --cell.row; break;
    case Qt::Key_Down: ++cell.row; break;
    case Qt::Key_PageUp: cell.row -= page; break;
    case Qt::Key_PageDown: cell.row += page; break;
    case Qt::Key_Home:
      if (control) {
        cell.row = 0;
      } else {
        cell.column = 0;
      }
      break;
    case Qt::Key_End:
      if (control) {
        cell.row = g.rows() - 1;
      } else {
        cell.column = g.columns() - 1;
      }
      break;
    default: return false;
  }
  // The first arrow shows where the cursor is.
  const bool arrow = event.key() >= Qt::Key_Left && event.key() <= Qt::Key_Down;
  if (first && arrow) cell = g.nearestCell({g.plot().x, g.plot().y});
  cell.row = std::clamp<std::int64_t>(cell.row, 0, g.rows() - 1);
  cell.column = std::clamp(cell.column, 0, g.columns() - 1);
  const Gesture gesture = std::exchange(m_gesture, Gesture::Click);
  selectCell(cell, event.modifiers() & Qt::ShiftModifier);
  m_gesture = gesture;
  m_scene.geometry.reveal(cell);
  scrolled();
  return true;
}

bool RoutingMapCanvas::key(const QKeyEvent& event) {
  if (event.key() == Qt::Key_Escape && m_gesture == Gesture::Strength && m_actions.dragging()) {
    m_actions.takeBackDrag();
    Q_EMIT changed();
    return true;
  }
  if (event.key() == Qt::Key_Escape && m_gesture == Gesture::Box) {
    m_gesture = Gesture::None;
    m_scene.box.reset();
    Q_EMIT changed();
    return true;
  }
  if (has(event.modifiers(), Qt::ControlModifier)) {
    switch (event.key()) {
      case Qt::Key_Plus:
      case Qt::Key_Equal: zoomBy(kKeyZoom); return true;
      case Qt::Key_Minus: zoomBy(1.0 / kKeyZoom); return true;
      case Qt::Key_C: Q_EMIT copyRequested(); return true;
      default: return moveCursor(event);
    }
  }
  if (has(event.modifiers(), Qt::AltModifier)) return false;
  if (moveCursor(event) || m_actions.key(event, m_scene.experts)) return true;
  switch (event.key()) {
    case Qt::Key_BracketLeft: Q_EMIT layerRequested(-1); return true;
    case Qt::Key_BracketRight: Q_EMIT layerRequested(1); return true;
    case Qt::Key_M: Q_EMIT modeRequested(); return true;
    case Qt::Key_F: fit(); return true;
    case Qt::Key_L: setFollowing(!m_following); return true;
    case Qt::Key_Space: m_spaceHeld = true; return true;
    default: return false;
  }
}

}  // namespace moescope::views
