// Figures of a model whose layers have two routers each name them apart.
#include <QTemporaryDir>
#include <QtTest>

#include "core/figure/figure_builders.h"
#include "tests/unit/trace_fixture.h"

namespace moescope::figure {

class TestFigureRouters : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void bothRoutersOfALayerAreNamed() {
    auto specs = trace::fixture::routers();
    for (std::size_t i = 0; i < specs.size(); ++i) {
      specs[i].layer = {static_cast<std::int32_t>(i / 2)};
      specs[i].kind = i % 2 == 0 ? "ffn" : "attention";
    }
    const FigureSpec spec = map(specs);
    const std::vector<std::string> names{"0", "0 attention", "1", "1 attention"};
    QVERIFY(spec.map->rowNames == names);
    QVERIFY2(spec.sampleLine.find("4 routers") != std::string::npos, spec.sampleLine.c_str());
    QVERIFY(spec.sampleLine.find("layers") == std::string::npos);
  }

  void oneRouterALayerIsTheLayer() {
    const FigureSpec spec = map(trace::fixture::routers());
    QVERIFY2(spec.sampleLine.find("4 layers") != std::string::npos, spec.sampleLine.c_str());
  }

 private:
  static FigureSpec map(const std::vector<RouterSpec>& specs) {
    const QTemporaryDir folder;
    auto store = trace::TraceStore::create(folder.filePath("t.moescope").toStdString());
    const auto synthetic = trace::fixture::synthesize(3, {20}, 0.0, specs);
    auto recorder = (*store)->startRun(trace::fixture::modelRecord(synthetic.routers),
                                       trace::fixture::runRecord(trace::CaptureLevel::Weights));
    if (!recorder) qFatal("%s", recorder.error().text().c_str());
    trace::fixture::feed(**recorder, synthetic, 0, synthetic.sequences.size(), 7);
    const FigureSource source{**store, (*recorder)->run(), {0, 20}};
    auto spec = routingMapFigure(source, LoadValue::LoadRatio);
    if (!spec) qFatal("%s", spec.error().text().c_str());
    return *std::move(spec);
  }
};

}  // namespace moescope::figure

QTEST_APPLESS_MAIN(moescope::figure::TestFigureRouters)
#include "tst_figure_routers.moc"
