// Expert-router coupling against the toy of analyses.md 6.2 and against numpy on the demo model's own file.
#include <QTest>

#include "core/analysis/router_coupling.h"
#include "core/base/half.h"
#include "core/checkpoint/float_values.h"
#include "tests/support/locality_trace.h"

MOESCOPE_PLUGIN(coupling);

using namespace moescope;
using namespace moescope::analysis;
using namespace moescope::test;
using std::string;

namespace {

/// Two experts, hidden size 2, gates of one row each.
CouplingMatrix tiny(const CouplingOptions& options = {}) {
  const RouterMatrix router{2, 2, {3, 4, 0, 2}};
  const GateRow gate = [](int expert, int, std::span<float> out) {
    out[0] = expert == 0 ? 1.0F : 0.0F;
    out[1] = expert == 0 ? 0.0F : 2.0F;
  };
  return *couplingMatrix(router, 1, gate, options, {}, {});
}

}  // namespace

class TestRouterCoupling : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  /// analyses.md 6.2: M = [[1, .5], [1.2, .9]], alpha = 1 gives 0.125.
  void lossVector() {
    const std::vector<double> matrix{1, .5, 1.2, .9};
    const CouplingSummary summary = couplingSummary(matrix, 2, 1.0);
    QVERIFY_NEAR(summary.loss, 0.125, 1e-12);
    QCOMPARE(summary.rowWinRate, 0.5);
    QCOMPARE(summary.columnWinRate, 0.5);
    QCOMPARE(summary.violationShare, 0.5);  // 1.2 against 1 and against 0.9, of four terms
    QVERIFY(couplingSummary(matrix, 2, 0.4).loss > 0.125);
    QVERIFY(std::isnan(couplingSummary({}, 0, 1.0).loss));
    QVERIFY(std::isnan(couplingSummary(std::vector{2.0}, 1, 1.0).violationShare));
  }

  void matrixByHand() {
    const CouplingMatrix matrix = tiny();
    QCOMPARE(matrix.values, (std::vector<double>{3, 8, 0, 4}));
    QVERIFY_NEAR(matrix.normalized[0], 0.6, 1e-9);
    QVERIFY_NEAR(matrix.normalized[1], 0.8, 1e-9);
    QVERIFY_NEAR(matrix.normalized[3], 1.0, 1e-9);
  }

  void epsilonAndCosineByHand() {
    const RouterMatrix router{3, 2, {3, 4, 3, 0, 0, 0}};
    const std::vector<double> epsilon = routerEpsilon(router);
    QVERIFY_NEAR(epsilon[0], 0.4, 1e-12);  // 4 / (2 * 5)
    QVERIFY_NEAR(epsilon[1], 0.5, 1e-12);  // 3 / (2 * 3), to the zero row
    QVERIFY(std::isnan(epsilon[2]));
    QVERIFY_NEAR(meanAbsoluteCosine(router), 0.6, 1e-12);
    QVERIFY(std::isnan(routerEpsilon({1, 2, {1, 1}})[0]));
    QVERIFY(std::isnan(meanAbsoluteCosine({1, 2, {1, 1}})));
  }

  /// delta_i stays within 1 +- epsilon_i, and its mean is 1.
  void noiseAverages() {
    const CouplingMatrix noisy = tiny({.noiseDraws = 2000, .seed = 3});
    QVERIFY_NEAR(noisy.values[0], 3.0, 0.05);
    QVERIFY_NEAR(noisy.values[1], 8.0, 0.15);
    QVERIFY(noisy.values[0] != 3.0);
    const CouplingMatrix one = tiny({.noiseDraws = 1, .seed = 3});
    const double width = std::sqrt(13.0) / 10.0;  // epsilon of row 0
    QVERIFY(std::abs(one.values[0] / 3.0 - 1.0) <= width);
    QCOMPARE(tiny({.noiseDraws = 1, .seed = 3}).values, one.values);
  }

  void storedTypesReadAlike() {
    const std::array<float, 4> values{1.5F, -2.0F, 0.25F, 3.0F};
    std::array<std::uint16_t, 4> halves{}, brains{};
    std::array<double, 4> doubles{};
    for (std::size_t i = 0; i < 4; ++i) {
      halves[i] = floatToHalf(values[i]);
      brains[i] = floatToBfloat16(values[i]);
      doubles[i] = static_cast<double>(values[i]);
    }
    using checkpoint::DType;
    const auto check = [&](DType dtype, std::span<const std::byte> bytes) {
      checkpoint::TensorView view;
      view.name = "w";
      view.dtype = dtype;
      view.shape = {2, 2};
      view.bytes = bytes;
      std::array<float, 2> row{};
      checkpoint::readRow(view, 1, row);
      QCOMPARE(row, (std::array<float, 2>{0.25F, 3.0F}));
      checkpoint::readRow(checkpoint::transposed(view), 1, row);
      QCOMPARE(row, (std::array<float, 2>{-2.0F, 3.0F}));
    };
    check(DType::F32, std::as_bytes(std::span(values)));
    check(DType::F16, std::as_bytes(std::span(halves)));
    check(DType::BF16, std::as_bytes(std::span(brains)));
    check(DType::F64, std::as_bytes(std::span(doubles)));
  }

  void demoModelAgainstNumpy() {
    const auto expected = vectorsIn("coupling_vectors.json");
    const auto result = runOn(MOESCOPE_RESOURCES "/demo/model");
    QVERIFY2(result.has_value(), result ? "" : result.error().text().c_str());
    checkShape(*result);
    for (std::size_t l = 0; l < 6; ++l) {
      const auto& layer = expected["layers"][l];
      const auto value = [&](const char* column) {
        return numberIn(*result, "coupling", column, {static_cast<std::int64_t>(l)});
      };
      QVERIFY_NEAR(value("loss"), layer["loss"].get<double>(), 1e-6);
      QVERIFY_NEAR(value("row_win"), layer["row_win"].get<double>(), 1e-12);
      QVERIFY_NEAR(value("column_win"), layer["column_win"].get<double>(), 1e-12);
      QVERIFY_NEAR(value("violations"), layer["violations"].get<double>(), 1e-12);
      QVERIFY_NEAR(value("mean_epsilon"), layer["epsilon"].get<double>(), 1e-9);
      QVERIFY_NEAR(value("mean_cosine"), layer["cosine"].get<double>(), 1e-9);
      const ResultMatrix* plain = result->matrix("coupling_layer" + std::to_string(l));
      const ResultMatrix* scaleFree = result->matrix("normalized_layer" + std::to_string(l));
      QVERIFY(plain != nullptr && scaleFree != nullptr);
      for (std::size_t j = 0; j < 32; ++j) {
        QVERIFY_NEAR(plain->values[j], layer["first_row"][j].get<double>(), 1e-5);
        QVERIFY_NEAR(scaleFree->values[j], layer["first_normalized"][j].get<double>(), 1e-6);
      }
    }
  }

  void whatIsMissingIsNamed() {
    QCOMPARE(runOn({}).error().kind, string("analysis.no_checkpoint"));
    QVERIFY(!runOn("/nowhere/at/all").has_value());
    QCOMPARE(runOn(MOESCOPE_RESOURCES "/demo/model", {{"alpha", "2"}}).error().kind,
             string("analysis.bad_param"));
    std::stop_source stop;
    stop.request_stop();
    QCOMPARE(runOn(MOESCOPE_RESOURCES "/demo/model", {}, stop.get_token()).error().kind, string("cancelled"));
  }

 private:
  Result<AnalysisResult> runOn(const string& folder, AnalysisParameters parameters = {},
                               std::stop_token stop = {}) {
    const Analyses analyses(&moescope_plugin_coupling);
    const Analysis& coupling = analyses.get("router-coupling");
    for (const auto& parameter : coupling.info().parameters)
      parameters.try_emplace(parameter.id, parameter.defaultValue);
    if (!m_store) m_store = *trace::TraceStore::create(m_folder.filePath("empty.moescope").toStdString());
    AnalysisInput input{*m_store, {}, std::move(parameters), std::nullopt, {}, {}, std::move(stop)};
    if (!folder.empty()) input.checkpoint = folder;
    return coupling.run(input);
  }

  QTemporaryDir m_folder;
  std::shared_ptr<trace::TraceStore> m_store;
};

QTEST_APPLESS_MAIN(TestRouterCoupling)
#include "tst_router_coupling.moc"
