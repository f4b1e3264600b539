// KvCache: keys and values of one sequence on the CPU, float32, allocated once for its whole context.
// Not for attention itself (cpu_decoder.h), and it does not know how many positions are filled.
#pragma once

#include <cstdint>

#include "core/engine/torch/float_buffer.h"

namespace moescope::engine {

struct KvShape {
  int layers = 0;
  int heads = 0;              ///< key-value heads
  int headDim = 0;            ///< of keys
  int valueDim = 0;           ///< of values
  std::int64_t capacity = 0;  ///< positions

  /// Of a cache of this shape; the largest number if it overflows.
  [[nodiscard]] std::int64_t bytes() const;
};

/// Keys lie in tiles [position / kKeyTile][headDim][kKeyTile], so that a query is multiplied with a whole
/// tile at once; values lie [position][valueDim].
class KvCache {
 public:
  /// Errors: `machine.out_of_memory`.
  static Result<KvCache> create(const KvShape& shape);

  [[nodiscard]] const KvShape& shape() const { return m_shape; }
  [[nodiscard]] const float* keyTiles(int layer, int head) const { return keysOf(layer, head); }
  [[nodiscard]] const float* values(int layer, int head) const { return valuesOf(layer, head); }
  /// `key`: [headDim], `value`: [valueDim].
  void write(int layer, int head, std::int64_t position, const float* key, const float* value);
  /// Copies what `other` holds before `position`; the shapes are equal.
  void copyFrom(const KvCache& other, std::int64_t position);

 private:
  [[nodiscard]] float* keysOf(int layer, int head) const {
    return m_buffer.floats() + (static_cast<std::int64_t>(layer) * m_shape.heads + head) * m_headFloats;
  }
  [[nodiscard]] float* valuesOf(int layer, int head) const { return keysOf(layer, head) + m_keyFloats; }

  KvShape m_shape;
  std::int64_t m_keyFloats = 0;   ///< of one head
  std::int64_t m_headFloats = 0;  ///< keys and values of one head
  FloatBuffer m_buffer;
};

}  // namespace moescope::engine
