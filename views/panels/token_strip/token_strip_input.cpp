// Mouse and keys of the token strip.
#include <QKeyEvent>

#include <algorithm>
#include <cmath>

#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/token_strip/token_strip_canvas.h"

namespace moescope::views {

namespace {

constexpr double kWheelLines = 2.0;

}  // namespace

std::optional<std::int64_t> TokenStripCanvas::tokenAt(Point at) const {
  if (!m_text || m_layout.lines() == 0) return std::nullopt;
  const float y = at.y - m_area.y - StripLayout::kTop + m_scroll;
  const auto line = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(std::floor(y / StripLayout::kLinePitch)), 0, m_layout.lines() - 1);
  std::optional<std::int64_t> nearest;
  for (const StripLayout::Box& box : m_layout.boxes(line)) {
    nearest = box.token;
    if (at.x < rectOf(box).x + box.width + StripLayout::kGap) break;
  }
  return nearest;
}

std::optional<std::int64_t> TokenStripCanvas::regionToken(const CanvasEvent& event) const {
  return event.region.starts_with("token ") ? tokenAt(event.at) : std::nullopt;
}

void TokenStripCanvas::press(const CanvasEvent& event) {
  if (event.button != Qt::LeftButton) return;
  const auto token = regionToken(event);
  if (!token) {
    m_context.selection().setTokens({});
    return;
  }
  m_selecting = true;
  select(*token, (event.modifiers & Qt::ShiftModifier) != 0);
}

void TokenStripCanvas::move(const CanvasEvent& event) {
  if (m_selecting) {
    if (const auto token = tokenAt(event.at)) select(*token, true);
    return;
  }
  const auto token = regionToken(event);
  if (token == m_hover) return;
  m_hover = token;
  Q_EMIT hoverChanged();
  Q_EMIT changed();
}

void TokenStripCanvas::release(const CanvasEvent&) { m_selecting = false; }

void TokenStripCanvas::leave() {
  if (!m_hover) return;
  m_hover.reset();
  Q_EMIT hoverChanged();
  Q_EMIT changed();
}

void TokenStripCanvas::wheel(const CanvasEvent&, QPointF steps) {
  scrollTo(m_scroll - static_cast<float>(steps.y() * kWheelLines) * StripLayout::kLinePitch, true);
}

void TokenStripCanvas::contextMenu(const CanvasEvent& event) {
  const auto token = event.button == Qt::RightButton ? regionToken(event) : m_cursor;
  if (!token) return;
  const trace::TokenRange selected = m_context.selection().tokens();
  if (*token < selected.begin || *token >= selected.end) select(*token, false);
  QPoint at = event.globalAt;
  const auto box = m_layout.boxOf(*token);
  if (event.button != Qt::RightButton && box) {
    const Rect rect = rectOf(*box);
    at += QPoint(static_cast<int>(rect.x - event.at.x), static_cast<int>(rect.y + rect.height - event.at.y));
  }
  Q_EMIT menuRequested(at);
}

void TokenStripCanvas::select(std::int64_t token, bool extend) {
  if (!extend || !m_anchor) m_anchor = token;
  m_cursor = token;
  const bool selecting = std::exchange(m_selecting, true);  // what is clicked is in sight
  m_context.selection().setTokens({std::min(*m_anchor, token), std::max(*m_anchor, token) + 1});
  m_selecting = selecting;
  Q_EMIT changed();
}

void TokenStripCanvas::reveal(std::int64_t token) {
  const auto top = StripLayout::kTop + static_cast<float>(m_layout.lineOf(token)) * StripLayout::kLinePitch;
  if (top < m_scroll + StripLayout::kTop) scrollTo(top - StripLayout::kTop, true);
  if (top + StripLayout::kBoxHeight > m_scroll + m_area.height)
    scrollTo(top + StripLayout::kBoxHeight + StripLayout::kTop - m_area.height, true);
}

void TokenStripCanvas::followSelection() {
  const trace::TokenRange selected = m_context.selection().tokens();
  if (!m_selecting && selected.size() > 0 && m_layout.lines() > 0) {
    m_anchor = m_cursor = selected.begin;
    reveal(selected.begin);
  }
  Q_EMIT changed();
}

bool TokenStripCanvas::key(const QKeyEvent& event) {
  if (!m_text || m_text->size() == 0) return false;
  const bool control = (event.modifiers() & Qt::ControlModifier) != 0;
  if (control && event.key() == Qt::Key_C) {
    Q_EMIT copyRequested();
    return true;
  }
  if (event.key() == Qt::Key_L && event.modifiers() == Qt::NoModifier) {
    setFollowing(!m_following);
    return true;
  }
  const std::int64_t last = m_text->size() - 1;
  std::int64_t token = std::min(m_cursor.value_or(tokensInSight().begin), last);
  const auto page =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(m_area.height / StripLayout::kLinePitch) - 1);
  const auto byLines = [&](std::int64_t lines) {
    const auto box = m_layout.boxOf(token);
    const std::int64_t line =
        std::clamp<std::int64_t>(m_layout.lineOf(token) + lines, 0, m_layout.lines() - 1);
    std::int64_t nearest = token;
    for (const StripLayout::Box& other : m_layout.boxes(line)) {
      nearest = other.token;
      if (box && other.left + other.width > box->left + box->width / 2.0F) break;
    }
    return nearest;
  };
  if (m_cursor) {
    switch (event.key()) {
      case Qt::Key_Left: --token; break;
      case Qt::Key_Right: ++token; break;
      case Qt::Key_Up: token = byLines(-1); break;
      case Qt::Key_Down: token = byLines(1); break;
      case Qt::Key_PageUp: token = byLines(-page); break;
      case Qt::Key_PageDown: token = byLines(page); break;
      case Qt::Key_Home: token = control ? 0 : m_layout.tokensOf(m_layout.lineOf(token)).begin; break;
      case Qt::Key_End: token = control ? last : m_layout.tokensOf(m_layout.lineOf(token)).end - 1; break;
      default: return false;
    }
  } else if (event.key() < Qt::Key_Home || event.key() > Qt::Key_PageDown) {
    return false;
  }
  token = std::clamp<std::int64_t>(token, 0, last);
  select(token, (event.modifiers() & Qt::ShiftModifier) != 0);
  reveal(token);
  return true;
}

}  // namespace moescope::views
