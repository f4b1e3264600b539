// Frame times of the routing map with software GL: 48 layers x 128 experts and 4096 tokens x 128 experts,
// each fitted and at its own size. Prints one JSON document; run under tests/support/with_display.
#include <QApplication>
#include <QSurfaceFormat>
#include <QTemporaryDir>
#include <QtTest/QtTest>

#include <algorithm>
#include <iostream>

#include <nlohmann/json.hpp>

#include "core/engine/generation/live_session.h"
#include "tests/support/canvas_rest.h"
#include "tests/support/routing_trace.h"
#include "views/api/canvas_widget.h"
#include "views/api/selection_model.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"
#include "views/panels/routing_map/routing_map_panel.h"

namespace {

using namespace moescope;

constexpr int kFrames = 30;

/// Median time of a frame in ms, from building the draw list until GL has finished.
double medianFrame(views::RoutingMapPanel& panel) {
  views::CanvasWidget& widget = panel.widget();
  std::vector<double> times;
  for (int frame = 0; frame < kFrames; ++frame) {
    const long before = widget.frameCount();
    widget.wake();
    if (!QTest::qWaitFor([&] { return widget.frameCount() > before; }, 10000)) qFatal("no frame was drawn");
    times.push_back(widget.lastFrameMs());
  }
  std::nth_element(times.begin(), times.begin() + kFrames / 2, times.end());
  return times[kFrames / 2];
}

void settle(views::RoutingMapPanel& panel) {
  if (!QTest::qWaitFor([&] { return panel.idle(); }, 60000)) qFatal("the picture did not come");
  if (!views::waitForRest([&] { return panel.widget().frameCount(); })) qFatal("the canvas does not rest");
}

double measure(views::RoutingMapPanel& panel, views::MapMode mode, bool fitted) {
  auto settings = panel.settings();
  settings.mode = mode;
  panel.setSettings(settings);
  settle(panel);
  if (fitted) {
    QTest::keyClick(&panel.widget(), Qt::Key_F);
    settle(panel);
  }
  return medianFrame(panel);
}

}  // namespace

int main(int argc, char** argv) {
  QSurfaceFormat format;
  format.setVersion(3, 3);
  format.setProfile(QSurfaceFormat::CoreProfile);
  QSurfaceFormat::setDefaultFormat(format);
  QApplication application(argc, argv);
  QApplication::setOrganizationName(QStringLiteral("MoEScope-bench"));
  views::installTheme(application, QStringLiteral(MOESCOPE_RESOURCES));
  const QTemporaryDir folder;
  auto store = trace::TraceStore::create((folder.path() + "/run.moescope").toStdString()).value();
  trace::RoutingTrace run(*store, {.layers = 48, .experts = 128, .topK = 8});
  run.append(4096);
  run.end();
  views::ViewContext context(std::make_shared<engine::LiveSession>());
  context.setStore(store);
  context.selection().setRun(run.run());
  views::RoutingMapPanel panel(context);
  panel.resize(1000, 548);
  panel.show();
  if (!QTest::qWaitForWindowExposed(&panel)) qFatal("no window");
  const nlohmann::ordered_json document{
      {"bench", "canvas"},
      {"size", "1000 x 548 px"},
      {"frames", kFrames},
      {"layers_48_experts_128_ms", measure(panel, views::MapMode::LayerExpert, true)},
      {"tokens_4096_experts_128_rows_ms", measure(panel, views::MapMode::TokenExpert, false)},
      {"tokens_4096_experts_128_fitted_ms", measure(panel, views::MapMode::TokenExpert, true)}};
  std::cout << document.dump(2) << '\n';
  return 0;
}
