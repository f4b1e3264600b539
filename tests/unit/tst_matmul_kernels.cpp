// Matrix products of the CPU decoder, every instruction set of this processor: against sums in double
// precision, with odd sizes, unaligned memory, and memory that ends where the data ends.
#include <QTest>

#include <algorithm>
#include <cmath>

#include "tests/unit/kernel_data.h"

using namespace moescope;
using namespace moescope::engine;

class TestMatmulKernels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void matmulEqualsSumsInDouble_data() { addKernels(); }
  void matmulEqualsSumsInDouble() {
    Numbers numbers;
    for (const Storage storage : {Storage::F32, Storage::BF16, Storage::F16}) {
      for (const std::size_t columns : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 257})
        checkShapes(storage, columns, numbers);
    }
    for (const Storage storage : {Storage::Q8_0, Storage::Q4_0}) {
      for (const std::size_t columns : {32, 64, 96, 256}) checkShapes(storage, columns, numbers);
    }
  }

  // Quantised weights give the bits that the same weights give as float32.
  void matmulOfBlocksIsThatOfWidenedWeights_data() { addKernels(); }
  void matmulOfBlocksIsThatOfWidenedWeights() {
    Numbers numbers;
    for (const Storage storage : {Storage::Q8_0, Storage::Q4_0}) {
      const Matrix matrix(storage, 19, 160, numbers);
      for (const int tokens : {1, 3, 4, 9}) {
        const Rows input(static_cast<std::size_t>(tokens), 160);
        numbers.fill(input.values);
        const Rows stored(static_cast<std::size_t>(tokens), 19), wide(static_cast<std::size_t>(tokens), 19);
        MatmulJob job{matrix.data(),         storage, 160,   0, 19, input.inputs.data(),
                      stored.outputs.data(), nullptr, tokens};
        kernels().matmul(job);
        job.weights = matrix.wide.data();
        job.storage = Storage::F32;
        job.outputs = wide.outputs.data();
        kernels().matmul(job);
        QVERIFY(bytesOf(stored.values) == bytesOf(wide.values));
      }
    }
  }

  void widenIsExact_data() { addKernels(); }
  void widenIsExact() {
    Numbers numbers;
    for (const Storage storage : {Storage::F32, Storage::BF16, Storage::F16, Storage::Q8_0, Storage::Q4_0}) {
      for (const std::size_t count : {1, 5, 16, 31, 32, 64, 96, 160, 167}) {
        if (count % 32 != 0 && bytesOf(storage, 1) == 0) continue;
        const Matrix matrix(storage, 1, count, numbers);
        const FencedArray<float> found(count);
        kernels().widen(matrix.data(), storage, static_cast<std::int64_t>(count), found.data());
        QVERIFY(std::equal(found.data(), found.data() + count, matrix.wide.data()));
      }
    }
  }

  // What a (row, token) pair gives does not depend on which others are computed with it.
  void matmulBitsDoNotDependOnTheTile_data() { addKernels(); }
  void matmulBitsDoNotDependOnTheTile() {
    Numbers numbers;
    constexpr std::size_t kRows = 37;
    constexpr int kTokens = 11;
    for (const Storage storage : {Storage::F32, Storage::BF16, Storage::F16, Storage::Q8_0, Storage::Q4_0}) {
      const std::int64_t columns = bytesOf(storage, 1) == 0 ? 96 : 83;
      const Matrix matrix(storage, kRows, static_cast<std::size_t>(columns), numbers);
      const Rows input(kTokens, static_cast<std::size_t>(columns));
      numbers.fill(input.values);
      const Rows whole(kTokens, kRows);
      MatmulJob job{matrix.data(),        storage, columns, 0, kRows, input.inputs.data(),
                    whole.outputs.data(), nullptr, kTokens};
      kernels().matmul(job);
      for (const std::int64_t share : {1, 2, 5, 8, 16}) {
        for (const int group : {1, 2, 3, 4, 7}) {
          const Rows parts(kTokens, kRows);
          for (std::int64_t row = 0; row < std::int64_t{kRows}; row += share) {
            for (int token = 0; token < kTokens; token += group) {
              MatmulJob part = job;
              part.firstRow = row;
              part.endRow = std::min<std::int64_t>(kRows, row + share);
              part.inputs = input.inputs.data() + token;
              part.outputs = parts.outputs.data() + token;
              part.tokens = std::min(group, kTokens - token);
              kernels().matmul(part);
            }
          }
          QVERIFY(bytesOf(parts.values) == bytesOf(whole.values));
        }
      }
    }
  }

  void matmulTakesUnalignedMemory_data() { addKernels(); }
  void matmulTakesUnalignedMemory() {
    Numbers numbers;
    constexpr std::size_t kRows = 9;
    constexpr std::size_t kColumns = 50;
    const Matrix matrix(Storage::BF16, kRows, kColumns, numbers);
    const Rows input(2, kColumns);
    numbers.fill(input.values);
    const Rows aligned(2, kRows);
    MatmulJob job{matrix.data(),       Storage::BF16,          kColumns, 0, kRows,
                  input.inputs.data(), aligned.outputs.data(), nullptr,  2};
    kernels().matmul(job);
    for (std::size_t shift = 0; shift < 32; ++shift) {
      std::vector<std::uint16_t> moved(shift + kRows * kColumns);
      std::memcpy(moved.data() + shift, matrix.data(), 2 * kRows * kColumns);
      std::vector<float> movedInput(shift + 2 * kColumns);
      std::copy_n(input.values.data(), 2 * kColumns, movedInput.begin() + static_cast<std::ptrdiff_t>(shift));
      const std::vector<const float*> inputs{movedInput.data() + shift, movedInput.data() + shift + kColumns};
      const Rows output(2, kRows);
      MatmulJob other = job;
      other.weights = moved.data() + shift;
      other.inputs = inputs.data();
      other.outputs = output.outputs.data();
      kernels().matmul(other);
      QVERIFY(bytesOf(output.values) == bytesOf(aligned.values));
    }
  }

  // Every one of the 65536 patterns, subnormal ones included.
  void sixteenBitFormatsAreWidenedExactly_data() { addKernels(); }
  void sixteenBitFormatsAreWidenedExactly() {
    for (const Storage storage : {Storage::BF16, Storage::F16}) {
      FencedArray<std::uint16_t> all(65536);
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
      const float one = 1.0F;
      const float* input = &one;
      FencedArray<float> wide(all.size());
      float* output = wide.data();
      kernels().matmul({all.data(), storage, 1, 0, 65536, &input, &output, nullptr, 1});
      for (std::size_t i = 0; i < all.size(); ++i) {
        const float wanted = storage == Storage::BF16 ? bfloat16ToFloat(all[i]) : halfToFloat(all[i]);
        QVERIFY2(wide[i] == wanted || (std::isnan(wide[i]) && std::isnan(wanted)),
                 qPrintable(QString::number(i)));
      }
    }
  }

 private:
  static void checkShapes(Storage storage, std::size_t columns, Numbers& numbers) {
    for (const std::size_t rows : {1, 2, 3, 7, 8, 9, 19}) {
      const Matrix matrix(storage, rows, columns, numbers);
      for (const int tokens : {1, 2, 3, 4, 5, 9}) {
        const Rows input(static_cast<std::size_t>(tokens), columns);
        numbers.fill(input.values);
        const Rows output(static_cast<std::size_t>(tokens), rows);
        checkMatmul(matrix, rows, input, output, tokens, nullptr);
        FencedArray<float> gains(static_cast<std::size_t>(tokens));
        numbers.fill(gains);
        checkMatmul(matrix, rows, input, output, tokens, gains.data());
      }
    }
  }

  static void checkMatmul(const Matrix& matrix, std::size_t rows, const Rows& input, const Rows& output,
                          int tokens, const float* gains) {
    // The rows at both ends are left out, to see that they are left alone.
    const std::size_t first = rows > 2 ? 1 : 0;
    const std::size_t end = rows > 2 ? rows - 1 : rows;
    for (std::size_t i = 0; i < output.values.size(); ++i) output.values[i] = 0.25F;
    const auto columns = static_cast<std::int64_t>(matrix.columns);
    kernels().matmul({matrix.data(), matrix.storage, columns, static_cast<std::int64_t>(first),
                      static_cast<std::int64_t>(end), input.inputs.data(), output.outputs.data(), gains,
                      tokens});
    for (int token = 0; token < tokens; ++token) {
      const auto t = static_cast<std::size_t>(token);
      for (std::size_t row = 0; row < rows; ++row) {
        const double found = output.outputs[t][row];
        if (row < first || row >= end) {
          QCOMPARE(found, 0.25);
          continue;
        }
        double sum = 0.0;
        double magnitudes = 0.0;
        for (std::size_t c = 0; c < matrix.columns; ++c) {
          const double product = double{matrix.wide[row * matrix.columns + c]} * input.inputs[t][c];
          sum += product;
          magnitudes += std::abs(product);
        }
        const double gain = gains == nullptr ? 1.0 : gains[t];
        const double wanted = gains == nullptr ? sum : 0.25 + gain * sum;
        const double allowed =
            std::abs(gain) * bound(magnitudes, matrix.columns) + 2 * kRounding * std::abs(wanted);
        QVERIFY(std::abs(found - wanted) <= allowed);
      }
    }
  }
};

QTEST_APPLESS_MAIN(TestMatmulKernels)
#include "tst_matmul_kernels.moc"
