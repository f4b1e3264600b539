// Parts of the CPU decoder without a model: native routing, KV cache, memory check, weights in memory.
#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "core/base/half.h"
#include "core/checkpoint/float_values.h"
#include "core/engine/torch/devices.h"
#include "core/engine/torch/kernels/kernels.h"
#include "core/engine/torch/kv_cache.h"
#include "core/engine/torch/memory_check.h"
#include "core/engine/torch/native_router.h"
#include "core/engine/torch/rotary.h"
#include "core/engine/torch/weight_storage.h"
#include "core/steering/steering_plan.h"

using namespace moescope;
using namespace moescope::engine;

namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

checkpoint::TensorView viewOf(checkpoint::DType dtype, std::span<const std::byte> bytes,
                              std::vector<std::int64_t> shape) {
  checkpoint::TensorView view;
  view.name = "w";
  view.dtype = dtype;
  view.shape = std::move(shape);
  view.bytes = bytes;
  return view;
}

}  // namespace

class TestCpuDecoder : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // The fast path of an unsteered row has the bits of the scalar definition, for every kind of router.
  void nativeRouterEqualsTheScalarDefinition_data() {
    QTest::addColumn<int>("score");
    QTest::addColumn<int>("norm");
    QTest::addColumn<double>("scale");
    QTest::addColumn<bool>("bias");
    for (const ScoreKind score :
         {ScoreKind::SoftmaxAll, ScoreKind::SigmoidAll, ScoreKind::TopkSoftmax, ScoreKind::SparseMixer}) {
      for (const WeightNorm norm :
           {WeightNorm::None, WeightNorm::SumOne, WeightNorm::ClampedSum, WeightNorm::Power}) {
        for (const double scale : {1.0, 2.5}) {
          for (const bool bias : {false, true}) {
            QTest::addRow("%s, %s, %g, %s", std::string(name(score)).c_str(), std::string(name(norm)).c_str(),
                          scale, bias ? "bias" : "no bias")
                << static_cast<int>(score) << static_cast<int>(norm) << scale << bias;
          }
        }
      }
    }
  }
  void nativeRouterEqualsTheScalarDefinition() {
    QFETCH(int, score);
    QFETCH(int, norm);
    QFETCH(double, scale);
    QFETCH(bool, bias);
    std::mt19937 random(4);
    for (const auto& [experts, topK] : {std::pair{1, 1}, {2, 1}, {7, 7}, {8, 2}, {32, 4}, {128, 8}}) {
      RouterSpec spec;
      spec.experts = experts;
      spec.topK = topK;
      spec.score = static_cast<ScoreKind>(score);
      spec.norm = static_cast<WeightNorm>(norm);
      const double parameters[] = {0.0, 1e-20, 1e-12, 2.0};
      spec.normParameter = parameters[norm];
      spec.mixerEps = 0.1;
      spec.scale = scale;
      for (int i = 0; bias && i < experts; ++i) {
        spec.selectionBias.push_back(static_cast<float>(static_cast<int>(random() % 200)) / 100.0F);
      }
      NativeRouter router(spec);
      for (int repetition = 0; repetition < 200; ++repetition) {
        // Few distinct values, so that ties are common.
        std::vector<float> logits(static_cast<std::size_t>(experts));
        for (float& z : logits) z = static_cast<float>(static_cast<int>(random() % 41) - 20) / 7.0F;
        std::vector<std::int32_t> ids(static_cast<std::size_t>(topK));
        std::vector<float> weights(ids.size());
        router.choose(logits.data(), ids.data(), weights.data());
        const auto wanted = steering::nativeChoice(logits, spec);
        QVERIFY(ids == wanted.ids);
        for (std::size_t i = 0; i < weights.size(); ++i) QCOMPARE(bits(weights[i]), bits(wanted.weights[i]));
      }
    }
  }

  void routerSurvivesNotANumber() {
    RouterSpec spec;
    spec.experts = 8;
    spec.topK = 3;
    NativeRouter router(spec);
    const std::vector<float> logits(8, std::numeric_limits<float>::quiet_NaN());
    std::vector<std::int32_t> ids(3);
    std::vector<float> weights(3);
    router.choose(logits.data(), ids.data(), weights.data());
    std::sort(ids.begin(), ids.end());
    QVERIFY(ids.front() >= 0 && ids.back() < 8 && std::adjacent_find(ids.begin(), ids.end()) == ids.end());
    QVERIFY(std::isnan(weights[0]));
  }

  void cacheKeepsKeysInTilesAndValuesInRows() {
    const KvShape shape{2, 3, 5, 5, 40};
    QCOMPARE(shape.bytes(), std::int64_t{2 * 3 * 2 * 48 * 5 * 4});  // positions rounded up to tiles of 16
    auto cache = KvCache::create(shape);
    QVERIFY(cache);
    const auto number = [](int layer, int head, int position, int d, int which) {
      return static_cast<float>((((layer * 3 + head) * 40 + position) * 5 + d) * 2 + which);
    };
    const auto fill = [&](KvCache& to, int first, int end, float sign) {
      for (int layer = 0; layer < 2; ++layer) {
        for (int head = 0; head < 3; ++head) {
          for (int position = first; position < end; ++position) {
            float key[5];
            float value[5];
            for (int d = 0; d < 5; ++d) {
              key[d] = sign * number(layer, head, position, d, 0);
              value[d] = sign * number(layer, head, position, d, 1);
            }
            to.write(layer, head, position, key, value);
          }
        }
      }
    };
    const auto holds = [&](const KvCache& in, int end) {
      for (int layer = 0; layer < 2; ++layer) {
        for (int head = 0; head < 3; ++head) {
          const float* keys = in.keyTiles(layer, head);
          const float* values = in.values(layer, head);
          for (int position = 0; position < end; ++position) {
            for (int d = 0; d < 5; ++d) {
              if (keys[(position / 16 * 5 + d) * 16 + position % 16] != number(layer, head, position, d, 0))
                return false;
              if (values[position * 5 + d] != number(layer, head, position, d, 1)) return false;
            }
          }
        }
      }
      return true;
    };
    fill(*cache, 0, 40, 1.0F);
    QVERIFY(holds(*cache, 40));
    auto copy = KvCache::create(shape);
    copy->copyFrom(*cache, 20);
    QVERIFY(holds(*copy, 20));
    QVERIFY(!holds(*copy, 33));
    fill(*copy, 20, 40, -1.0F);  // writing the copy leaves the original alone, and its own first part too
    QVERIFY(holds(*cache, 40));
    QVERIFY(holds(*copy, 20));
    fill(*copy, 20, 40, 1.0F);
    QVERIFY(holds(*copy, 40));
  }

  void impossibleCachesAreRefused() {
    const KvShape shape{1000, 1000, 1000, 1000, std::int64_t{1} << 40};
    QCOMPARE(shape.bytes(), std::numeric_limits<std::int64_t>::max());
    const auto refused = KvCache::create(shape);
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("machine.out_of_memory"));
  }

  void memoryCheckSaysWhatIsMissing() {
    QVERIFY(requireMemory(3 * kGiB, 3 * kGiB, "the model", "cpu"));
    const auto refused =
        requireMemory(13 * kGiB + kGiB / 2, 8 * kGiB, "the model with its context", "cuda:0");
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("machine.out_of_memory"));
    QCOMPARE(QString::fromStdString(refused.error().where), QString("cuda:0"));
    QCOMPARE(
        QString::fromStdString(refused.error().message),
        QString("the model with its context needs 13.5 GiB and 8.0 GiB are free, so 5.5 GiB are missing"));
    QVERIFY(!refused.error().advice.empty());
    // A little too much is not "0.0 GiB missing".
    const auto nearly = requireMemory(kGiB + 5 * 1024 * 1024, kGiB, "a context", "cpu");
    QVERIFY(!nearly);
    QVERIFY2(nearly.error().message.find("so 5.0 MiB are missing") != std::string::npos,
             nearly.error().message.c_str());
  }

  // What a model holds counts where the next one would go, but for weights in the mapped file, which are page
  // cache and free already.
  void unloadingGivesBackWhatIsNotMapped() {
    const MemoryUse use{.weights = 700, .cache = 50, .other = 5, .mapped = 600};
    const auto device = [](const char* id) { return DeviceInfo{id, "", 10000, 1000}; };
    QCOMPARE(freeBytesWithout(use, "cpu", device("cpu")), std::int64_t{1155});
    QCOMPARE(freeBytesWithout(use, "cpu-torch", device("cpu")), std::int64_t{1155});
    QCOMPARE(freeBytesWithout(use, "cuda:0", device("cuda:0")), std::int64_t{1155});
    QCOMPARE(freeBytesWithout(use, "cuda:0", device("cuda:1")), std::int64_t{1000});
    QCOMPARE(freeBytesWithout(use, "cuda:0", device("cpu")), std::int64_t{1000});
    QCOMPARE(freeBytesWithout(use, "cpu", device("cuda:0")), std::int64_t{1000});
  }

  void sizesSaturate() {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    QCOMPARE(saturatedProduct(6, 7), std::int64_t{42});
    QCOMPARE(saturatedProduct(kMost / 2, 3), kMost);
    QCOMPARE(saturatedProduct(0, kMost), std::int64_t{0});
    QCOMPARE(saturatedSum(40, 2), std::int64_t{42});
    QCOMPARE(saturatedSum(kMost, 1), kMost);
  }

  void theMachineIsKnown() {
    const auto memory = machineMemory();
    QVERIFY(memory.totalBytes > kGiB / 4);
    QVERIFY(memory.freeBytes > 0 && memory.freeBytes <= memory.totalBytes);
    QVERIFY(usableCores() >= 1);
    QVERIFY(listDevices()[0].id == "cpu");
  }

  void weightsAreConvertedToNearestEven() {
    // Values between two 16-bit neighbours, from numpy: np.float16(x), and x rounded to bfloat16 by torch.
    const std::vector<float> values{1.0F,     1.0009765F, 1.00048828125F, 65519.0F,
                                    65520.0F, 1e-8F,      3.14159265F,    -2.71828F};
    const std::vector<std::uint16_t> halves{0x3c00, 0x3c01, 0x3c00, 0x7bff, 0x7c00, 0x0000, 0x4248, 0xc170};
    const std::vector<std::uint16_t> bfloats{0x3f80, 0x3f80, 0x3f80, 0x4780, 0x4780, 0x322c, 0x4049, 0xc02e};
    const auto view = viewOf(checkpoint::DType::F32, std::as_bytes(std::span(values)), {8});
    std::vector<std::uint16_t> found(8);
    convert(view, Storage::F16, reinterpret_cast<std::byte*>(found.data()));
    QVERIFY(found == halves);
    convert(view, Storage::BF16, reinterpret_cast<std::byte*>(found.data()));
    QVERIFY(found == bfloats);
    std::vector<float> same(8);
    convert(view, Storage::F32, reinterpret_cast<std::byte*>(same.data()));
    QVERIFY(same == values);
    QVERIFY(checkpoint::floatsOf(viewOf(checkpoint::DType::F16, std::as_bytes(std::span(halves)), {8}))[3] ==
            65504.0F);
    QVERIFY(checkpoint::floatsOf({}).empty());
  }

  void misalignedWeightsAreNotUsedInPlace() {
    alignas(8) static const std::byte memory[64] = {};
    const auto at = [](std::size_t offset, checkpoint::DType dtype) {
      return viewOf(dtype, std::span(memory).subspan(offset, 8), {1});
    };
    QVERIFY(usableInPlace(at(0, checkpoint::DType::BF16), Storage::BF16));
    QVERIFY(usableInPlace(at(2, checkpoint::DType::BF16), Storage::BF16));
    QVERIFY(!usableInPlace(at(1, checkpoint::DType::BF16), Storage::BF16));
    QVERIFY(!usableInPlace(at(2, checkpoint::DType::F32), Storage::F32));
    QVERIFY(!usableInPlace(at(0, checkpoint::DType::F16), Storage::BF16));
  }

  void typesThatCannotRunAreRefused() {
    const auto storage = [](checkpoint::DType dtype, Dtype wanted) {
      return storageFor(viewOf(dtype, {}, {}), wanted);
    };
    QCOMPARE(*storage(checkpoint::DType::BF16, Dtype::Auto), Storage::BF16);
    QCOMPARE(*storage(checkpoint::DType::F16, Dtype::Auto), Storage::F16);
    QCOMPARE(*storage(checkpoint::DType::F64, Dtype::Auto), Storage::F32);
    QCOMPARE(*storage(checkpoint::DType::F32, Dtype::BF16), Storage::BF16);
    const auto refused = storage(checkpoint::DType::I8, Dtype::Auto);
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("engine.unsupported"));
  }

  // Angles as transformers forms them: float32 products of position and frequency, here in double precision.
  void rotaryTurnsHalfSplitPairs() {
    checkpoint::RopeSpec spec;
    spec.theta = 10000.0;
    spec.rotaryDim = 8;
    Rotary rotary(spec, 4);
    rotary.prepare(37, 3, 37 + 3);
    std::vector<float> head{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};  // channels from 8 on pass through
    const auto before = head;
    rotary.apply(2, head.data());
    for (std::size_t i = 0; i < 4; ++i) {
      const double angle = 39.0 * std::pow(10000.0, -2.0 * static_cast<double>(i) / 8.0);
      QVERIFY(std::abs(head[i] - (before[i] * std::cos(angle) - before[i + 4] * std::sin(angle))) < 1e-4);
      QVERIFY(std::abs(head[i + 4] - (before[i + 4] * std::cos(angle) + before[i] * std::sin(angle))) < 1e-4);
    }
    QVERIFY(head[8] == 9.0F && head[9] == 10.0F);
    spec.scaling = checkpoint::RopeScaling::Linear;
    spec.factor = 4.0;
    Rotary stretched(spec, 1);
    stretched.prepare(40, 1, 40 + 1);
    spec.scaling = checkpoint::RopeScaling::None;
    Rotary plain(spec, 1);
    plain.prepare(10, 1, 10 + 1);
    QCOMPARE(stretched.cosines(), plain.cosines());
  }
};

QTEST_APPLESS_MAIN(TestCpuDecoder)
#include "tst_cpu_decoder.moc"
