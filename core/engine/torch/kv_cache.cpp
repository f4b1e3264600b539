#include "core/engine/torch/kv_cache.h"

#include <algorithm>

#include "core/engine/torch/kernels/kernels.h"
#include "core/engine/torch/memory_check.h"

namespace moescope::engine {

namespace {

std::int64_t paddedPositions(std::int64_t positions) {
  return (positions + kKeyTile - 1) / kKeyTile * kKeyTile;
}

}  // namespace

std::int64_t KvShape::bytes() const {
  const std::int64_t heads64 = saturatedProduct(layers, heads);
  const std::int64_t head =
      saturatedProduct(paddedPositions(capacity), std::int64_t{headDim} + std::int64_t{valueDim});
  return saturatedProduct(saturatedProduct(heads64, head), static_cast<std::int64_t>(sizeof(float)));
}

Result<KvCache> KvCache::create(const KvShape& shape) {
  auto buffer = FloatBuffer::allocate(static_cast<std::size_t>(shape.bytes()), "the KV cache");
  if (!buffer) return fail(std::move(buffer).error());
  KvCache cache;
  cache.m_shape = shape;
  cache.m_keyFloats = paddedPositions(shape.capacity) * shape.headDim;
  cache.m_headFloats = cache.m_keyFloats + paddedPositions(shape.capacity) * shape.valueDim;
  cache.m_buffer = *std::move(buffer);
  return cache;
}

void KvCache::write(int layer, int head, std::int64_t position, const float* key, const float* value) {
  const std::int64_t headDim = m_shape.headDim;
  float* tile = keysOf(layer, head) + position / kKeyTile * kKeyTile * headDim + position % kKeyTile;
  for (std::int64_t d = 0; d < headDim; ++d) tile[d * kKeyTile] = key[d];
  std::copy_n(value, m_shape.valueDim, valuesOf(layer, head) + position * m_shape.valueDim);
}

void KvCache::copyFrom(const KvCache& other, std::int64_t position) {
  for (int layer = 0; layer < m_shape.layers; ++layer) {
    for (int head = 0; head < m_shape.heads; ++head) {
      const std::int64_t keyFloats = paddedPositions(position) * m_shape.headDim;
      std::copy_n(other.keysOf(layer, head), keyFloats, keysOf(layer, head));
      std::copy_n(other.valuesOf(layer, head), position * m_shape.valueDim, valuesOf(layer, head));
    }
  }
}

}  // namespace moescope::engine
