// FloatBuffer: zeroed memory that is mapped on first touch, for caches and converted weights.
// Not for small or growing things, which are vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/result.h"

namespace moescope::engine {

class FloatBuffer {
 public:
  FloatBuffer() = default;
  FloatBuffer(FloatBuffer&& other) noexcept
      : m_data(std::exchange(other.m_data, nullptr)), m_bytes(std::exchange(other.m_bytes, 0)) {}
  FloatBuffer& operator=(FloatBuffer&& other) noexcept {
    std::swap(m_data, other.m_data);
    std::swap(m_bytes, other.m_bytes);
    return *this;
  }
  ~FloatBuffer();

  /// Errors: `machine.out_of_memory` naming `purpose`.
  static Result<FloatBuffer> allocate(std::size_t bytes, const char* purpose);

  [[nodiscard]] float* floats() const { return static_cast<float*>(m_data); }
  [[nodiscard]] std::byte* bytes() const { return static_cast<std::byte*>(m_data); }
  [[nodiscard]] std::size_t byteCount() const { return m_bytes; }

 private:
  void* m_data = nullptr;
  std::size_t m_bytes = 0;
};

}  // namespace moescope::engine
