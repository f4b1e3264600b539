// Small marks of pictures: the corner of cells that the newest token changed, and the label of the highest
// bar.
#include <QTemporaryDir>

#include <algorithm>
#include <set>

#include "core/engine/generation/live_session.h"
#include "tests/support/gui_test.h"
#include "tests/support/recording_painter.h"
#include "tests/support/routing_trace.h"
#include "views/api/expert_actions.h"
#include "views/api/view_context.h"
#include "views/panels/expert_load/load_bars_canvas.h"
#include "views/panels/routing_map/routing_map_canvas.h"

namespace moescope::views {

namespace {

using Kind = PaintCommand::Kind;

struct Map {
  QTemporaryDir folder;
  std::shared_ptr<trace::TraceStore> store =
      trace::TraceStore::create((folder.path() + "/run.moescope").toStdString()).value();
  trace::RoutingTrace run{*store, {}};
  ViewContext context{std::make_shared<engine::LiveSession>()};
  QWidget window;
  ExpertActions actions{context, &window};
  RoutingMapCanvas canvas{context, actions};
  RecordingPainter painter;

  /// The cells with a corner, as "row column".
  std::set<std::pair<int, int>> corners(trace::TokenRange tokens, bool live) {
    canvas.setRun(store->routers(run.run()), {});
    canvas.setTokenCount(300, live);
    auto picture = layerPicture(*store, run.run(), tokens, figure::LoadValue::LoadRatio);
    if (!picture) qFatal("%s", picture.error().text().c_str());
    canvas.showLayers(std::make_shared<LayerPicture>(*std::move(picture)));
    painter.clear();
    canvas.build({0, 0, 1000, 500}, painter);
    std::set<std::pair<int, int>> cells;
    const MapGeometry& g = canvas.scene().geometry;
    for (const PaintCommand& command : painter.ofKind(Kind::Triangle)) {
      if (command.colour != Theme::current().paint(ColourRole::Ink) ||
          !g.filled().contains(command.points[0]))
        continue;
      const MapCell cell = g.nearestCell(command.points[0]);
      const Rect rect = g.rectOf(cell);
      // Four pixels at the top right.
      if (command.points[1].x == rect.x + rect.width - 1.0F && command.points[1].y == rect.y &&
          command.rect.width == 4.0F && command.rect.height == 4.0F)
        cells.insert({static_cast<int>(cell.row), cell.column});
    }
    return cells;
  }
};

std::shared_ptr<const LoadPicture> barsOf(std::vector<double> values, double most) {
  auto picture = std::make_shared<LoadPicture>();
  picture->bars.y.min = 0.0;
  picture->bars.y.max = most;
  picture->bars.x.max = static_cast<double>(values.size());
  figure::Bars bars;
  for (std::size_t i = 0; i < values.size(); ++i) {
    picture->experts.push_back(static_cast<std::int32_t>(i));
    bars.names.push_back("E" + std::to_string(i));
    bars.highlighted.push_back(false);
  }
  bars.values = std::move(values);
  picture->bars.bars = std::move(bars);
  return picture;
}

}  // namespace

class TestMapMarks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void theNewestTokenHasCorners() {
    Map map;
    map.run.append(301);  // the last has no routing yet
    std::set<std::pair<int, int>> chosen;
    for (int layer = 0; layer < 6; ++layer) {
      for (const int expert : map.run.rows()[299][static_cast<std::size_t>(layer)].ids)
        chosen.insert({layer, expert});
    }
    QCOMPARE(chosen.size(), std::size_t{24});
    QVERIFY(map.corners({0, 300}, true) == chosen);
    QVERIFY(map.painter.hasText("newest token"));
    // Nothing moves in what is over, and a window that ends before it has not changed.
    QVERIFY(map.corners({0, 300}, false).empty());
    QVERIFY(!map.painter.hasText("newest token"));
    QVERIFY(map.corners({0, 200}, true).empty());
  }

  void noLineRunsThroughTheLabelOfTheHighestBar() {
    for (double peak = 0.1; peak < 6.05; peak += 0.1) {
      LoadBarsCanvas canvas;
      canvas.setPicture(barsOf({peak, peak / 2, 0.1}, 6.0));
      RecordingPainter painter;
      canvas.build({0, 0, 300, 160}, painter);
      const auto texts = painter.ofKind(Kind::Text);
      const auto label =
          std::ranges::find_if(texts, [](const PaintCommand& c) { return c.text.starts_with("E0 "); });
      QVERIFY(label != texts.end());
      QVERIFY(label->rect.y >= 0.0F);
      int lines = 0;
      for (const PaintCommand& line : painter.ofKind(Kind::FillRect)) {
        if (line.colour != Theme::current().paint(ColourRole::Separator) || line.rect.height != 1.0F)
          continue;
        ++lines;
        const bool above = line.rect.y + line.rect.height <= label->rect.y;
        const bool below = line.rect.y >= label->rect.y + label->rect.height;
        QVERIFY2(above || below, qPrintable(QString::number(peak)));
      }
      QVERIFY(lines > 2);
    }
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestMapMarks)
#include "tst_map_marks.moc"
