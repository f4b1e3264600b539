// Pictures of the routing map against the rows that were recorded, counted one by one; a reopened file gives
// the picture that the live run gave.
#include <QProcess>
#include <QTemporaryDir>

#include <cmath>

#include "core/base/half.h"
#include "core/engine/generation/live_session.h"
#include "core/figure/colour_map.h"
#include "tests/support/gui_test.h"
#include "tests/support/recording_painter.h"
#include "tests/support/routing_trace.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/routing_map/cell_detail.h"
#include "views/panels/routing_map/map_geometry.h"
#include "views/panels/routing_map/routing_map_panel.h"

namespace moescope::views {

namespace {

using trace::RoutingTrace;

struct Recorded {
  QTemporaryDir folder;
  std::filesystem::path path = (folder.path() + "/run.moescope").toStdString();
  std::shared_ptr<trace::TraceStore> store = trace::TraceStore::create(path).value();
};

/// A canvas that shows a picture without a window.
struct Drawn {
  ViewContext context{std::make_shared<engine::LiveSession>()};
  QWidget window;
  ExpertActions actions{context, &window};
  RoutingMapCanvas canvas{context, actions};
  RecordingPainter painter;

  void draw() {
    painter.clear();
    canvas.build({0, 0, 1000, 500}, painter);
  }
  const PaintCommand* image(const std::string& key) const {
    for (const PaintCommand& command : painter.commands) {
      if (command.kind == PaintCommand::Kind::Image && command.text == key) return &command;
    }
    return nullptr;
  }
};

void showLayers(Drawn& drawn, const trace::TraceStore& store, trace::RunId run, trace::TokenRange tokens) {
  drawn.canvas.setRun(store.routers(run), {});
  auto picture = layerPicture(store, run, tokens, figure::LoadValue::LoadRatio);
  QVERIFY2(picture.has_value(), picture ? "" : picture.error().text().c_str());
  drawn.canvas.showLayers(std::make_shared<LayerPicture>(*std::move(picture)));
}

QByteArray fingerprint(const std::vector<PaintCommand>& commands) {
  QByteArray all;
  for (const PaintCommand& c : commands) {
    all += QByteArray::number(static_cast<int>(c.kind)) + ' ' +
           QByteArray::number(static_cast<double>(c.rect.x)) + ' ' +
           QByteArray::number(static_cast<double>(c.rect.y)) + ' ' +
           QByteArray::number(static_cast<double>(c.rect.width)) + ' ' +
           QByteArray::number(static_cast<double>(c.rect.height)) + ' ' + c.text.c_str() + ' ' +
           c.id.c_str() + ' ' + QByteArray::number(c.colour.r) + ',' + QByteArray::number(c.colour.g) + ',' +
           QByteArray::number(c.colour.b);
    for (const Colour& p : c.pixels) {
      all += static_cast<char>(p.r);
      all += static_cast<char>(p.g);
      all += static_cast<char>(p.b);
    }
    all += '\n';
  }
  return all;
}

}  // namespace

class TestRoutingMapPictures : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void coloursOfLoadsCountedOneByOne() {
    Recorded file;
    RoutingTrace run(*file.store, {});
    run.append(700);  // blocks of 256 rows and a tail
    Drawn drawn;
    const trace::TokenRange tokens{100, 650};
    showLayers(drawn, *file.store, run.run(), tokens);
    drawn.draw();
    const PaintCommand* image = drawn.image("map");
    QVERIFY(image != nullptr);
    QCOMPARE(image->imageWidth, 16);
    QCOMPARE(image->imageHeight, 6);
    const figure::ColourScale scale{figure::ColourMapId::Diverging, figure::ScaleKind::Log2, 0.25, 4.0, ""};
    for (int layer = 0; layer < 6; ++layer) {
      for (int expert = 0; expert < 16; ++expert) {
        const auto n = static_cast<double>(run.count(layer, expert, tokens.begin, tokens.end));
        const double ratio = n * 16 / (550.0 * 4);
        const auto expected = figure::mapColour(scale, figure::Theme::Dark, ratio).colour;
        const Colour pixel = image->pixels[static_cast<std::size_t>(layer * 16 + expert)];
        QCOMPARE(pixel, (Colour{expected[0], expected[1], expected[2]}));
        QVERIFY(drawn.painter.find("layer " + std::to_string(layer) + "/expert " + std::to_string(expert)));
      }
    }
    QVERIFY(drawn.painter.balanced());
  }

