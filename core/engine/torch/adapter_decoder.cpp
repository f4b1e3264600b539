#include "core/engine/torch/adapter_decoder.h"

#include <limits>

namespace moescope::engine {

AdapterDecoder::AdapterDecoder(const CpuContext& context, std::int64_t capacity, std::int64_t cacheBytes)
    : m_context(context),
      m_kit(context, capacity),
      m_tallied(context.tally, cacheBytes, activationBytes(context.description)) {}

Result<std::int64_t> AdapterDecoder::cacheBytes(const checkpoint::ModelDescription& description,
                                                std::int64_t capacity) {
  const auto needs = description.adapter->needs(description);
  if (!needs) return fail(needs.error());
  std::int64_t bytes = saturatedProduct(needs->bytesPerPosition, capacity);
  for (const checkpoint::AttentionShape& shape : needs->caches) {
    const KvShape cache{shape.layers, shape.heads, shape.headDim, shape.valueDim, capacity};
    if (__builtin_add_overflow(bytes, cache.bytes(), &bytes)) return std::numeric_limits<std::int64_t>::max();
  }
  return bytes;
}

std::int64_t AdapterDecoder::activationBytes(const checkpoint::ModelDescription& description) {
  return saturatedProduct(CpuFeedForward::floatsPerToken(description), kPrefillBlock * sizeof(float));
}

Result<std::unique_ptr<Decoder>> AdapterDecoder::create(const CpuContext& context, std::int64_t capacity) {
  const auto cache = cacheBytes(context.description, capacity);
  if (!cache) return fail(cache.error());
  std::int64_t needed = 0;
  if (__builtin_add_overflow(*cache, activationBytes(context.description), &needed)) needed = *cache;
  if (auto fits = requireMemory(needed, machineMemory().freeBytes, "a context", "cpu"); !fits)
    return fail(std::move(fits).error());
  std::unique_ptr<AdapterDecoder> decoder(new AdapterDecoder(context, capacity, *cache));
  auto forward = context.description.adapter->makeForward(decoder->m_kit);
  if (!forward) return fail(std::move(forward).error());
  decoder->m_forward = *std::move(forward);
  return decoder;
}

Result<void> AdapterDecoder::forward(const DecoderBlock& block, StepBuffers& step) {
  m_kit.begin(block, step);
  return m_forward->forward({block.ids, block.position, block.decode});
}

Result<std::unique_ptr<Decoder>> AdapterDecoder::fork(std::int64_t position) const {
  auto copy = create(m_context, capacity());
  if (copy) static_cast<AdapterDecoder&>(**copy).m_forward->copyFrom(*m_forward, position);
  return copy;
}

}  // namespace moescope::engine
