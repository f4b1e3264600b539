// The arithmetic of the CPU decoder, every instruction set of this processor: against sums in double
// precision, with odd sizes, unaligned memory, and memory that ends where the data ends.
#include <QTest>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/base/half.h"
#include "core/engine/torch/kernels/kernels.h"

using namespace moescope;
using namespace moescope::engine;

Q_DECLARE_METATYPE(const moescope::engine::Kernels*)

namespace {

constexpr double kRounding = 1.0 / (1 << 24);  // half a unit in the last place of 1, float32

/// Elements that end right before a page that may not be touched.
template <class Element>
class FencedArray {
 public:
  explicit FencedArray(std::size_t count) : m_count(count) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    m_bytes = (count * sizeof(Element) + page - 1) / page * page + page;
    m_memory = static_cast<std::byte*>(
        ::mmap(nullptr, m_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (m_memory == MAP_FAILED) qFatal("no memory");
    ::mprotect(m_memory + m_bytes - page, page, PROT_NONE);
    m_first = reinterpret_cast<Element*>(m_memory + m_bytes - page) - count;
  }
  ~FencedArray() { ::munmap(m_memory, m_bytes); }
  FencedArray(const FencedArray&) = delete;
  FencedArray& operator=(const FencedArray&) = delete;

  Element* data() const { return m_first; }
  Element& operator[](std::size_t i) const { return m_first[i]; }
  [[nodiscard]] std::size_t size() const { return m_count; }

 private:
  std::size_t m_count;
  std::size_t m_bytes = 0;
  std::byte* m_memory = nullptr;
  Element* m_first = nullptr;
};

class Numbers {
 public:
  float operator()(float scale = 1.0F) { return scale * m_normal(m_random); }
  template <class Floats>
  void fill(Floats& floats, float scale = 1.0F) {
    for (std::size_t i = 0; i < floats.size(); ++i) floats[i] = (*this)(scale);
  }

 private:
  std::mt19937 m_random{5};
  std::normal_distribution<float> m_normal{0.0F, 1.0F};
};

/// A matrix [rows, columns] in one of the storages, and its elements widened.
struct Matrix {
  Matrix(Storage stored, std::size_t rows, std::size_t width, Numbers& numbers)
      : storage(stored),
        columns(width),
        wide(rows * width),
        narrow(stored == Storage::F32 ? 0 : wide.size()) {
    for (std::size_t i = 0; i < wide.size(); ++i) {
      const float value = numbers();
      if (storage == Storage::F32) {
        wide[i] = value;
        continue;
      }
      narrow[i] = storage == Storage::BF16 ? floatToBfloat16(value) : floatToHalf(value);
      wide[i] = storage == Storage::BF16 ? bfloat16ToFloat(narrow[i]) : halfToFloat(narrow[i]);
    }
  }
  [[nodiscard]] const void* data() const {
    return storage == Storage::F32 ? static_cast<const void*>(wide.data()) : narrow.data();
  }

  Storage storage;
  std::size_t columns;
  FencedArray<float> wide;
  FencedArray<std::uint16_t> narrow;
};

struct Rows {
  Rows(std::size_t rows, std::size_t columns) : values(rows * columns) {
    for (std::size_t row = 0; row < rows; ++row) {
      inputs.push_back(values.data() + row * columns);
      outputs.push_back(values.data() + row * columns);
    }
  }
  FencedArray<float> values;
  std::vector<const float*> inputs;
  std::vector<float*> outputs;
};

/// |float sum - exact sum| <= (terms + 2) roundings of the sum of magnitudes, whatever the order.
double bound(double magnitudes, std::size_t terms) {
  return static_cast<double>(terms + 2) * kRounding * magnitudes;
}

std::string bytesOf(const FencedArray<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace

class TestKernels : public QObject {
  Q_OBJECT

  static void addKernels() {
    QTest::addColumn<const Kernels*>("kernels");
    for (const Kernels* kernels : availableKernels()) QTest::newRow(kernels->name) << kernels;
  }
  static const Kernels& kernels() {
    QFETCH(const Kernels*, kernels);
    return *kernels;
  }

 private Q_SLOTS:
  void plainIsAlwaysThere() {
    const auto available = availableKernels();
    QCOMPARE(QString(available.back()->name), QString("plain"));
    QCOMPARE(available.front(), &bestKernels());
#if defined(__x86_64__)
    QCOMPARE(available.size() > 1, static_cast<bool>(__builtin_cpu_supports("avx2")));
#endif
  }

  void matmulEqualsSumsInDouble_data() { addKernels(); }
  void matmulEqualsSumsInDouble() {
    Numbers numbers;
    for (const Storage storage : {Storage::F32, Storage::BF16, Storage::F16}) {
      for (const std::size_t columns : {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 257}) {
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
    }
  }

  // What a (row, token) pair gives does not depend on which others are computed with it.
  void matmulBitsDoNotDependOnTheTile_data() { addKernels(); }
  void matmulBitsDoNotDependOnTheTile() {
    Numbers numbers;
    constexpr std::size_t kRows = 37;
    constexpr std::size_t kColumns = 83;
    constexpr int kTokens = 11;
    for (const Storage storage : {Storage::F32, Storage::BF16, Storage::F16}) {
      const Matrix matrix(storage, kRows, kColumns, numbers);
      const Rows input(kTokens, kColumns);
      numbers.fill(input.values);
      const Rows whole(kTokens, kRows);
      MatmulJob job{matrix.data(),        storage, kColumns, 0, kRows, input.inputs.data(),
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
      std::copy_n(matrix.narrow.data(), kRows * kColumns, moved.begin() + static_cast<std::ptrdiff_t>(shift));
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