  void maxVioBesideEachLayer() {
    Recorded file;
    RoutingTrace run(*file.store, {});
    run.append(301);
    const auto picture = layerPicture(*file.store, run.run(), {0, 300}, figure::LoadValue::LoadShare);
    QVERIFY(picture.has_value());
    for (int layer = 0; layer < 6; ++layer) {
      std::int64_t most = 0;
      for (int expert = 0; expert < 16; ++expert) most = std::max(most, run.count(layer, expert, 0, 300));
      const double mean = 300.0 * 4 / 16;
      QCOMPARE(picture->maxVio[static_cast<std::size_t>(layer)], (static_cast<double>(most) - mean) / mean);
    }
    QCOMPARE(picture->figure.sampleLine, std::string("Run Sunset, steered · tokens 0–299, prefill and decode "
                                                     "· 300 tokens × 6 layers × top-4: 7200 choices"));
    QCOMPARE(picture->figure.baseline, std::string("uniform load, 6.25\u2009% an expert"));
  }

  void tokensOfALayer() {
    Recorded file;
    RoutingTrace run(*file.store, {});
    run.append(300);
    TokenPictureRequest request{run.run(), MapMode::TokenExpert, figure::TokenValue::Weight,
                                3,         {250, 299},           1};
    const TokenPicture picture = tokenPicture(*file.store, request);
    QCOMPARE(picture.firstToken, 250);
    QCOMPARE(picture.rows, 49);
    const auto figure = figure::tokenExpertFigure({*file.store, run.run(), {250, 299}}, LayerIndex{3},
                                                  figure::TokenValue::Weight);
    QVERIFY(figure.has_value());
    for (int row = 0; row < 49; ++row) {
      const auto& choice = run.rows()[static_cast<std::size_t>(250 + row)][3];
      for (int expert = 0; expert < 16; ++expert) {
        const auto found = std::ranges::find(choice.ids, expert);
        const float value = picture.value(row, expert);
        const double exported = figure->map->values[static_cast<std::size_t>(row * 16 + expert)];
        QCOMPARE(std::isnan(value), found == choice.ids.end());
        QCOMPARE(std::isnan(exported), std::isnan(value));
        if (std::isnan(value)) continue;
        // Full capture keeps weights as float32.
        QCOMPARE(value, choice.weights[static_cast<std::size_t>(found - choice.ids.begin())]);
        QCOMPARE(static_cast<double>(value), exported);
      }
      const TokenChoice told = choiceOf(picture, 250 + row, 3, choice.ids[1]);
      QCOMPARE(told.rank, 2);
      QCOMPARE(told.chosenCount, 4);
      QCOMPARE(told.logit, halfToFloat(floatToHalf(choice.logits[static_cast<std::size_t>(choice.ids[1])])));
      QCOMPARE(picture.texts[static_cast<std::size_t>(row)],
               RoutingTrace::text(run.tokens()[static_cast<std::size_t>(250 + row)].id));
    }
  }

  void rowsOfSeveralTokensAreMeans_data() {
    QTest::addColumn<int>("step");
    QTest::newRow("8") << 8;
    QTest::newRow("256, from summaries") << 256;
    QTest::newRow("512, from summaries") << 512;
  }
  void rowsOfSeveralTokensAreMeans() {
    QFETCH(int, step);
    Recorded file;
    RoutingTrace run(*file.store, {});
    run.append(1500);
    TokenPictureRequest request{run.run(), MapMode::TokenExpert, figure::TokenValue::Weight, 2, {0, 5000},
                                step};
    const TokenPicture picture = tokenPicture(*file.store, request);
    QCOMPARE(picture.endToken, 1499);
    QCOMPARE(picture.rows, (1499 + step - 1) / step);
    for (int row = 0; row < picture.rows; ++row) {
      const int end = std::min(1499, (row + 1) * step);
      for (int expert = 0; expert < 16; ++expert) {
        double sum = 0.0;
        for (int token = row * step; token < end; ++token) {
          const auto& choice = run.rows()[static_cast<std::size_t>(token)][2];
          const auto found = std::ranges::find(choice.ids, expert);
          if (found != choice.ids.end())
            sum += static_cast<double>(choice.weights[static_cast<std::size_t>(found - choice.ids.begin())]);
        }
        const float value = picture.value(row, expert);
        const double expected = sum / (end - row * step);
        if (sum == 0.0) {
          QVERIFY(std::isnan(value));
        } else {
          QVERIFY2(std::abs(static_cast<double>(value) - expected) < 1e-6 + 1e-4 * expected,
                   qPrintable(QStringLiteral("row %1 expert %2: %3, not %4")
                                  .arg(row)
                                  .arg(expert)
                                  .arg(value)
                                  .arg(expected)));
        }
      }
    }
  }

