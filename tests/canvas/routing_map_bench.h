// A routing map on a recorded run, drawn by the recording painter, with events as the widget would send them.
// Not for pixels (tst_routing_map_display.cpp).
#pragma once

#include "core/engine/generation/live_session.h"
#include "tests/support/gui_test.h"
#include "tests/support/recording_painter.h"
#include "tests/support/routing_trace.h"
#include "views/api/canvas_widget.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/routing_map/routing_map_panel.h"

namespace moescope::views {

struct RoutingMapBench {
  QTemporaryDir folder;
  std::shared_ptr<trace::TraceStore> store =
      trace::TraceStore::create((folder.path() + "/run.moescope").toStdString()).value();
  std::unique_ptr<trace::RoutingTrace> run;
  ViewContext context{std::make_shared<engine::LiveSession>()};
  RecordingPainter painter;
  std::unique_ptr<RoutingMapPanel> panel;

  explicit RoutingMapBench(int tokens = 200, MapMode mode = MapMode::LayerExpert) {
    run = std::make_unique<trace::RoutingTrace>(*store, trace::RoutingTrace::Shape{});
    run->append(tokens);
    context.setStore(store);
    context.selection().setRun(run->run());
    panel = std::make_unique<RoutingMapPanel>(context);
    MapSettings settings = panel->settings();
    settings.mode = mode;
    panel->setSettings(settings);
    draw();
    settle();
    draw();
  }
  void draw() {
    painter.clear();
    panel->canvas().build({0, 0, 1000, 460}, painter);
  }
  void settle() {
    QVERIFY(QTest::qWaitFor([this] { return panel->idle(); }));
  }
  CanvasEvent at(Point point, Qt::MouseButton button = Qt::NoButton, Qt::KeyboardModifiers modifiers = {}) {
    CanvasEvent event;
    event.at = point;
    event.region = painter.regionAt(point);
    event.button = button;
    event.buttons = button;
    event.modifiers = modifiers;
    return event;
  }
  Point centre(const std::string& id) {
    const auto rect = painter.find(id);
    if (!rect) qFatal("no region %s", id.c_str());
    return {rect->x + rect->width / 2, rect->y + rect->height / 2};
  }
  void click(const std::string& id, Qt::KeyboardModifiers modifiers = {}) {
    const Point point = centre(id);
    panel->canvas().press(at(point, Qt::LeftButton, modifiers));
    panel->canvas().release(at(point, Qt::LeftButton, modifiers));
    draw();
  }
  void drag(Point from, Point to, Qt::KeyboardModifiers modifiers = {}) {
    panel->canvas().press(at(from, Qt::LeftButton, modifiers));
    panel->canvas().move(at(to, Qt::LeftButton, modifiers));
  }
  void drop(Point to) { panel->canvas().release(at(to, Qt::LeftButton)); }
  bool key(int code, Qt::KeyboardModifiers modifiers = {}) {
    return panel->canvas().key(QKeyEvent(QEvent::KeyPress, code, modifiers));
  }
  const std::vector<steering::Rule>& rules() const { return context.steering().program().rules; }
};

}  // namespace moescope::views
