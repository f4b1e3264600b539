// Half and bfloat16 conversions against the compiler's own 16-bit types.
#include <QTest>

#include <bit>
#include <cmath>
#include <cstdint>

#include "core/base/half.h"

using namespace moescope;

class TestHalf : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void everyHalfWidensExactly() {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
      const auto half = std::bit_cast<_Float16>(static_cast<std::uint16_t>(bits));
      const auto expected = static_cast<float>(half);
      const float actual = halfToFloat(static_cast<std::uint16_t>(bits));
      if (std::isnan(expected)) {
        QVERIFY(std::isnan(actual));
      } else {
        QCOMPARE(std::bit_cast<std::uint32_t>(actual), std::bit_cast<std::uint32_t>(expected));
      }
    }
  }

  void roundingToHalfAgreesWithTheCompiler() {
    // Every 8191st bit pattern (a prime step) passes all exponents and many rounding cases.
    for (std::uint64_t bits = 0; bits <= 0xFFFFFFFFU; bits += 8191) {
      const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      const auto expected = std::bit_cast<std::uint16_t>(static_cast<_Float16>(value));
      if (std::isnan(value)) {
        QVERIFY(std::isnan(halfToFloat(floatToHalf(value))));
      } else {
        QCOMPARE(floatToHalf(value), expected);
      }
    }
  }

  void bfloat16RoundsToNearestEven() {
    QCOMPARE(floatToBfloat16(1.0F), std::uint16_t{0x3F80});
    QCOMPARE(floatToBfloat16(std::bit_cast<float>(0x3F808000U)), std::uint16_t{0x3F80});  // tie, even below
    QCOMPARE(floatToBfloat16(std::bit_cast<float>(0x3F818000U)), std::uint16_t{0x3F82});  // tie, even above
    QCOMPARE(floatToBfloat16(std::bit_cast<float>(0x3F808001U)), std::uint16_t{0x3F81});
    QVERIFY(std::isnan(bfloat16ToFloat(floatToBfloat16(NAN))));
    QCOMPARE(bfloat16ToFloat(0xC040), -3.0F);
  }
};

QTEST_APPLESS_MAIN(TestHalf)
#include "tst_half.moc"
