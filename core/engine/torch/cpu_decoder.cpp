#include "core/engine/torch/cpu_decoder.h"

#include <algorithm>

namespace moescope::engine {

namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// Widths of the rows that a decoder keeps.
struct Widths {
  explicit Widths(const checkpoint::ModelDescription& d) {
    const auto& attention = d.attention;
    query = std::int64_t{attention.heads} * attention.headDim;
    key = std::int64_t{attention.keyValueHeads} * attention.headDim;
    value = std::int64_t{attention.keyValueHeads} * attention.valueDim;
    mixed = std::int64_t{attention.heads} * attention.valueDim;
    if (attention.latent) {
      narrow =
          std::max(attention.latent->queryRank, attention.latent->keyValueRank + attention.latent->ropeDim);
      keyValue = std::int64_t{attention.heads} * (attention.latent->nopeDim + attention.valueDim);
    }
  }
  /// Floats of one token's rows.
  [[nodiscard]] std::int64_t sum(std::int64_t hidden) const {
    return 3 * hidden + query + key + value + mixed + 2 * narrow + keyValue;
  }

  std::int64_t query = 0, key = 0, value = 0, mixed = 0, narrow = 0, keyValue = 0;
};

KvShape cacheShape(const checkpoint::ModelDescription& d, std::int64_t capacity) {
  return {d.layers, d.attention.keyValueHeads, d.attention.headDim, d.attention.valueDim, capacity};
}

}  // namespace

std::int64_t CpuDecoder::cacheBytes(const checkpoint::ModelDescription& d, std::int64_t capacity) {
  return cacheShape(d, capacity).bytes();
}

std::int64_t CpuDecoder::activationBytes(const checkpoint::ModelDescription& d, std::int64_t capacity) {
  const std::int64_t scores = saturatedProduct(d.attention.heads, saturatedProduct(capacity, sizeof(float)));
  const std::int64_t rows =
      saturatedProduct(saturatedProduct(Widths(d).sum(d.hiddenSize) + CpuFeedForward::floatsPerToken(d),
                                        prefillBlock(d, capacity)),
                       sizeof(float));
  std::int64_t sum = 0;
  return __builtin_add_overflow(scores, rows, &sum) ? scores : sum;
}

Result<std::unique_ptr<Decoder>> CpuDecoder::create(const CpuContext& context, std::int64_t capacity) {
  const auto& d = context.description;
  const std::int64_t cache = cacheBytes(d, capacity);
  std::int64_t needed = 0;
  if (__builtin_add_overflow(cache, activationBytes(d, capacity), &needed)) needed = cache;
  if (auto fits = requireMemory(needed, machineMemory().freeBytes, "a context", "cpu"); !fits) {
    return fail(std::move(fits).error());
  }
  auto kv = KvCache::create(cacheShape(d, capacity));
  if (!kv) return fail(std::move(kv).error());
  return std::unique_ptr<Decoder>(new CpuDecoder(context, *std::move(kv), prefillBlock(d, capacity)));
}

CpuDecoder::CpuDecoder(const CpuContext& context, KvCache cache, int block)
    : m_context(context),
      m_cache(std::move(cache)),
      m_rotary(context.description.attention.rope, block),
      m_stream(block, size(context.description.hiddenSize)),
      m_normed(block, size(context.description.hiddenSize)),
      m_update(block, size(context.description.hiddenSize)),
      m_query(block, size(Widths(context.description).query)),
      m_key(block, size(Widths(context.description).key)),
      m_value(block, size(Widths(context.description).value)),
      m_mixed(block, size(Widths(context.description).mixed)),
      m_narrow(block, size(Widths(context.description).narrow)),
      m_narrowNormed(block, size(Widths(context.description).narrow)),
      m_keyValue(block, size(Widths(context.description).keyValue)),
      m_scores(size(context.description.attention.heads) * size(scoreColumns(m_cache.shape().capacity))),
      m_ones(size(context.description.attention.headDim), 1.0F),
      m_feedForward(context, block),
      m_head(block),
      m_tallied(context.tally, m_cache.shape().bytes(),
                activationBytes(context.description, m_cache.shape().capacity)) {}

