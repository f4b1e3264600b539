// Figures of a model whose layers have two routers each name them apart.
#include <QTemporaryDir>
#include <QtTest>

#include "core/figure/figure_builders.h"
#include "core/figure/figure_request.h"
#include "core/figure/steering_marks.h"
#include "tests/unit/trace_fixture.h"

namespace moescope::figure {

class TestFigureRouters : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void bothRoutersOfALayerAreNamed() {
    const FigureSpec spec = map(twoKinds());
    const std::vector<std::string> names{"0", "0 attention", "1", "1 attention"};
    QVERIFY(spec.map->rowNames == names);
    QVERIFY2(spec.sampleLine.find("4 routers") != std::string::npos, spec.sampleLine.c_str());
    QVERIFY(spec.sampleLine.find("layers") == std::string::npos);
  }

  // A figure of one router is of the one that was asked for; a layer alone is its feed-forward router.
  void loadsAreOfTheRouterThatIsNamed() {
    const auto specs = twoKinds();
    const Recorded recorded(specs);
    const FigureSource source{*recorded.store, recorded.run, {0, 20}};
    const auto loads = [&](const RouterKey& router) {
      auto spec = expertLoadFigure(source, router);
      if (!spec) qFatal("%s", spec.error().text().c_str());
      return spec;
    };
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const auto spec = loads({specs[i].layer, specs[i].kind});
      // Counted from the choices that were fed.
      std::vector<double> counts(static_cast<std::size_t>(specs[i].experts), 0.0);
      double choices = 0.0;
      const auto block = recorded.store->routeBlock(recorded.run, static_cast<int>(i), 0);
      for (const std::uint16_t id : block->ids) {
        if (id == trace::kEmptySlot) continue;
        ++counts[id];
        ++choices;
      }
      QVERIFY(choices > 0);
      QCOMPARE(spec->bars->values.size(), counts.size());
      for (std::size_t bar = 0; bar < counts.size(); ++bar) {
        const auto expert = static_cast<std::size_t>(std::stoi(spec->bars->names[bar].substr(1)));
        const double ratio = counts[expert] * static_cast<double>(counts.size()) / choices;
        QVERIFY(std::abs(spec->bars->values[bar] - ratio) < 1e-9);
      }
      const bool isAttention = specs[i].kind == "attention";
      QCOMPARE(spec->title.ends_with(" attention"), isAttention);
      if (!isAttention) QCOMPARE(loads({specs[i].layer})->bars->values, spec->bars->values);
    }
    const auto asked = makeFigure(*recorded.store, "expert-load", {{"layer", "1 attention"}});
    QVERIFY2(asked.has_value(), asked ? "" : asked.error().text().c_str());
    QCOMPARE(asked->bars->values, loads({LayerIndex{1}, "attention"})->bars->values);
    QCOMPARE(makeFigure(*recorded.store, "expert-load", {{"layer", "9 attention"}}).error().kind,
             std::string("figure.no_such_layer"));
    QCOMPARE(makeFigure(*recorded.store, "expert-load", {{"layer", "1 gate"}}).error().kind,
             std::string("figure.bad_param"));
  }

  // A rule on the attention router marks its experts and not those of the other router of the layer.
  void marksAreOfTheRouterThatIsNamed() {
    steering::SteeringProgram program;
    program.rules.push_back(steering::banRule(program, {LayerIndex{0}, ExpertIndex{1}, "attention"}));
    program.rules.push_back(steering::topKRule(program, {1}, 1));
    program.rules.back().router = "ffn";
    const SteeringMarks marks = steeringMarks(program, twoKinds());
    QCOMPARE(marks.cells.size(), std::size_t{1});
    QVERIFY(marks.cells.contains({LayerIndex{0}, ExpertIndex{1}, "attention"}));
    QVERIFY((marks.routers == std::set<RouterKey>{{LayerIndex{1}, "ffn"}}));
  }

  void oneRouterALayerIsTheLayer() {
    const FigureSpec spec = map(trace::fixture::routers());
    QVERIFY2(spec.sampleLine.find("4 layers") != std::string::npos, spec.sampleLine.c_str());
  }

 private:
  static std::vector<RouterSpec> twoKinds() {
    auto specs = trace::fixture::routers();
    for (std::size_t i = 0; i < specs.size(); ++i) {
      specs[i].layer = {static_cast<std::int32_t>(i / 2)};
      specs[i].kind = i % 2 == 0 ? "ffn" : "attention";
    }
    return specs;
  }

  /// A run of 20 tokens that goes on.
  struct Recorded {
    explicit Recorded(const std::vector<RouterSpec>& specs) {
      store = *trace::TraceStore::create(folder.filePath("t.moescope").toStdString());
      const auto synthetic = trace::fixture::synthesize(3, {20}, 0.0, specs);
      auto started = store->startRun(trace::fixture::modelRecord(synthetic.routers),
                                     trace::fixture::runRecord(trace::CaptureLevel::Weights));
      if (!started) qFatal("%s", started.error().text().c_str());
      recorder = *std::move(started);
      trace::fixture::feed(*recorder, synthetic, 0, synthetic.sequences.size(), 7);
      run = recorder->run();
    }
    QTemporaryDir folder;
    std::shared_ptr<trace::TraceStore> store;
    std::unique_ptr<trace::RunRecorder> recorder;
    trace::RunId run = 0;
  };

  static FigureSpec map(const std::vector<RouterSpec>& specs) {
    const Recorded recorded(specs);
    const FigureSource source{*recorded.store, recorded.run, {0, 20}};
    auto spec = routingMapFigure(source, LoadValue::LoadRatio);
    if (!spec) qFatal("%s", spec.error().text().c_str());
    return *std::move(spec);
  }
};

}  // namespace moescope::figure

QTEST_APPLESS_MAIN(moescope::figure::TestFigureRouters)
#include "tst_figure_routers.moc"
