// TokenRows: one row of floats a token (or slot), with the pointers to the rows that the kernels take.
// Not for weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace moescope::engine {

class TokenRows {
 public:
  TokenRows(std::size_t rows, std::size_t columns) : m_columns(columns) { require(rows); }

  /// Grows to at least `rows`; what the rows held is lost then.
  void require(std::size_t rows) {
    if (rows <= m_pointers.size()) return;
    m_values.assign(rows * m_columns + kAlignedFloats, 0.0F);
    const auto address = reinterpret_cast<std::uintptr_t>(m_values.data()) / sizeof(float);
    float* first = m_values.data() + (kAlignedFloats - address % kAlignedFloats) % kAlignedFloats;
    m_pointers.resize(rows);
    for (std::size_t row = 0; row < rows; ++row) m_pointers[row] = first + row * m_columns;
  }

  [[nodiscard]] float* row(std::size_t index) const { return m_pointers[index]; }
  [[nodiscard]] std::int64_t columns() const { return static_cast<std::int64_t>(m_columns); }
  [[nodiscard]] const float* const* inputs() const { return m_pointers.data(); }
  [[nodiscard]] float* const* outputs() const { return m_pointers.data(); }

 private:
  // The first row starts at a cache line, so that vector loads do not straddle two.
  static constexpr std::size_t kAlignedFloats = 16;

  std::size_t m_columns;
  std::vector<float> m_values;
  std::vector<float*> m_pointers;
};

}  // namespace moescope::engine
