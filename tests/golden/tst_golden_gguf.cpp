// Both decoders on GGUF twins of the test checkpoints, against what transformers computed for those; and
// quantised weights against the same weights in float32.
#include <QTemporaryDir>
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

  // Rounded when it is loaded, a checkpoint computes what gguf's quantize makes of it, bit for bit.
  void roundsAsGgufDoes_data() {
    QTest::addColumn<int>("dtype");
    QTest::addRow("q8_0") << static_cast<int>(Dtype::Q8_0);
    QTest::addRow("q4_0") << static_cast<int>(Dtype::Q4_0);
  }
  void roundsAsGgufDoes() {
    QFETCH(int, dtype);
    const std::string name = QTest::currentDataTag();
    const auto twin = loadModel(pathOf("rounded") / ("olmoe." + name + ".gguf"), "cpu", Dtype::Auto);
    const auto rounded = loadModel(checkpointFolder("olmoe"), "cpu", static_cast<Dtype>(dtype));
    QVERIFY2(rounded->dtypeName().find(name) != std::string::npos, rounded->dtypeName().c_str());
    const auto ids = spreadIds(*twin, 40);
    const auto expected = forwardAll(*orDie(twin->newSession()), ids, {40});
    QVERIFY(forwardAll(*orDie(rounded->newSession()), ids, {40}) == expected);
    QVERIFY(forwardAll(*orDie(rounded->newSession()), ids, {1}) == expected);
  }

  // The second load maps what the first one kept; a file that is not whole is written anew, and a folder that
  // cannot be written costs only the rounding.
  void keepsRoundedWeights() {
    const QTemporaryDir folder;
    const std::filesystem::path kept = folder.filePath("weights").toStdString();
    const auto checkpoint = orDie(checkpoint::Checkpoint::open(checkpointFolder("olmoe")));
    const auto load = [&](const std::filesystem::path& to) {
      LoadOptions options;
      options.device = "cpu";
      options.dtype = Dtype::Q4_0;
      options.roundedFolder = to;
      return orDie(orDie(loadEngine())->load(checkpoint, options, {}, {}));
    };
    const auto first = load(kept);
    QVERIFY(first->memory().mapped < first->memory().weights);
    const auto ids = spreadIds(*first, 40);
    const auto expected = forwardAll(*orDie(first->newSession()), ids, {40});
    const auto file = std::filesystem::directory_iterator(kept)->path();
    QVERIFY(file.filename().string().starts_with(checkpoint->fingerprint()));
    QVERIFY(file.filename().string().ends_with("-q4_0.weights"));
    QVERIFY(file.filename().string().find("-0-") == std::string::npos);
    const auto size = std::filesystem::file_size(file);
    const auto second = load(kept);
    QCOMPARE(second->memory().mapped, second->memory().weights);
    QVERIFY(forwardAll(*orDie(second->newSession()), ids, {40}) == expected);
    std::filesystem::resize_file(file, size - 1);
    const auto third = load(kept);
    QVERIFY(third->memory().mapped < third->memory().weights);
    QCOMPARE(std::filesystem::file_size(file), size);
    const auto fourth = load(file / "no folder");
    QVERIFY(forwardAll(*orDie(fourth->newSession()), ids, {40}) == expected);
  }

  void onlyTheProcessorRounds() {
    const auto checkpoint = orDie(checkpoint::Checkpoint::open(checkpointFolder("olmoe")));
    LoadOptions options;
    options.device = "cpu-torch";
    options.dtype = Dtype::Q8_0;
    const auto model = orDie(loadEngine())->load(checkpoint, options, {}, {});
    QVERIFY(!model);
    QCOMPARE(QString::fromStdString(model.error().kind), QString("engine.unsupported"));
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
