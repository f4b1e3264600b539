#include "views/api/sample_line.h"

#include <QPainter>

#include <algorithm>

#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr int kHeight = 24;
constexpr int kPadding = 12;
constexpr int kLeastGap = 16;

}  // namespace

SampleLine::SampleLine(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
}

QSize SampleLine::sizeHint() const {
  return {200, std::max(kHeight, QFontMetrics(Theme::current().font(FontSize::Small)).height() + 8)};
}

void SampleLine::setSample(const QString& sample, const QString& runName, const QString& baseline) {
  if (sample == m_sample && runName == m_runName && baseline == m_baseline) return;
  m_sample = sample;
  m_runName = runName;
  m_baseline = baseline;
  setAccessibleName(sample + QStringLiteral(", ") + baseline);
  setToolTip(sample + QLatin1Char('\n') + baseline);
  update();
}

void SampleLine::setStale(bool stale) {
  if (m_stale == stale) return;
  m_stale = stale;
  update();
}

void SampleLine::paintEvent(QPaintEvent*) {
  const Theme& theme = Theme::current();
  QPainter painter(this);
  painter.setFont(theme.font(FontSize::Small));
  const QFontMetrics metrics = painter.fontMetrics();
  const QRect area = rect().adjusted(kPadding, 0, -kPadding, 0);
  const QColor rest = theme.colour(m_stale ? ColourRole::Text3 : ColourRole::Text2);
  painter.setPen(rest);
  painter.drawText(area, Qt::AlignRight | Qt::AlignVCenter, m_baseline);
  const int room = area.width() - metrics.horizontalAdvance(m_baseline) - kLeastGap;
  const QString left = metrics.elidedText(m_sample, Qt::ElideRight, std::max(0, room));
  // "Run NAME · …": the name in the colour of text, the rest quieter.
  const QString head = QStringLiteral("Run ");
  const bool named = !m_runName.isEmpty() && left.startsWith(head + m_runName);
  int x = area.left();
  const auto draw = [&](const QString& text, const QColor& colour) {
    painter.setPen(colour);
    painter.drawText(QRect(x, area.top(), area.width(), area.height()), Qt::AlignLeft | Qt::AlignVCenter,
                     text);
    x += metrics.horizontalAdvance(text);
  };
  if (!named) {
    draw(left, rest);
    return;
  }
  draw(head, rest);
  draw(m_runName, m_stale ? rest : theme.colour(ColourRole::Text));
  draw(left.mid(head.size() + m_runName.size()), rest);
}

}  // namespace moescope::views
