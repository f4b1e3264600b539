#include "views/panels/token_strip/strip_legend.h"

#include <QPainter>

#include <cmath>

#include "core/figure/colour_map.h"
#include "core/figure/number_text.h"
#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr int kBarWidth = 120, kBarHeight = 8;
constexpr int kSwatch = 10, kGap = 6;
constexpr int kCategories = 7;

QString endText(double value) {
  return QString::fromStdString(figure::decimalText(value, value == std::round(value) ? 0 : 2));
}

}  // namespace

StripLegend::StripLegend(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

QSize StripLegend::sizeHint() const { return {230, 22}; }

void StripLegend::setLegend(const StripSettings& settings, const std::vector<RouterSpec>& routers) {
  m_settings = settings;
  m_scale = stripScale(settings, routers);
  update();
}

void StripLegend::paintEvent(QPaintEvent*) {
  const Theme& theme = Theme::current();
  QPainter painter(this);
  painter.setFont(theme.font(FontSize::Small));
  const QFontMetrics metrics = painter.fontMetrics();
  const int middle = height() / 2;
  int x = 0;
  const auto word = [&](const QString& text) {
    painter.setPen(theme.colour(ColourRole::Text2));
    painter.drawText(QRect(x, 0, width(), height()), Qt::AlignVCenter | Qt::AlignLeft, text);
    x += metrics.horizontalAdvance(text) + kGap;
  };
  const auto swatch = [&](const QColor& colour) {
    painter.fillRect(x, middle - kSwatch / 2, kSwatch, kSwatch, colour);
    painter.setPen(theme.colour(ColourRole::Border));
    painter.drawRect(x, middle - kSwatch / 2, kSwatch, kSwatch);
    x += kSwatch + kGap;
  };
  switch (m_settings.value) {
    case StripValue::None: return;
    case StripValue::Phase:
      swatch(theme.colour(ColourRole::ControlHover));
      word(tr("prompt (prefill)"));
      swatch(theme.colour(ColourRole::Empty));
      word(tr("generated (decode)"));
      return;
    case StripValue::TopExpert:
      for (int i = 0; i < kCategories; ++i) {
        const figure::Rgb c = figure::categoryColour(i, theme.data());
        painter.fillRect(x, middle - kSwatch / 2, kSwatch, kSwatch, QColor(c[0], c[1], c[2]));
        x += kSwatch + 1;
      }
      x += kGap;
      word(tr("E0 to E6, then again"));
      return;
    case StripValue::Entropy:
    case StripValue::LogProbability: break;
  }
  word(endText(m_scale.min));
  const auto table = figure::colourTable(m_scale.map, theme.data());
  for (int i = 0; i < kBarWidth; ++i) {
    const figure::Rgb& c = table[static_cast<std::size_t>(i * 255 / (kBarWidth - 1))];
    painter.fillRect(x + i, middle - kBarHeight / 2, 1, kBarHeight, QColor(c[0], c[1], c[2]));
  }
  x += kBarWidth + kGap;
  word(endText(m_scale.max) + QStringLiteral("\u2009nat"));
}

}  // namespace moescope::views