  void entropyOfTokensAndLayers() {
    Recorded file;
    RoutingTrace run(*file.store, {});
    run.append(40);
    const TokenPicture picture = tokenPicture(
        *file.store, {run.run(), MapMode::TokenLayer, figure::TokenValue::Entropy, 0, {0, 39}, 1});
    for (int row = 0; row < 39; ++row) {
      for (int layer = 0; layer < 6; ++layer) {
        double sum = 0.0, weighted = 0.0;
        for (const float logit :
             run.rows()[static_cast<std::size_t>(row)][static_cast<std::size_t>(layer)].logits) {
          const auto z = static_cast<double>(halfToFloat(floatToHalf(logit)));
          sum += std::exp(z);
          weighted += z * std::exp(z);
        }
        QVERIFY(std::abs(static_cast<double>(picture.value(row, layer)) - (std::log(sum) - weighted / sum)) <
                1e-5);
      }
    }
  }

  void detailOfAnExpert() {
    Recorded file;
    RoutingTrace run(*file.store, {});
    run.append(600);
    const CellDetail detail = cellDetail(*file.store, run.run(), 1, 5, {30, 590});
    std::int64_t first = 0;
    double logits = 0.0;
    for (std::size_t row = 30; row < 590; ++row) {
      first += run.rows()[row][1].ids.front() == 5 ? 1 : 0;
      logits += static_cast<double>(halfToFloat(floatToHalf(run.rows()[row][1].logits[5])));
    }
    QCOMPARE(detail.routed, 560);
    QCOMPARE(detail.choices, 2240);
    QCOMPARE(detail.chosen, run.count(1, 5, 30, 590));
    QCOMPARE(detail.rankOne, first);
    QCOMPARE(detail.logitTokens, 560);
    QVERIFY(std::abs(detail.logitSum - logits) < 1e-6);
    QVERIFY(!detail.steered);
    QVERIFY(detail.topTokens.size() == 3 && detail.topTokens[0].second >= detail.topTokens[1].second);
  }

  void aReopenedFileGivesTheLivePicture() {
    Recorded file;
    QByteArray live[2];
    trace::RunId id = 0;
    const auto drawAll = [&](const trace::TraceStore& store, QByteArray* out) {
      Drawn drawn;
      showLayers(drawn, store, id, {0, 599});
      drawn.canvas.setMarks({}, {}, {300});
      drawn.draw();
      out[0] = fingerprint(drawn.painter.commands);
      MapSettings settings;
      settings.mode = MapMode::TokenExpert;
      settings.router = 2;
      drawn.canvas.setSettings(settings);
      drawn.canvas.setTokenCount(599, false);
      drawn.canvas.showTokens(std::make_shared<TokenPicture>(
          tokenPicture(store, {id, MapMode::TokenExpert, figure::TokenValue::Weight, 2, {0, 80}, 1})));
      drawn.canvas.showOverview(std::make_shared<TokenPicture>(
          tokenPicture(store, {id, MapMode::TokenExpert, figure::TokenValue::Weight, 2, {0, 599}, 2})));
      drawn.draw();
      out[1] = fingerprint(drawn.painter.commands);
    };
    {
      RoutingTrace run(*file.store, {});
      id = run.run();
      run.append(300);
      run.ban(2, 7);
      run.append(300);
      drawAll(*file.store, live);
    }
    QVERIFY(file.store->close().has_value());
    file.store.reset();
    const auto reopened = trace::TraceStore::open(file.path, trace::OpenMode::ReadOnly);
    QVERIFY(reopened.has_value());
    QByteArray again[2];
    drawAll(**reopened, again);
    QVERIFY(live[0].size() > 1000 && live[1].size() > 1000);
    QCOMPARE(again[0], live[0]);
    QCOMPARE(again[1], live[1]);
  }

