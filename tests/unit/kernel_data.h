// What the kernel tests share: numbers in memory that ends where the data ends, in every storage, and one
// table row for each instruction set of this processor. Not for what the kernels must give.
#pragma once

#include <QTest>

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/base/half.h"
#include "core/engine/torch/kernels/kernels.h"

Q_DECLARE_METATYPE(const moescope::engine::Kernels*)

namespace moescope::engine {

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

/// A matrix [rows, columns] in one of the storages, and its elements widened. Columns of Q8_0 and Q4_0 are a
/// multiple of 32.
struct Matrix {
  Matrix(Storage stored, std::size_t rows, std::size_t width, Numbers& numbers)
      : storage(stored),
        columns(width),
        wide(rows * width),
        bytes(static_cast<std::size_t>(bytesOf(stored, static_cast<std::int64_t>(rows * width)))) {
    const bool hasBlocks = storage == Storage::Q8_0 || storage == Storage::Q4_0;
    for (std::size_t i = 0; i < wide.size(); ++i) {
      if (!hasBlocks) {
        fillElement(i, numbers());
      } else if (i % 32 == 0) {
        fillBlock(i, numbers);
      }
    }
  }
  [[nodiscard]] const void* data() const { return bytes.data(); }

  Storage storage;
  std::size_t columns;
  FencedArray<float> wide;
  FencedArray<std::byte> bytes;

 private:
  void fillElement(std::size_t i, float value) {
    if (storage == Storage::F32) {
      wide[i] = value;
      std::memcpy(bytes.data() + 4 * i, &value, 4);
      return;
    }
    const std::uint16_t bits = storage == Storage::BF16 ? floatToBfloat16(value) : floatToHalf(value);
    wide[i] = storage == Storage::BF16 ? bfloat16ToFloat(bits) : halfToFloat(bits);
    std::memcpy(bytes.data() + 2 * i, &bits, 2);
  }
  void fillBlock(std::size_t first, Numbers& numbers) {
    const std::uint16_t half = floatToHalf(numbers(0.1F));
    const float factor = halfToFloat(half);
    std::byte* block = bytes.data() + first / 32 * (storage == Storage::Q8_0 ? 34 : 18);
    std::memcpy(block, &half, 2);
    for (std::size_t i = 0; i < 32; ++i) {
      const int value = storage == Storage::Q8_0
                            ? (static_cast<int>(first) + 57 * static_cast<int>(i)) % 256 - 128
                            : static_cast<int>(first / 32 + 7 * i) % 16 - 8;
      wide[first + i] = factor * static_cast<float>(value);
      if (storage == Storage::Q8_0) {
        block[2 + i] = static_cast<std::byte>(value);
      } else {
        block[2 + i % 16] |= static_cast<std::byte>((value + 8) << (i < 16 ? 0 : 4));
      }
    }
  }
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
inline double bound(double magnitudes, std::size_t terms) {
  return static_cast<double>(terms + 2) * kRounding * magnitudes;
}

inline std::string bytesOf(const FencedArray<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// A row for each instruction set, as the _data() of a test.
inline void addKernels() {
  QTest::addColumn<const Kernels*>("kernels");
  for (const Kernels* kernels : availableKernels()) QTest::newRow(kernels->name) << kernels;
}

/// The kernels of the present row.
inline const Kernels& kernels() {
  QFETCH(const Kernels*, kernels);
  return *kernels;
}

}  // namespace moescope::engine
