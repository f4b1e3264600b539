// Quantised weights in LibTorch's decoder: kept as the file has them, with the bits of widened ones.
#include <QTest>

#include <malloc.h>

#include "tests/support/engine_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

/// Of glibc's main arena and of what it mapped: bytes that were asked for and not freed.
std::int64_t heapBytes() {
  const auto info = ::mallinfo2();
  return static_cast<std::int64_t>(info.uordblks) + static_cast<std::int64_t>(info.hblkhd);
}

}  // namespace

class TestGoldenDeviceStorage : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // LibTorch's decoder keeps them quantised as well and widens a matrix when it is used: the same bits as
  // with weights that were widened on loading, in the memory of the file.
  void quantisedWeightsStayQuantisedOnADevice_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QStringList>("types");
    const auto row = [](const char* name, const std::filesystem::path& file, const QStringList& types) {
      QTest::addRow("%s", name) << QString::fromStdString(file.string()) << types;
    };
    row("mxfp4", checkpointFolder("gpt_oss_mxfp4"), {"mxfp4"});
    row("fp8", checkpointFolder("deepseek_v3_fp8"), {"f8_e4m3"});
    row("fp8, partial blocks", checkpointFolder("deepseek_v3_fp8_edge"), {"f8_e4m3"});
    row("blocks of GGUF", MOESCOPE_TEST_DATA "/gguf/olmoe_mixed.gguf", {"q4_0", "q5_0", "q8_0", "mxfp4"});
    row("K-quants of GGUF", MOESCOPE_TEST_DATA "/gguf/olmoe_k_quants.gguf", {"q4_k", "q5_k", "q6_k"});
    row("mxfp4 of GGUF", MOESCOPE_TEST_DATA "/gguf/gpt_oss_mxfp4.gguf", {"mxfp4"});
  }
  void quantisedWeightsStayQuantisedOnADevice() {
    QFETCH(QString, file);
    QFETCH(QStringList, types);
    const std::filesystem::path path = file.toStdString();
    const auto stored = loadModel(path, "cpu-torch", Dtype::Auto);
    const QString said = QString::fromStdString(stored->dtypeName());
    for (const QString& type : types) QVERIFY2(said.contains(type), qPrintable(said));
    const bool isNarrow = said.contains("bf16 activations");
    QVERIFY2(isNarrow || said.contains("f32 activations"), qPrintable(said));
    const auto wide = loadModel(path, "cpu-torch", isNarrow ? Dtype::BF16 : Dtype::F32);
    QVERIFY2(!QString::fromStdString(wide->dtypeName()).contains(types.front()), wide->dtypeName().c_str());
    // Matrices that are not quantised may be stored wider or narrower than activations.
    QVERIFY(stored->memory().weights < wide->memory().weights);
    const auto own = loadModel(path, "cpu", Dtype::Auto);
    const double ratio = double(stored->memory().weights) / double(own->memory().weights);
    QVERIFY2(ratio > 0.5 && ratio < 1.25, qPrintable(QString::number(ratio)));
    const auto ids = spreadIds(*stored, 40);
    QVERIFY(forwardAll(*orDie(stored->newSession()), ids, {33, 1}) ==
            forwardAll(*orDie(wide->newSession()), ids, {33, 1}));
  }

  // The same measured: what the allocator of this process has given out for a loaded model and not taken
  // back.
  void quantisedWeightsAreMeasuredOnADevice() {
#ifdef __SANITIZE_ADDRESS__
    QSKIP("the sanitizer's allocator keeps no such counts");
#endif
    const std::filesystem::path file = MOESCOPE_TEST_DATA "/gguf/olmoe_k_quants.gguf";
    const auto measured = [&file](Dtype dtype) {
      (void)loadModel(file, "cpu-torch", dtype);  // what is allocated once
      const std::int64_t before = heapBytes();
      const auto checkpoint = openCheckpoint(file);
      const std::int64_t opened = heapBytes();
      const auto model = loadModel(file, "cpu-torch", dtype);
      return std::pair(heapBytes() - opened - (opened - before), model->memory().weights);
    };
    const auto [stored, storedSaid] = measured(Dtype::Auto);
    const auto [wide, wideSaid] = measured(Dtype::BF16);
    // Vectors, tables and tensor objects come to some 60 KiB more than the matrices that are counted.
    for (const auto& [bytes, said] : {std::pair(stored, storedSaid), std::pair(wide, wideSaid)}) {
      QVERIFY2(bytes >= said && bytes < said + 128 * 1024,
               qPrintable(QString("measured %1, counted %2").arg(bytes).arg(said)));
    }
    QVERIFY2(stored < wide / 2, qPrintable(QString("%1 and %2").arg(stored).arg(wide)));
  }
};

QTEST_APPLESS_MAIN(TestGoldenDeviceStorage)
#include "tst_golden_device_storage.moc"
