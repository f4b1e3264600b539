// The arithmetic of the CPU decoder but for its matrices, every instruction set of this processor: against
// sums in double precision, with odd sizes, and memory that ends where the data ends.
#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/unit/kernel_data.h"

using namespace moescope;
using namespace moescope::engine;

class TestKernels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void plainIsAlwaysThere() {
    const auto available = availableKernels();
    QCOMPARE(QString(available.back()->name), QString("plain"));
    QCOMPARE(available.front(), &bestKernels());
#if defined(__x86_64__)
    QCOMPARE(available.size() > 1, static_cast<bool>(__builtin_cpu_supports("avx2")));
#endif
  }

  void rmsNorm_data() { addKernels(); }
  void rmsNorm() {
    Numbers numbers;
    for (std::size_t count = 1; count <= 70; ++count) {
      FencedArray<float> x(count), w(count), y(count);
      numbers.fill(x, 3.0F);
      numbers.fill(w);
      kernels().rmsNorm(x.data(), w.data(), 1e-5F, static_cast<std::int64_t>(count), y.data());
      double squares = 0.0;
      for (std::size_t i = 0; i < count; ++i) squares += double{x[i]} * x[i];
      const double factor = 1.0 / std::sqrt(squares / static_cast<double>(count) + 1e-5);
      for (std::size_t i = 0; i < count; ++i) {
        QVERIFY(std::abs(y[i] - w[i] * x[i] * factor) <= 1e-6 * std::abs(w[i] * x[i] * factor));
      }
      kernels().rmsNorm(x.data(), w.data(), 1e-5F, static_cast<std::int64_t>(count), x.data());
      QVERIFY(bytesOf(x) == bytesOf(y));
    }
  }

  void siluTimes_data() { addKernels(); }
  void siluTimes() {
    Numbers numbers;
    for (std::size_t count = 1; count <= 70; ++count) {
      FencedArray<float> gate(count), up(count);
      numbers.fill(gate, 4.0F);
      numbers.fill(up);
      std::vector<double> wanted(count);
      for (std::size_t i = 0; i < count; ++i)
        wanted[i] = gate[i] / (1.0 + std::exp(-double{gate[i]})) * up[i];
      kernels().siluTimes(gate.data(), up.data(), static_cast<std::int64_t>(count));
      for (std::size_t i = 0; i < count; ++i)
        QVERIFY(std::abs(gate[i] - wanted[i]) <= 1e-6 * std::abs(wanted[i]));
    }
    // A fine grid over everything that can occur; far out it is x or nothing.
    for (int i = -2000; i <= 2000; ++i) {
      float x = static_cast<float>(i) / 20.0F;
      const double wanted = x / (1.0 + std::exp(-double{x}));
      const float one = 1.0F;
      kernels().siluTimes(&x, &one, 1);
      QVERIFY(std::abs(x - wanted) <= 1e-6 * std::abs(wanted) + 1e-35);
    }
    float nan = std::numeric_limits<float>::quiet_NaN();
    const float one = 1.0F;
    kernels().siluTimes(&nan, &one, 1);
    QVERIFY(std::isnan(nan));
  }

  void add_data() { addKernels(); }
  void add() {
    Numbers numbers;
    for (std::size_t count = 1; count <= 70; ++count) {
      FencedArray<float> x(count), y(count);
      numbers.fill(x);
      numbers.fill(y);
      std::vector<float> wanted(count);
      for (std::size_t i = 0; i < count; ++i) wanted[i] = y[i] + x[i];
      kernels().add(y.data(), x.data(), static_cast<std::int64_t>(count));
      QVERIFY(std::equal(wanted.begin(), wanted.end(), y.data()));
    }
  }

  // Scores, softmax and mixed values of one head, as attention uses them.
  void attention_data() { addKernels(); }
  void attention() {
    Numbers numbers;
    for (const int headDim : {1, 4, 7, 8, 16, 24, 32, 64, 80, 128}) {
      for (const std::int64_t keys : {1, 2, 15, 16, 17, 63, 64, 65, 100})
        checkAttention(headDim, keys, numbers);
    }
  }

  void softmaxKeepsNotANumberAndLargeValues_data() { addKernels(); }
  void softmaxKeepsNotANumberAndLargeValues() {
    FencedArray<float> values(kKeyTile);
    std::fill_n(values.data(), kKeyTile, 0.0F);
    values[0] = 3000.0F;
    values[1] = 2999.0F;
    values[2] = -3000.0F;
    kernels().softmax(values.data(), 3);
    QVERIFY(std::abs(values[0] - 1.0 / (1.0 + std::exp(-1.0))) < 1e-6);
    QVERIFY(std::abs(values[1] - 1.0 / (1.0 + std::exp(1.0))) < 1e-6);
    QVERIFY(values[2] >= 0.0F && values[2] < 1e-30F);
    values[1] = std::numeric_limits<float>::quiet_NaN();
    kernels().softmax(values.data(), 3);
    QVERIFY(std::isnan(values[0]));
  }

 private:
  static void checkAttention(int headDim, std::int64_t keys, Numbers& numbers) {
    const auto dim = static_cast<std::size_t>(headDim);
    const auto count = static_cast<std::size_t>(keys);
    const std::size_t padded = (count + kKeyTile - 1) / kKeyTile * kKeyTile;
    FencedArray<float> query(dim), tiles(padded * dim), values(count * dim), scores(padded), out(dim);
    numbers.fill(query);
    numbers.fill(values);
    // Places after the last key hold what an earlier text left there.
    for (std::size_t i = 0; i < tiles.size(); ++i) tiles[i] = std::numeric_limits<float>::quiet_NaN();
    const auto key = [&](std::size_t j, std::size_t d) -> float& {
      return tiles[(j / kKeyTile * dim + d) * kKeyTile + j % kKeyTile];
    };
    for (std::size_t j = 0; j < count; ++j) {
      for (std::size_t d = 0; d < dim; ++d) key(j, d) = numbers();
    }
    kernels().scores(query.data(), tiles.data(), headDim, keys, 0.3F, scores.data());
    std::vector<double> shares(count);
    for (std::size_t j = 0; j < count; ++j) {
      double sum = 0.0;
      double magnitudes = 0.0;
      for (std::size_t d = 0; d < dim; ++d) {
        sum += double{query[d]} * key(j, d);
        magnitudes += std::abs(double{query[d]} * key(j, d));
      }
      QVERIFY(std::abs(scores[j] - double{0.3F} * sum) <= bound(magnitudes, dim + 2));
      shares[j] = scores[j];
    }
    const double largest = *std::max_element(shares.begin(), shares.end());
    double total = 0.0;
    for (const double share : shares) total += std::exp(share - largest);
    kernels().softmax(scores.data(), keys);
    for (std::size_t j = 0; j < count; ++j) {
      // The argument is rounded to float32 before the exponential, which multiplies that rounding by it.
      const double wanted = std::exp(shares[j] - largest) / total;
      QVERIFY(std::abs(scores[j] - wanted) <= (16 + largest - shares[j]) * kRounding * wanted);
    }
    kernels().mixValues(scores.data(), values.data(), headDim, keys, out.data());
    for (std::size_t d = 0; d < dim; ++d) {
      double sum = 0.0;
      double magnitudes = 0.0;
      for (std::size_t j = 0; j < count; ++j) {
        sum += double{scores[j]} * values[j * dim + d];
        magnitudes += std::abs(double{scores[j]} * values[j * dim + d]);
      }
      QVERIFY(std::abs(out[d] - sum) <= bound(magnitudes, count));
    }
  }
};

QTEST_APPLESS_MAIN(TestKernels)
#include "tst_kernels.moc"
