#include "core/engine/torch/cpu_decoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/half.h"

namespace moescope::engine {

namespace {

// Multiplications below which waking another thread costs more than it saves (about 30 microseconds).
constexpr std::int64_t kParallelWork = 1 << 20;

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
    for (const RouterSpec& router : d.routers) choices = std::max(choices, router.topK);
    inner = std::max(d.experts.intermediateSize, d.shared.intermediateSize);
    for (const auto& layer : d.layerSpecs) inner = std::max<std::int64_t>(inner, layer.denseIntermediateSize);
    if (d.experts.scalesInput) scaled = d.hiddenSize;
    if (d.experts.activation == checkpoint::Activation::DoubleGate) linear = inner;
  }
  /// Floats of one token's rows.
  [[nodiscard]] std::int64_t sum(std::int64_t hidden) const {
    return 4 * hidden + query + key + value + mixed + 2 * narrow + keyValue +
           choices * (2 * inner + linear + scaled);
  }

  std::int64_t query = 0, key = 0, value = 0, mixed = 0, narrow = 0, keyValue = 0, inner = 0, linear = 0,
               scaled = 0;
  int choices = 1;
};

KvShape cacheShape(const checkpoint::ModelDescription& d, std::int64_t capacity) {
  return {d.layers, d.attention.keyValueHeads, d.attention.headDim, d.attention.valueDim, capacity};
}

/// One more than the context, as a sink takes a place.
std::int64_t scoreColumns(std::int64_t capacity) { return (capacity + kKeyTile) / kKeyTile * kKeyTile; }

/// y = w * (x - mean) / sqrt(variance + eps) + b (Ba et al. 2016).
void layerNorm(const float* x, const CpuVector& weight, const CpuVector& bias, float eps, std::size_t count,
               float* y) {
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) sum += double{x[i]};
  const double mean = sum / static_cast<double>(count);
  double squares = 0.0;
  for (std::size_t i = 0; i < count; ++i) squares += (double{x[i]} - mean) * (double{x[i]} - mean);
  const double factor = 1.0 / std::sqrt(squares / static_cast<double>(count) + double{eps});
  for (std::size_t i = 0; i < count; ++i) {
    y[i] = static_cast<float>((double{x[i]} - mean) * factor) * weight[i] + (bias.empty() ? 0.0F : bias[i]);
  }
}

}  // namespace

std::int64_t CpuDecoder::cacheBytes(const checkpoint::ModelDescription& d, std::int64_t capacity) {
  return cacheShape(d, capacity).bytes();
}

