// Every instruction set against long double and the scalar conversions, and against each other bit by bit.
#include <QTest>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "core/base/half.h"
#include "core/trace/row_kernels.h"

using namespace moescope;
using namespace moescope::trace;

namespace {

std::vector<float> draw(unsigned seed, std::size_t count, float spread) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, spread);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

}  // namespace

class TestRowKernels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void exponentialsAreExact() {
    for (const RowKernels* kernels : allRowKernels()) {
      for (const std::size_t count : {1, 2, 7, 8, 15, 16, 17, 31, 60, 64, 128, 300}) {
        for (const float spread : {0.1F, 3.0F, 30.0F}) {
          const auto logits = draw(static_cast<unsigned>(count), count, spread);
          std::vector<float> scores(count);
          const auto sums = kernels->exponentials(logits.data(), scores.data(), count);
          long double sum = 0, moment = 0;
          for (std::size_t i = 0; i < count; ++i) {
            const auto difference = static_cast<long double>(logits[i]) - static_cast<long double>(sums.top);
            const long double e = std::exp(difference);
            sum += e;
            moment += e * difference;
            QVERIFY(std::abs(static_cast<long double>(scores[i]) - e) <= 4e-7L * e + 1e-37L);
          }
          QVERIFY(std::abs(static_cast<long double>(sums.sum) - sum) <= 3e-7L * sum);
          QVERIFY(std::abs(static_cast<long double>(sums.moment) - moment) <= 1e-6L * (1 + std::abs(moment)));
        }
      }
    }
  }

  void instructionSetsAgree() {
    const RowKernels& plain = *allRowKernels().front();
    for (const RowKernels* kernels : allRowKernels()) {
      for (std::size_t count = 1; count < 140; ++count) {
        const auto logits = draw(static_cast<unsigned>(count) + 500, count, 4.0F);
        std::vector<float> a(count), b(count);
        const auto left = plain.exponentials(logits.data(), a.data(), count);
        const auto right = kernels->exponentials(logits.data(), b.data(), count);
        QVERIFY(a == b && left.sum == right.sum && left.moment == right.moment && left.top == right.top);
        plain.scale(a.data(), 0.37F, count);
        kernels->scale(b.data(), 0.37F, count);
        QVERIFY(a == b);
        std::vector<double> c(count, 1.5), d(count, 1.5);
        plain.accumulate(a.data(), c.data(), count);
        kernels->accumulate(b.data(), d.data(), count);
        QVERIFY(c == d);
        for (std::size_t i = 0; i < count; ++i) QVERIFY(c[i] == 1.5 + static_cast<double>(a[i]));
      }
    }
  }

  void notFiniteIsSeen() {
    for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
      for (const std::size_t at : {0, 5, 16, 19}) {
        auto logits = draw(1, 20, 1.0F);
        logits[at] = bad;
        for (const RowKernels* kernels : allRowKernels()) {
          std::vector<float> scores(20);
          const auto sums = kernels->exponentials(logits.data(), scores.data(), 20);
          QVERIFY(!std::isfinite(sums.sum) || !std::isfinite(sums.moment));
        }
      }
    }
  }

  void halvesAreThoseOfTheBase() {
    std::vector<float> values;
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4099)
      values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    // Every value halfway between two neighbours, and the two floats beside it.
    for (std::uint32_t half = 0; half < 0x7C00; ++half) {
      const float middle = (halfToFloat(static_cast<std::uint16_t>(half)) +
                            halfToFloat(static_cast<std::uint16_t>(half + 1))) /
                           2;
      if (!std::isfinite(middle)) continue;
      for (const float value : {middle, std::nextafter(middle, 0.0F), std::nextafter(middle, 1e9F), -middle})
        values.push_back(value);
    }
    std::vector<std::uint16_t> halves(values.size());
    std::vector<float> rounded(values.size());
    for (const RowKernels* kernels : allRowKernels()) {
      kernels->toHalf(values.data(), halves.data(), values.size());
      kernels->roundToHalf(values.data(), rounded.data(), values.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint16_t expected = floatToHalf(values[i]);
        if (halves[i] != expected) QFAIL(qPrintable(QString::number(static_cast<double>(values[i]))));
        const float back = halfToFloat(expected);
        QVERIFY(std::isnan(back)
                    ? std::isnan(rounded[i])
                    : std::bit_cast<std::uint32_t>(back) == std::bit_cast<std::uint32_t>(rounded[i]));
      }
    }
  }
};

QTEST_APPLESS_MAIN(TestRowKernels)
#include "tst_row_kernels.moc"
