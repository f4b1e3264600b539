#include "views/panels/expert_load/load_course_canvas.h"

#include <QKeyEvent>

#include <algorithm>
#include <cmath>

#include "core/figure/number_text.h"
#include "views/api/cell_marks.h"
#include "views/api/plot_area.h"
#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr int kMostTicks = 3;
constexpr float kCaption = 12.0F;
constexpr float kDash = 4.0F, kGap = 3.0F;
constexpr float kLineWidth = 1.5F;
constexpr float kShownBar = 3.0F;
constexpr float kMarker = 5.0F;
constexpr float kNameAbove = 9.0F, kNameHeight = 13.0F;

Colour paint(ColourRole role) { return Theme::current().paint(role); }

QString qt(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

void LoadCourseCanvas::setPicture(std::shared_ptr<const LoadPicture> picture, analysis::LoadMeasure measure,
                                  std::int64_t courseTokens, bool live) {
  m_picture = std::move(picture);
  m_measure = measure;
  m_courseTokens = courseTokens;
  m_live = live;
  m_hovered.reset();
  if (line() == nullptr || (m_cursor && *m_cursor >= line()->y.size())) m_cursor.reset();
  Q_EMIT changed();
}

const figure::Line* LoadCourseCanvas::line() const {
  return m_picture && m_picture->course && !m_picture->course->lines.empty()
             ? &m_picture->course->lines.front()
             : nullptr;
}

void LoadCourseCanvas::build(Rect area, CanvasPainter& painter) {
  m_area = area;
  painter.fillRect(area, paint(ColourRole::Canvas));
  if (!m_picture) return;
  const Point middle{area.x + area.width / 2.0F, area.y + area.height / 2.0F};
  if (line() == nullptr) {
    const std::int64_t tokens = m_picture->course ? 0 : m_picture->load.tokens;
    const std::string needs = "The course needs " + figure::countText(m_courseTokens) + " tokens";
    painter.text({middle.x, middle.y - 8.0F}, needs, paint(ColourRole::Text2), FontRole::Small,
                 Align::Centre);
    painter.text({middle.x, middle.y + 8.0F}, tokens < m_courseTokens ? "Choose a shorter window." : "",
                 paint(ColourRole::Text2), FontRole::Small, Align::Centre);
  } else {
    const figure::FigureSpec& spec = *m_picture->course;
    const PlotArea plot = plotArea(area, spec.x, spec.y);
    drawYAxis(painter, plot, spec.y, kMostTicks);
    drawShownTokens(painter, plot);
    drawReferences(painter, plot);
    drawLine(painter, plot);
    drawReferenceNames(painter, plot);
    drawPoint(painter, plot);
    const float below = plot.frame.y + plot.frame.height + kCaption;
    painter.text({plot.frame.x, below}, spec.y.label, paint(ColourRole::Text2), FontRole::Small);
    painter.text({plot.frame.x + plot.frame.width, below},
                 m_live ? "now" : figure::countText(static_cast<std::int64_t>(spec.x.max) - 1),
                 paint(ColourRole::Text2), FontRole::Small, Align::Right);
    painter.hitRegion(plot.frame, "course");
  }
}

void LoadCourseCanvas::drawShownTokens(CanvasPainter& painter, const PlotArea& plot) const {
  const trace::TokenRange tokens = m_picture->tokens;
  const float left = plot.x(static_cast<double>(tokens.begin)),
              right = plot.x(static_cast<double>(tokens.end));
  painter.fillRect({left, plot.frame.y + plot.frame.height + 1.0F, std::max(1.0F, right - left), kShownBar},
                   paint(ColourRole::Text2));
}

void LoadCourseCanvas::drawReferences(CanvasPainter& painter, const PlotArea& plot) const {
  const Rect& frame = plot.frame;
  for (const figure::ReferenceLine& reference : m_picture->course->references) {
    if (reference.horizontal) {
      const float at = std::round(plot.y(reference.value));
      for (float x = frame.x; x < frame.x + frame.width; x += kDash + kGap) {
        painter.fillRect({x, at, std::min(kDash, frame.x + frame.width - x), 1.0F}, paint(ColourRole::Text2));
      }
      continue;
    }
    const float at = std::round(plot.x(reference.value));
    painter.fillRect({at, frame.y, 1.0F, frame.height}, paint(ColourRole::Accent));
    const float width = painter.textWidth(reference.label, FontRole::Small);
    const bool fits = at + 4.0F + width <= frame.x + frame.width;
    painter.text({fits ? at + 4.0F : at - 4.0F, frame.y - 6.0F}, reference.label, paint(ColourRole::Accent),
                 FontRole::Small, fits ? Align::Left : Align::Right);
  }
}

void LoadCourseCanvas::drawReferenceNames(CanvasPainter& painter, const PlotArea& plot) const {
  // Over the line, on a ground of their own: the line can be everywhere.
  const float right = plot.frame.x + plot.frame.width;
  for (const figure::ReferenceLine& reference : m_picture->course->references) {
    if (!reference.horizontal) continue;
    const float middle = std::round(plot.y(reference.value)) - kNameAbove;
    const float width = painter.textWidth(reference.label, FontRole::Small);
    painter.fillRect({right - width - 2.0F, middle - kNameHeight / 2.0F, width + 4.0F, kNameHeight},
                     paint(ColourRole::Canvas));
    painter.text({right, middle}, reference.label, paint(ColourRole::Text2), FontRole::Small, Align::Right);
  }
}

void LoadCourseCanvas::drawLine(CanvasPainter& painter, const PlotArea& plot) const {
  const figure::Line& course = *line();
  std::vector<Point> points;
  const auto flush = [&] {
    if (points.size() > 1) painter.polyline(points, paint(ColourRole::Text), kLineWidth);
    if (points.size() == 1) {
      painter.fillRect({points[0].x - 1.5F, points[0].y - 1.5F, 3.0F, 3.0F}, paint(ColourRole::Text));
    }
    points.clear();
  };
  for (std::size_t i = 0; i < course.y.size(); ++i) {
    if (std::isfinite(course.y[i])) {
      points.push_back({plot.x(course.x[i]), plot.y(course.y[i])});
    } else {
      flush();  // a gap, not a line across it
    }
  }
  flush();
}

void LoadCourseCanvas::drawPoint(CanvasPainter& painter, const PlotArea& plot) const {
  const auto shown = m_hovered ? m_hovered : m_focused ? m_cursor : std::nullopt;
  if (!shown || *shown >= line()->y.size()) return;
  const float x = plot.x(line()->x[*shown]);
  painter.fillRect({std::round(x), plot.frame.y, 1.0F, plot.frame.height}, paint(ColourRole::Ink));
  if (!std::isfinite(line()->y[*shown])) return;
  const Rect box{x - kMarker / 2.0F, plot.y(line()->y[*shown]) - kMarker / 2.0F, kMarker, kMarker};
  painter.fillRect(grown(box, 1.0F), paint(ColourRole::InkBack));
  painter.fillRect(box, paint(ColourRole::Ink));
}

std::optional<std::size_t> LoadCourseCanvas::pointAt(Point at) const {
  if (line() == nullptr || line()->x.empty()) return std::nullopt;
  const PlotArea plot = plotArea(m_area, m_picture->course->x, m_picture->course->y);
  if (!plot.frame.contains(at)) return std::nullopt;
  std::size_t nearest = 0;
  for (std::size_t i = 0; i < line()->x.size(); ++i) {
    if (std::abs(plot.x(line()->x[i]) - at.x) < std::abs(plot.x(line()->x[nearest]) - at.x)) nearest = i;
  }
  return nearest;
}

void LoadCourseCanvas::selectPoint(std::size_t point) {
  const auto end = static_cast<std::int64_t>(line()->x[point]) + 1;
  Q_EMIT tokensSelected({end - m_courseTokens, end});
}

void LoadCourseCanvas::press(const CanvasEvent& event) {
  const auto point = event.button == Qt::LeftButton ? pointAt(event.at) : std::nullopt;
  if (!point) return;
  m_cursor = point;
  selectPoint(*point);
  Q_EMIT changed();
}

void LoadCourseCanvas::move(const CanvasEvent& event) {
  const auto point = pointAt(event.at);
  if (point == m_hovered) return;
  m_hovered = point;
  Q_EMIT changed();
}

void LoadCourseCanvas::leave() {
  if (!m_hovered) return;
  m_hovered.reset();
  Q_EMIT changed();
}

void LoadCourseCanvas::focusChanged(bool hasFocus) {
  m_focused = hasFocus;
  Q_EMIT changed();
}

bool LoadCourseCanvas::key(const QKeyEvent& event) {
  if (line() == nullptr || line()->y.empty()) return false;
  const std::size_t last = line()->y.size() - 1;
  std::size_t place = m_cursor.value_or(last);
  switch (event.key()) {
    case Qt::Key_Left: place -= place > 0 ? 1 : 0; break;
    case Qt::Key_Right: place += place < last ? 1 : 0; break;
    case Qt::Key_Home: place = 0; break;
    case Qt::Key_End: place = last; break;
    default: return false;
  }
  m_cursor = place;
  selectPoint(place);
  Q_EMIT changed();
  return true;
}

std::optional<ToolTipContent> LoadCourseCanvas::toolTip(const CanvasEvent& event) {
  const auto point = pointAt(event.at);
  if (!point) return std::nullopt;
  const analysis::LoadMeasureInfo& info = analysis::infoOf(m_measure);
  const auto end = static_cast<std::int64_t>(line()->x[*point]) + 1;
  const QString unit = QString::fromUtf8(info.unit.data(), static_cast<qsizetype>(info.unit.size()));
  ToolTipContent tip;
  tip.heading = qt(figure::tokenRangeText(end - m_courseTokens, end));
  tip.rows.push_back(
      {qt(std::string(info.label)),
       (qt(figure::decimalText(line()->y[*point], info.decimals)) + QLatin1Char(' ') + unit).trimmed()});
  tip.rows.push_back({tr("baseline"), qt(m_picture->course->baseline)});
  tip.footer = tr("click selects these tokens");
  return tip;
}

}  // namespace moescope::views
