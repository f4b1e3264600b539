// Both decoders on GGUF twins of the test checkpoints, against what transformers computed for those; and
// quantised weights against the same weights in float32.
#include <QTest>

#include "core/engine/api/verify.h"
#include "tests/support/engine_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

std::filesystem::path pathOf(const QString& name) {
  return std::filesystem::path(MOESCOPE_TEST_DATA "/gguf") / name.toStdString();
}

}  // namespace

class TestGoldenGguf : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void equalsTransformers_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("device");
    QTest::addColumn<bool>("tokenByToken");
    for (const auto& entry : std::filesystem::directory_iterator(MOESCOPE_TEST_DATA "/gguf")) {
      const QString file = QString::fromStdString(entry.path().filename().string());
      if (!file.endsWith(".gguf") || file == "olmoe_mixed.gguf" || file == "olmoe_k_quants.gguf") continue;
      for (const char* device : {"cpu", "cpu-torch"}) {
        for (const bool tokenByToken : {false, true}) {
          QTest::addRow("%s, %s, %s", qPrintable(file), device,
                        tokenByToken ? "token by token" : "one prefill")
              << file << QString(device) << tokenByToken;
        }
      }
    }
  }
  void equalsTransformers() {
    QFETCH(QString, file);
    QFETCH(QString, device);
    QFETCH(bool, tokenByToken);
    const auto model = loadModel(pathOf(file), device.toStdString());
    VerifyOptions options;
    options.tokenByToken = tokenByToken;
    const auto reference = checkpointFolder(file.section('.', 0, 0).toStdString()) / "reference.safetensors";
    const auto report = orDie(verify(*model, reference, options));
    QVERIFY(report.notCompared.empty());
    bool comparesLogits = false;
    for (const auto& value : report.values) {
      comparesLogits |= value.quantity == "logits";
      QVERIFY2(
          value.maxAbsolute <= 1e-4,
          qPrintable(QString("%1: %2").arg(QString::fromStdString(value.quantity)).arg(value.maxAbsolute)));
    }
    QVERIFY(comparesLogits);
    QCOMPARE(report.routing.size(), model->checkpoint().description().routers.size());
    for (const auto& routing : report.routing) QCOMPARE(routing.setDiffers, std::int64_t{0});
    QVERIFY(report.greedy && report.greedy->differ == 0);
    QVERIFY(report.passed);
  }

  // On either decoder and with any type the quantised file computes what its float32 twin does.
  void computesWhatTheDequantisedTwinDoes() {
    const auto twin = loadModel(pathOf("olmoe_mixed"), "cpu");
    const auto ids = spreadIds(*twin, 40);
    const auto expected = forwardAll(*orDie(twin->newSession()), ids, {40});
    const auto wide = loadModel(pathOf("olmoe_mixed.gguf"), "cpu");
    QVERIFY(forwardAll(*orDie(wide->newSession()), ids, {40}) == expected);
    const auto stored = loadModel(pathOf("olmoe_mixed.gguf"), "cpu", Dtype::Auto);
    QVERIFY(forwardAll(*orDie(stored->newSession()), ids, {40}) == expected);
  }

  void staysQuantisedInMemory() {
    const auto stored = loadModel(pathOf("olmoe_mixed.gguf"), "cpu", Dtype::Auto);
    const auto wide = loadModel(pathOf("olmoe_mixed.gguf"), "cpu", Dtype::F32);
    for (const char* type : {"q4_0", "q5_0", "q8_0", "mxfp4", "f16", "bf16"})
      QVERIFY2(stored->dtypeName().find(type) != std::string::npos, stored->dtypeName().c_str());
    QVERIFY(stored->memory().weights <= stored->checkpoint().weightBytes());
    QVERIFY(stored->memory().weights < wide->memory().weights / 2);
  }
};

QTEST_APPLESS_MAIN(TestGoldenGguf)
#include "tst_golden_gguf.moc"
