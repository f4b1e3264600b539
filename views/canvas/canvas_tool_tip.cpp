#include "views/canvas/canvas_tool_tip.h"

#include <QFontMetrics>
#include <QGuiApplication>
#include <QPainter>
#include <QScreen>

#include <algorithm>

#include "views/api/theme.h"
#include "views/theme/theme_paint.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 10, kTagPadding = 6, kColumnGap = 16, kLineGap = 6;
constexpr int kBarWidth = 56, kBarHeight = 6, kBarGap = 8;
constexpr int kDistance = 12;
constexpr int kLongestValue = 420;

QFont heading() { return Theme::current().font(FontSize::Title); }
QFont body() { return Theme::current().font(FontSize::Body); }
QFont small() { return Theme::current().font(FontSize::Small); }
QFont valueFont(const ToolTipContent::Row& row) {
  return row.mono ? Theme::current().mono(FontSize::Small) : body();
}

}  // namespace

QPoint toolTipPosition(const QSize& size, const QRect& clearOf, const QRect& screen) {
  const QRect around = clearOf.adjusted(-kDistance, -kDistance, kDistance, kDistance);
  const QPoint candidates[] = {{around.right() + 1, clearOf.top() - size.height() / 2},
                               {around.left() - size.width(), clearOf.top() - size.height() / 2},
                               {clearOf.center().x() - size.width() / 2, around.bottom() + 1},
                               {clearOf.center().x() - size.width() / 2, around.top() - size.height()}};
  const auto inside = [&](QPoint at) {
    return QPoint(
        std::clamp(at.x(), screen.left(), std::max(screen.left(), screen.right() + 1 - size.width())),
        std::clamp(at.y(), screen.top(), std::max(screen.top(), screen.bottom() + 1 - size.height())));
  };
  for (const QPoint candidate : candidates) {
    const QPoint at = inside(candidate);
    if (!QRect(at, size).intersects(clearOf)) return at;
  }
  return inside(candidates[0]);  // what it speaks of fills the screen
}

CanvasToolTip::CanvasToolTip(QWidget* parent) : QWidget(parent, Qt::ToolTip) {
  setAttribute(Qt::WA_ShowWithoutActivating);
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setFocusPolicy(Qt::NoFocus);
}

CanvasToolTip::Layout CanvasToolTip::measure() const {
  Layout layout;
  layout.headingHeight = QFontMetrics(heading()).height() + 2;
  layout.rowHeight = QFontMetrics(body()).height();
  if (!m_content.tag.isEmpty())
    layout.tagWidth = QFontMetrics(small()).horizontalAdvance(m_content.tag) + 2 * kTagPadding;
  for (const auto& row : m_content.rows) {
    layout.labelWidth = std::max(layout.labelWidth, QFontMetrics(body()).horizontalAdvance(row.label));
    const int bar = row.bar >= 0 ? kBarWidth + kBarGap : 0;
    layout.valueWidth =
        std::max(layout.valueWidth,
                 bar + std::min(kLongestValue, QFontMetrics(valueFont(row)).horizontalAdvance(row.value)));
  }
  return layout;
}

void CanvasToolTip::showContent(const ToolTipContent& content, const QRect& clearOf) {
  m_content = content;
  const Layout layout = measure();
  const int head = QFontMetrics(heading()).horizontalAdvance(content.heading) +
                   (layout.tagWidth > 0 ? kBarGap + layout.tagWidth : 0);
  const int rows = layout.labelWidth + (layout.labelWidth > 0 ? kColumnGap : 0) + layout.valueWidth;
  const QFontMetrics foot(small());
  const int width = std::max({head, content.rows.empty() ? 0 : rows, foot.horizontalAdvance(content.footer)});
  int height = 2 * kPadding + layout.headingHeight;
  if (!content.rows.empty()) height += kLineGap + static_cast<int>(content.rows.size()) * layout.rowHeight;
  if (!content.footer.isEmpty()) height += kLineGap + foot.height();
  const QSize size(width + 2 * kPadding, height);
  const QScreen* screen = QGuiApplication::screenAt(clearOf.center());
  if (screen == nullptr) screen = QGuiApplication::primaryScreen();
  setGeometry(QRect(toolTipPosition(size, clearOf, screen->availableGeometry()), size));
  show();
  update();
}

void CanvasToolTip::paintEvent(QPaintEvent*) {
  const Theme& theme = Theme::current();
  const Layout layout = measure();
  QPainter painter(this);
  painter.fillRect(rect(), theme.colour(ColourRole::Control));
  painter.setPen(theme.colour(ColourRole::Border));
  painter.drawRect(rect().adjusted(0, 0, -1, -1));

  int y = kPadding;
  painter.setFont(heading());
  painter.setPen(theme.colour(ColourRole::Text));
  painter.drawText(QRect(kPadding, y, width(), layout.headingHeight), Qt::AlignVCenter | Qt::TextSingleLine,
                   m_content.heading);
  if (layout.tagWidth > 0) {
    const QRect tag(kPadding + QFontMetrics(heading()).horizontalAdvance(m_content.heading) + kBarGap, y,
                    layout.tagWidth, layout.headingHeight);
    drawBox(painter, tag, {}, theme.colour(ColourRole::Accent));
    painter.setFont(small());
    painter.setPen(theme.colour(ColourRole::Accent));
    painter.drawText(tag, Qt::AlignCenter | Qt::TextSingleLine, m_content.tag);
  }
  y += layout.headingHeight + kLineGap;
  const int valueLeft = kPadding + layout.labelWidth + (layout.labelWidth > 0 ? kColumnGap : 0);
  for (const auto& row : m_content.rows) {
    painter.setFont(body());
    painter.setPen(theme.colour(ColourRole::Text2));
    painter.drawText(QRect(kPadding, y, layout.labelWidth + 1, layout.rowHeight),
                     Qt::AlignVCenter | Qt::TextSingleLine, row.label);
    int left = valueLeft;
    if (row.bar >= 0) {
      QRect bar(left, y + (layout.rowHeight - kBarHeight) / 2, kBarWidth, kBarHeight);
      painter.fillRect(bar, theme.colour(ColourRole::Track));
      bar.setWidth(qRound(kBarWidth * std::clamp(row.bar, 0.0, 1.0)));
      painter.fillRect(bar, theme.colour(ColourRole::Text2));
      left += kBarWidth + kBarGap;
    }
    painter.setFont(valueFont(row));
    painter.setPen(theme.colour(ColourRole::Text));
    const int room = width() - kPadding - left;
    painter.drawText(QRect(left, y, room + 2, layout.rowHeight), Qt::AlignVCenter | Qt::TextSingleLine,
                     painter.fontMetrics().elidedText(row.value, Qt::ElideRight, room + 2));
    y += layout.rowHeight;
  }
  if (m_content.footer.isEmpty()) return;
  painter.setFont(small());
  painter.setPen(theme.colour(ColourRole::Text2));
  painter.drawText(QRect(kPadding, height() - kPadding - painter.fontMetrics().height(),
                         width() - 2 * kPadding, painter.fontMetrics().height()),
                   Qt::AlignVCenter | Qt::TextSingleLine, m_content.footer);
}

}  // namespace moescope::views
