#include "core/engine/torch/cpu_model.h"

#include <algorithm>

#include "core/engine/torch/adapter_decoder.h"
#include "core/engine/torch/decoder_session.h"
#include "core/engine/torch/devices.h"
#include "core/engine/torch/guarded.h"

namespace moescope::engine {

namespace {

/// Of one context: its cache and its activations.
Result<std::int64_t> sessionBytes(const checkpoint::ModelDescription& description, std::int64_t context) {
  const bool isAdapted = description.adapter != nullptr;
  const auto cache = isAdapted ? AdapterDecoder::cacheBytes(description, context)
                               : CpuDecoder::cacheBytes(description, context);
  if (!cache) return fail(cache.error());
  const std::int64_t activations = isAdapted ? AdapterDecoder::activationBytes(description)
                                             : CpuDecoder::activationBytes(description, context);
  return saturatedSum(*cache, activations);
}

}  // namespace

CpuModel::CpuModel(std::shared_ptr<const checkpoint::Checkpoint> checkpoint, CpuWeights weights,
                   DeviceInfo device, int threads, std::int64_t contextTokens)
    : m_checkpoint(std::move(checkpoint)),
      m_weights(std::move(weights)),
      m_device(std::move(device)),
      m_contextTokens(contextTokens),
      m_pool(threads) {}

Result<std::int64_t> CpuModel::bytesNeeded(const checkpoint::Checkpoint& checkpoint,
                                           const LoadOptions& options) {
  const auto session = sessionBytes(checkpoint.description(), contextOf(checkpoint, options));
  if (!session) return fail(session.error());
  const auto weights = CpuWeights::bytesAs(checkpoint, options.dtype);
  if (!weights) return fail(weights.error());
  return saturatedSum(*weights, *session);
}

Result<std::shared_ptr<Model>> CpuModel::load(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                                              const LoadOptions& options, const DeviceInfo& device,
                                              const ProgressCallback& progress, const std::stop_token& stop) {
  const auto needed = bytesNeeded(*checkpoint, options);
  if (!needed) return fail(needed.error());
  if (auto fits = requireMemory(*needed, device.freeBytes, kModelWithContext, device.id); !fits)
    return fail(std::move(fits).error());
  auto weights = CpuWeights::load(*checkpoint, options, progress, stop);
  if (!weights) return fail(std::move(weights).error());
  const std::int64_t context = contextOf(*checkpoint, options);
  const int threads = options.threads > 0 ? options.threads : std::max(1, usableCores() - 1);
  return std::shared_ptr<Model>(
      new CpuModel(std::move(checkpoint), *std::move(weights), device, threads, context));
}

std::string CpuModel::dtypeName() const { return m_weights.storageName + " weights, f32 activations"; }

MemoryUse CpuModel::memory() const {
  return {m_weights.bytes, m_tally->cacheBytes.load(), m_tally->otherBytes.load(), m_weights.mapped};
}

Result<std::unique_ptr<Session>> CpuModel::newSession() {
  return guarded<std::unique_ptr<Session>>("a context", [&]() -> Result<std::unique_ptr<Session>> {
    const CpuContext context{m_checkpoint->description(), m_weights, bestKernels(), m_pool, m_tally};
    auto decoder = context.description.adapter != nullptr ? AdapterDecoder::create(context, m_contextTokens)
                                                          : CpuDecoder::create(context, m_contextTokens);
    if (!decoder) return fail(std::move(decoder).error());
    return std::make_unique<DecoderSession>(shared_from_this(), *std::move(decoder));
  });
}

}  // namespace moescope::engine
