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
  const std::int64_t part = saturatedProduct(paddedPositions(capacity), headDim);
  return saturatedProduct(saturatedProduct(heads64, part), 2 * static_cast<std::int64_t>(sizeof(float)));
}

Result<KvCache> KvCache::create(const KvShape& shape) {
  auto buffer = FloatBuffer::allocate(static_cast<std::size_t>(shape.bytes()), "the KV cache");
  if (!buffer) return fail(std::move(buffer).error());
  KvCache cache;
  cache.m_shape = shape;
  cache.m_partSize = paddedPositions(shape.capacity) * shape.headDim;
  cache.m_buffer = *std::move(buffer);
  return cache;
}

void KvCache::write(int layer, int head, std::int64_t position, const float* key, const float* value) {
  const std::int64_t headDim = m_shape.headDim;
  float* tile = part(layer, head, 0) + position / kKeyTile * kKeyTile * headDim + position % kKeyTile;
  for (std::int64_t d = 0; d < headDim; ++d) tile[d * kKeyTile] = key[d];
  std::copy(value, value + headDim, part(layer, head, 1) + position * headDim);
}

void KvCache::copyFrom(const KvCache& other, std::int64_t position) {
  for (int layer = 0; layer < m_shape.layers; ++layer) {
    for (int head = 0; head < m_shape.heads; ++head) {
      const std::int64_t keyFloats = paddedPositions(position) * m_shape.headDim;
      std::copy_n(other.part(layer, head, 0), keyFloats, part(layer, head, 0));
      std::copy_n(other.part(layer, head, 1), position * m_shape.headDim, part(layer, head, 1));
    }
  }
}

}  // namespace moescope::engine
