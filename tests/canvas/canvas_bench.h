// What the canvas tests share: a canvas that keeps its events, a window that shows it, pixels of its picture.
// Not for tests without a display (recording_painter.h).
#pragma once

#include <functional>

#include "tests/support/canvas_rest.h"
#include "views/api/canvas_widget.h"
#include "views/api/theme.h"
#include "views/canvas/canvas_tool_tip.h"

namespace moescope::views {

constexpr Colour kRed{200, 30, 30}, kBlue{20, 60, 220};
constexpr Rect kCell{100, 60, 40, 24};

/// Draws one cell and what the test adds; keeps every event.
class TestCanvas : public Canvas {
 public:
  std::function<void(CanvasPainter&)> draw = [](CanvasPainter&) {};
  std::vector<CanvasEvent> presses, releases, moves, doubleClicks, menus;
  std::vector<std::pair<CanvasEvent, QPointF>> wheels;
  std::vector<int> keys;
  std::vector<bool> focus;
  bool usesKeys = true;
  int left = 0, built = 0;
  Rect area;

  void build(Rect given, CanvasPainter& painter) override {
    area = given;
    ++built;
    painter.fillRect(kCell, kRed);
    painter.hitRegion({0, 0, 200, 200}, "map");
    painter.hitRegion(kCell, "layer 3/expert 17");
    draw(painter);
  }
  void press(const CanvasEvent& event) override { presses.push_back(event); }
  void move(const CanvasEvent& event) override { moves.push_back(event); }
  void release(const CanvasEvent& event) override { releases.push_back(event); }
  void doubleClick(const CanvasEvent& event) override { doubleClicks.push_back(event); }
  void leave() override { ++left; }
  void wheel(const CanvasEvent& event, QPointF steps) override { wheels.emplace_back(event, steps); }
  void contextMenu(const CanvasEvent& event) override { menus.push_back(event); }
  bool key(const QKeyEvent& event) override {
    keys.push_back(event.key());
    return usesKeys;
  }
  void focusChanged(bool hasFocus) override { focus.push_back(hasFocus); }
  std::optional<ToolTipContent> toolTip(const CanvasEvent& event) override {
    if (event.region != "layer 3/expert 17") return std::nullopt;
    ToolTipContent content;
    content.heading = QStringLiteral("Layer 3 · expert 17");
    content.tag = QStringLiteral("boosted +1.50");
    content.rows = {{QStringLiteral("load share m"), QStringLiteral("4.88 %")},
                    {QStringLiteral("·light"), QStringLiteral("0.41"), 0.41, true}};
    content.footer = QStringLiteral("click selects");
    content.clearOf = kCell;
    return content;
  }
};

/// A canvas in a window of its own, shown and at rest.
struct Shown {
  TestCanvas canvas;
  CanvasWidget widget{canvas};
  explicit Shown(
      std::function<void(CanvasPainter&)> draw = [](CanvasPainter&) {}, QSize size = {400, 300}) {
    canvas.draw = std::move(draw);
    widget.resize(size);
    widget.show();
    if (!QTest::qWaitForWindowExposed(&widget)) qFatal("no window");
    if (!waitForRest([this] { return widget.frameCount(); })) qFatal("the canvas does not rest");
  }
  QPoint middleOf(std::string_view region) {
    const Rect rect = widget.regionRect(region).value();
    return {static_cast<int>(rect.x + rect.width / 2), static_cast<int>(rect.y + rect.height / 2)};
  }
};

inline QColor pixel(const QImage& image, double x, double y) {
  const double ratio = image.devicePixelRatio();
  return image.pixelColor(static_cast<int>(x * ratio), static_cast<int>(y * ratio));
}
inline QColor q(Colour c) { return {c.r, c.g, c.b}; }

inline int pixelsUnlike(const QImage& image, QRectF logical, const QColor& ground) {
  const double ratio = image.devicePixelRatio();
  int count = 0;
  for (int y = static_cast<int>(logical.top() * ratio); y < static_cast<int>(logical.bottom() * ratio); ++y) {
    for (int x = static_cast<int>(logical.left() * ratio); x < static_cast<int>(logical.right() * ratio);
         ++x) {
      if (image.pixelColor(x, y) != ground) ++count;
    }
  }
  return count;
}

}  // namespace moescope::views
