#include "tests/support/recording_painter.h"

#include <algorithm>
#include <ranges>

namespace moescope::views {

namespace {

Rect boundsOf(std::span<const Point> points) {
  if (points.empty()) return {};
  const auto [left, right] = std::ranges::minmax(points | std::views::transform(&Point::x));
  const auto [top, bottom] = std::ranges::minmax(points | std::views::transform(&Point::y));
  return {left, top, right - left, bottom - top};
}

}  // namespace

std::vector<PaintCommand> RecordingPainter::ofKind(PaintCommand::Kind kind) const {
  std::vector<PaintCommand> found;
  std::ranges::copy_if(commands, std::back_inserter(found),
                       [kind](const auto& command) { return command.kind == kind; });
  return found;
}

std::optional<Rect> RecordingPainter::find(std::string_view id) const {
  for (const auto& command : commands | std::views::reverse) {
    if (command.kind == PaintCommand::Kind::HitRegion && command.id == id) return command.rect;
  }
  return std::nullopt;
}

std::string RecordingPainter::regionAt(Point at) const {
  for (const auto& command : commands | std::views::reverse) {
    if (command.kind == PaintCommand::Kind::HitRegion && command.rect.contains(at)) return command.id;
  }
  return {};
}

std::vector<std::string> RecordingPainter::regions() const {
  std::vector<std::string> ids;
  for (const auto& command : ofKind(PaintCommand::Kind::HitRegion)) ids.push_back(command.id);
  return ids;
}

std::vector<std::string> RecordingPainter::texts() const {
  std::vector<std::string> found;
  for (const auto& command : commands) {
    if (command.kind == PaintCommand::Kind::Text || command.kind == PaintCommand::Kind::ShapedText)
      found.push_back(command.text);
  }
  return found;
}

bool RecordingPainter::hasText(std::string_view text) const { return std::ranges::count(texts(), text) > 0; }

void RecordingPainter::clear() {
  commands.clear();
  m_clips.clear();
  m_poppedTooOften = false;
}

PaintCommand& RecordingPainter::add(PaintCommand::Kind kind, Rect rect, Colour colour) {
  auto& command = commands.emplace_back();
  command.kind = kind;
  command.rect = rect;
  command.colour = colour;
  command.clips = m_clips;
  return command;
}

void RecordingPainter::fillRect(Rect rect, Colour colour) { add(PaintCommand::Kind::FillRect, rect, colour); }

void RecordingPainter::strokeRect(Rect rect, Colour colour, float width) {
  add(PaintCommand::Kind::StrokeRect, rect, colour).width = width;
}

void RecordingPainter::line(Point from, Point to, Colour colour, float width) {
  const Point ends[] = {from, to};
  auto& command = add(PaintCommand::Kind::Line, boundsOf(ends), colour);
  command.points.assign(std::begin(ends), std::end(ends));
  command.width = width;
}

void RecordingPainter::polyline(std::span<const Point> points, Colour colour, float width) {
  auto& command = add(PaintCommand::Kind::Polyline, boundsOf(points), colour);
  command.points.assign(points.begin(), points.end());
  command.width = width;
}

void RecordingPainter::fillTriangle(Point a, Point b, Point c, Colour colour) {
  const Point corners[] = {a, b, c};
  add(PaintCommand::Kind::Triangle, boundsOf(corners), colour)
      .points.assign(std::begin(corners), std::end(corners));
}

void RecordingPainter::hatch(Rect rect, Colour colour, bool rising) {
  add(PaintCommand::Kind::Hatch, rect, colour).rising = rising;
}

void RecordingPainter::image(const ImageSource& image, Rect target, Rect source) {
  auto& command = add(PaintCommand::Kind::Image, target, {});
  command.text = image.key;
  command.version = image.version;
  command.imageWidth = image.width;
  command.imageHeight = image.height;
  command.source = source;
  command.pixels.assign(image.pixels.begin(), image.pixels.end());
}

void RecordingPainter::text(Point at, std::string_view utf8, Colour colour, FontRole font, Align align) {
  const float width = textWidth(utf8, font);
  const float left = align == Align::Left ? at.x : align == Align::Centre ? at.x - width / 2 : at.x - width;
  auto& command = add(PaintCommand::Kind::Text, {left, at.y - kTextHeight / 2, width, kTextHeight}, colour);
  command.text = utf8;
  command.font = font;
  command.align = align;
}

void RecordingPainter::shapedText(Point at, std::string_view utf8, Colour colour, FontRole font) {
  auto& command = add(PaintCommand::Kind::ShapedText,
                      {at.x, at.y - kTextHeight / 2, textWidth(utf8, font), kTextHeight}, colour);
  command.text = utf8;
  command.font = font;
}

float RecordingPainter::textWidth(std::string_view utf8, FontRole) {
  // Continuation bytes do not begin a character.
  const auto characters = std::ranges::count_if(
      utf8, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; });
  return kCharacterWidth * static_cast<float>(characters);
}

void RecordingPainter::pushClip(Rect rect) { m_clips.push_back(rect); }

void RecordingPainter::popClip() {
  m_poppedTooOften = m_poppedTooOften || m_clips.empty();
  if (!m_clips.empty()) m_clips.pop_back();
}

void RecordingPainter::hitRegion(Rect rect, std::string_view id) {
  add(PaintCommand::Kind::HitRegion, rect, {}).id = id;
}

}  // namespace moescope::views