  void lostBlocksAreHatched() {
    Recorded file;
    trace::RunId id = 0;
    {
      RoutingTrace run(*file.store, {});
      id = run.run();
      run.append(600);
    }
    QVERIFY(file.store->close().has_value());
    file.store.reset();
    QProcess python;
    python.start(
        QStringLiteral("python3"),
        {QStringLiteral("-c"),
         QStringLiteral("import sqlite3, sys\n"
                        "db = sqlite3.connect(sys.argv[1])\n"
                        "n = db.execute(\"UPDATE route_block SET crc = crc + 1 WHERE block = 1\").rowcount\n"
                        "db.commit(); print(n)"),
         QString::fromStdString(file.path.string())});
    QVERIFY(python.waitForFinished());
    QVERIFY2(python.readAllStandardOutput().trimmed().toInt() > 0, python.readAllStandardError().constData());
    const auto store = trace::TraceStore::open(file.path, trace::OpenMode::ReadOnly);
    QVERIFY(store.has_value());
    const TokenPicture picture =
        tokenPicture(**store, {id, MapMode::TokenExpert, figure::TokenValue::Weight, 0, {250, 300}, 1});
    QCOMPARE(picture.rows, 50);
    for (int row = 0; row < 50; ++row)
      QCOMPARE(picture.missing[static_cast<std::size_t>(row)] != 0, row >= 6);
    Drawn drawn;
    drawn.canvas.setRun((*store)->routers(id), {});
    MapSettings settings;
    settings.mode = MapMode::TokenExpert;
    drawn.canvas.setSettings(settings);
    drawn.canvas.setTokenCount(600, false);
    drawn.draw();
    drawn.canvas.showTokens(std::make_shared<TokenPicture>(picture));
    drawn.context.selection().setTokens({256, 257});  // brings it into sight
    drawn.draw();
    const auto hatches = drawn.painter.ofKind(PaintCommand::Kind::Hatch);
    QVERIFY(std::ranges::any_of(hatches,
                                [](const auto& hatch) { return !hatch.rising && hatch.rect.height > 100; }));
  }

  void windowsAreRows() {
    using Kind = MapWindow::Kind;
    QCOMPARE(windowRange({Kind::WholeRun, 0}, 174, {}, 12), (trace::TokenRange{0, 174}));
    QCOMPARE(windowRange({Kind::Last, 128}, 174, {}, 12), (trace::TokenRange{46, 174}));
    QCOMPARE(windowRange({Kind::Last, 512}, 174, {}, 12), (trace::TokenRange{0, 174}));
    QCOMPARE(windowRange({Kind::Prefill, 0}, 174, {}, 12), (trace::TokenRange{0, 12}));
    QCOMPARE(windowRange({Kind::Decode, 0}, 174, {}, 12), (trace::TokenRange{12, 174}));
    QCOMPARE(windowRange({Kind::Decode, 0}, 7, {}, 12), (trace::TokenRange{7, 7}));
    QCOMPARE(windowRange({Kind::Selection, 0}, 174, {20, 400}, 12), (trace::TokenRange{20, 174}));
    QCOMPARE(windowRange({Kind::Selection, 0}, 174, {}, 12).size(), 0);
  }

  void zoomKeepsThePlaceUnderThePointer() {
    MapGeometry g;
    g.setPlot({100, 50, 640, 400});
    g.setContent(1000, 64);
    g.fitColumns(16.0);
    QCOMPARE(g.cellWidth(), 10.0);
    g.setFirstRow(500.0);
    const Point at{300, 250};
    const auto before = g.cellAt(at);
    g.zoom(1.5, at, false);
    QCOMPARE(g.cellAt(at)->row, before->row);
    QCOMPARE(g.cellHeight(), 24.0);
    g.zoom(1e-6, at, false);
    QVERIFY(std::abs(g.rowsInSight() - 1000.0) < 1e-6);  // no further than everything
    g.fit();
    QCOMPARE(g.beginRow(), 0);
    QCOMPARE(g.endRow(), 1000);
    g.fitColumns(16.0);
    g.showEnd();
    QVERIFY(g.atEnd());
    QCOMPARE(g.endRow(), 1000);
    g.setContent(1100, 64);  // new rows do not move what is seen
    QCOMPARE(g.beginRow(), 975);
    QVERIFY(!g.atEnd());
    g.reveal({0, 0});
    QCOMPARE(g.beginRow(), 0);
    QVERIFY(!g.cellAt({99, 60}));
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestRoutingMapPictures)
#include "tst_routing_map_pictures.moc"