Result<std::unique_ptr<Decoder>> CpuDecoder::fork(std::int64_t position) const {
  auto copy = create(m_context, capacity());
  if (copy) static_cast<CpuDecoder&>(**copy).m_cache.copyFrom(m_cache, position);
  return copy;
}

void CpuDecoder::normRow(const float* from, const CpuVector& weight, const CpuVector& bias, float* to) const {
  const auto& d = m_context.description;
  const auto eps = static_cast<float>(d.normEps);
  const auto count = static_cast<std::int64_t>(weight.size());
  if (d.norm == checkpoint::NormKind::Rms || d.norm == checkpoint::NormKind::RmsWide) {
    m_context.kernels.rmsNorm(from, weight.data(), eps, count, to);
  } else {
    layerNorm(from, weight, bias, double{eps}, to);
  }
}

void CpuDecoder::normalise(const TokenRows& from, const CpuVector& weight, const CpuVector& bias,
                           const TokenRows& to, int tokens) const {
  for (std::size_t t = 0; t < size(tokens); ++t) normRow(from.row(t), weight, bias, to.row(t));
}

/// Adds what the sublayer made to the stream, through the norm where norms come last.
void CpuDecoder::addUpdate(const CpuVector& norm, int tokens) {
  const auto& d = m_context.description;
  const auto multiplier = static_cast<float>(d.residualMultiplier);
  for (std::size_t t = 0; t < size(tokens); ++t) {
    float* update = m_update.row(t);
    if (d.order == checkpoint::BlockOrder::PostNorm) normRow(update, norm, {}, update);
    if (multiplier != 1.0F) {
      for (std::int64_t i = 0; i < m_update.columns(); ++i) update[i] *= multiplier;
    }
    m_context.kernels.add(m_stream.row(t), update, m_stream.columns());
  }
}

Result<void> CpuDecoder::forward(const DecoderBlock& block, StepBuffers& step) {
  const int tokens = static_cast<int>(block.ids.size());
  const bool isPre = m_context.description.order == checkpoint::BlockOrder::PreNorm;
  m_rotary.prepare(block.position, tokens, block.sequence);
  embedTokens(m_context, block.ids, m_stream);
  const auto read = [&](const CpuVector& norm, const CpuVector& bias) {
    if (isPre) {
      normalise(m_stream, norm, bias, m_normed, tokens);
    } else {
      for (std::size_t t = 0; t < size(tokens); ++t)
        std::copy_n(m_stream.row(t), m_stream.columns(), m_normed.row(t));
    }
  };
  for (int layer = 0; layer < m_context.description.layers; ++layer) {
    const CpuLayer& l = m_context.weights.layers[size(layer)];
    read(l.inputNorm, l.inputNormBias);
    attention(layer, block);
    addUpdate(l.postAttentionNorm, tokens);
    read(l.postAttentionNorm, l.postAttentionNormBias);
    if (auto done = m_feedForward.run(layer, block, m_normed, m_update, step); !done) return done;
    addUpdate(l.postFeedForwardNorm, tokens);
    if (!l.extraNorm.empty()) {
      read(l.extraNorm, {});
      m_feedForward.denseMlp(l.dense, m_context.description.layerSpecs[size(layer)].denseIntermediateSize,
                             m_normed, m_update, tokens);
      addUpdate({}, tokens);
    }
    for (int t = 0; t < tokens; ++t) {
      if (float* shown = step.hidden(layer, block.firstRow + t)) {
        std::copy_n(m_stream.row(size(t)), m_stream.columns(), shown);
      }
    }
  }
  head(block, step);
  return {};
}

void CpuDecoder::head(const DecoderBlock& block, StepBuffers& step) {
  const CpuWeights& weights = m_context.weights;
  for (const int row : m_head.wanted(block, step))
    normRow(m_stream.row(size(row)), weights.finalNorm, weights.finalNormBias, m_normed.row(size(row)));
  m_head.run(m_context, m_normed);
}

}  // namespace moescope::engine