std::int64_t CpuDecoder::activationBytes(const checkpoint::ModelDescription& d, std::int64_t capacity) {
  const std::int64_t scores = saturatedProduct(d.attention.heads, saturatedProduct(capacity, sizeof(float)));
  const std::int64_t rows = saturatedProduct(
      saturatedProduct(Widths(d).sum(d.hiddenSize), prefillBlock(d, capacity)), sizeof(float));
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
      m_extra(block, size(context.description.hiddenSize)),
      m_query(block, size(Widths(context.description).query)),
      m_key(block, size(Widths(context.description).key)),
      m_value(block, size(Widths(context.description).value)),
      m_mixed(block, size(Widths(context.description).mixed)),
      m_narrow(block, size(Widths(context.description).narrow)),
      m_narrowNormed(block, size(Widths(context.description).narrow)),
      m_keyValue(block, size(Widths(context.description).keyValue)),
      m_scores(size(context.description.attention.heads) * size(scoreColumns(m_cache.shape().capacity))),
      m_ones(size(context.description.attention.headDim), 1.0F),
      m_gate(size(std::int64_t{block} * Widths(context.description).choices),
             size(Widths(context.description).inner)),
      m_up(size(std::int64_t{block} * Widths(context.description).choices),
           size(Widths(context.description).inner)),
      m_linear(size(std::int64_t{block} * Widths(context.description).choices),
               size(Widths(context.description).linear)),
      m_scaled(size(std::int64_t{block} * Widths(context.description).choices),
               size(Widths(context.description).scaled)),
      m_tapRows(block),
      m_tapInputs(block),
      m_tallied(context.tally, m_cache.shape().bytes(),
                activationBytes(context.description, m_cache.shape().capacity)) {}

Result<std::unique_ptr<Decoder>> CpuDecoder::fork(std::int64_t position) const {
  auto copy = create(m_context, capacity());
  if (copy) static_cast<CpuDecoder&>(**copy).m_cache.copyFrom(m_cache, position);
  return copy;
}

void CpuDecoder::multiply(const CpuMatrix& matrix, const float* const* inputs, float* const* outputs,
                          int tokens) const {
  MatmulJob whole;
  whole.endRow = matrix.rows;
  whole.inputs = inputs;
  whole.outputs = outputs;
  whole.tokens = tokens;
  ThreadPool& pool = m_context.pool;
  if (pool.threads() == 1 || matrix.rows * matrix.columns * tokens < kParallelWork) {
    matmul(m_context.kernels, matrix, whole);
    return;
  }
  // Four shares a thread even out threads that start late; multiples of 16 rows fill cache lines.
  const std::int64_t shares = 4LL * pool.threads();
  const std::int64_t rows = std::max<std::int64_t>(16, (matrix.rows + shares - 1) / shares / 16 * 16);
  pool.run((matrix.rows + rows - 1) / rows, [&](std::int64_t share) {
    MatmulJob part = whole;
    part.firstRow = share * rows;
    part.endRow = std::min(matrix.rows, part.firstRow + rows);
    matmul(m_context.kernels, matrix, part);
  });
}

void CpuDecoder::multiply(const CpuMatrix& matrix, const CpuVector& bias, const TokenRows& from,
                          const TokenRows& to, int tokens) const {
  multiply(matrix, from.inputs(), to.outputs(), tokens);
  if (bias.empty()) return;
  for (int t = 0; t < tokens; ++t) m_context.kernels.add(to.row(size(t)), bias.data(), matrix.rows);
}

void CpuDecoder::normRow(const float* from, const CpuVector& weight, const CpuVector& bias, float* to) const {
  const auto& d = m_context.description;
  const auto eps = static_cast<float>(d.normEps);
  const auto count = static_cast<std::int64_t>(weight.size());
  if (d.norm == checkpoint::NormKind::Rms || d.norm == checkpoint::NormKind::RmsWide) {
    m_context.kernels.rmsNorm(from, weight.data(), eps, count, to);
  } else {
    layerNorm(from, weight, bias, eps, weight.size(), to);
  }
}

void CpuDecoder::normalise(const TokenRows& from, const CpuVector& weight, const CpuVector& bias,
                           const TokenRows& to, int tokens) const {
  for (std::size_t t = 0; t < size(tokens); ++t) normRow(from.row(t), weight, bias, to.row(t));
}

void CpuDecoder::embed(const DecoderBlock& block) {
  const CpuMatrix& table = m_context.weights.embedding;
  for (std::size_t t = 0; t < block.ids.size(); ++t) {
    float* row = m_stream.row(t);
    const std::int64_t first = block.ids[t] * table.columns;
    if (table.storage == Storage::F32) {
      std::memcpy(row, static_cast<const float*>(table.data) + first, sizeof(float) * size(table.columns));
    } else {
      const auto* elements = static_cast<const std::uint16_t*>(table.data) + first;
      for (std::int64_t i = 0; i < table.columns; ++i) {
        row[i] = table.storage == Storage::BF16 ? bfloat16ToFloat(elements[i]) : halfToFloat(elements[i]);
      }
    }
    const auto multiplier = static_cast<float>(m_context.description.embeddingMultiplier);
    if (multiplier == 1.0F) continue;
    for (std::int64_t i = 0; i < table.columns; ++i) row[i] *= multiplier;
  }
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
  embed(block);
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
    if (auto done = experts(layer, block, step); !done) return done;
    addUpdate(l.postFeedForwardNorm, tokens);
    if (!l.extraNorm.empty()) {
      read(l.extraNorm, {});
      denseMlp(l.dense, m_context.description.layerSpecs[size(layer)].denseIntermediateSize, m_update,
               tokens);
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
  int rows = 0;
  for (std::size_t t = 0; t < block.ids.size(); ++t) {
    float* logits = step.logits(block.firstRow + static_cast<int>(t));
    if (logits == nullptr) continue;
    normRow(m_stream.row(t), weights.finalNorm, weights.finalNormBias, m_normed.row(t));
    m_tapInputs[size(rows)] = m_normed.row(t);
    m_tapRows[size(rows)] = logits;
    ++rows;
  }
  if (rows == 0) return;
  multiply(weights.head, m_tapInputs.data(), m_tapRows.data(), rows);
  const auto divisor = static_cast<float>(m_context.description.logitDivisor);
  for (int row = 0; row < rows; ++row) {
    float* logits = m_tapRows[size(row)];
    if (!weights.headBias.empty()) m_context.kernels.add(logits, weights.headBias.data(), weights.head.rows);
    if (divisor == 1.0F) continue;
    for (std::int64_t i = 0; i < weights.head.rows; ++i) logits[i] /= divisor;
  }
}

}  // namespace moescope::engine
