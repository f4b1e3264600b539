#include "core/engine/torch/cpu_decoder.h"

#include <algorithm>
#include <cstring>

#include "core/base/half.h"

namespace moescope::engine {

namespace {

// Multiplications below which waking another thread costs more than it saves (about 30 microseconds).
constexpr std::int64_t kParallelWork = 1 << 20;

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

int projectedQuery(const checkpoint::ModelDescription& d) { return d.attention.heads * d.attention.headDim; }
int projectedKey(const checkpoint::ModelDescription& d) {
  return d.attention.keyValueHeads * d.attention.headDim;
}

int mostChoices(const checkpoint::ModelDescription& d) {
  int most = 1;
  for (const RouterSpec& router : d.routers) most = std::max(most, router.topK);
  return most;
}

KvShape cacheShape(const checkpoint::ModelDescription& d, std::int64_t capacity) {
  return {d.layers, d.attention.keyValueHeads, d.attention.headDim, capacity};
}

std::int64_t scoreColumns(std::int64_t capacity) { return (capacity + kKeyTile - 1) / kKeyTile * kKeyTile; }

}  // namespace

std::int64_t CpuDecoder::cacheBytes(const checkpoint::ModelDescription& d, std::int64_t capacity) {
  return cacheShape(d, capacity).bytes();
}

std::int64_t CpuDecoder::activationBytes(const checkpoint::ModelDescription& d, std::int64_t capacity) {
  const std::int64_t row = 3LL * d.hiddenSize + 2LL * projectedQuery(d) + 2LL * projectedKey(d) +
                           2LL * mostChoices(d) * d.experts.intermediateSize;
  const std::int64_t scores = saturatedProduct(d.attention.heads, saturatedProduct(capacity, sizeof(float)));
  const std::int64_t rows = saturatedProduct(saturatedProduct(row, kPrefillBlock), sizeof(float));
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
  return std::unique_ptr<Decoder>(new CpuDecoder(context, *std::move(kv)));
}

CpuDecoder::CpuDecoder(const CpuContext& context, KvCache cache)
    : m_context(context),
      m_cache(std::move(cache)),
      m_rotary(context.description.attention.rope, kPrefillBlock),
      m_stream(kPrefillBlock, size(context.description.hiddenSize)),
      m_normed(kPrefillBlock, size(context.description.hiddenSize)),
      m_update(kPrefillBlock, size(context.description.hiddenSize)),
      m_query(kPrefillBlock, size(projectedQuery(context.description))),
      m_key(kPrefillBlock, size(projectedKey(context.description))),
      m_value(kPrefillBlock, size(projectedKey(context.description))),
      m_mixed(kPrefillBlock, size(projectedQuery(context.description))),
      m_scores(size(context.description.attention.heads) *
               static_cast<std::size_t>(scoreColumns(m_cache.shape().capacity))),
      m_gate(size(std::int64_t{kPrefillBlock} * mostChoices(context.description)),
             size(context.description.experts.intermediateSize)),
      m_up(size(std::int64_t{kPrefillBlock} * mostChoices(context.description)),
           size(context.description.experts.intermediateSize)),
      m_tapRows(kPrefillBlock),
      m_tapInputs(kPrefillBlock),
      m_tallied(context.tally, m_cache.shape().bytes(),
                activationBytes(context.description, m_cache.shape().capacity)) {}

Result<std::unique_ptr<Decoder>> CpuDecoder::fork(std::int64_t position) const {
  auto copy = create(m_context, capacity());
  if (copy) static_cast<CpuDecoder&>(**copy).m_cache.copyFrom(m_cache, position);
  return copy;
}

void CpuDecoder::multiply(const CpuMatrix& matrix, const float* const* inputs, float* const* outputs,
                          int tokens) const {
  const MatmulJob whole{matrix.data, matrix.storage, matrix.columns, 0,     matrix.rows,
                        inputs,      outputs,        nullptr,        tokens};
  ThreadPool& pool = m_context.pool;
  if (pool.threads() == 1 || matrix.rows * matrix.columns * tokens < kParallelWork) {
    m_context.kernels.matmul(whole);
    return;
  }
  // Four shares a thread even out threads that start late; multiples of 16 rows fill cache lines.
  const std::int64_t shares = 4LL * pool.threads();
  const std::int64_t rows = std::max<std::int64_t>(16, (matrix.rows + shares - 1) / shares / 16 * 16);
  pool.run((matrix.rows + rows - 1) / rows, [&](std::int64_t share) {
    MatmulJob part = whole;
    part.firstRow = share * rows;
    part.endRow = std::min(matrix.rows, part.firstRow + rows);
    m_context.kernels.matmul(part);
  });
}

void CpuDecoder::normalise(const TokenRows& from, const std::vector<float>& weight, const TokenRows& to,
                           int tokens) const {
  const auto eps = static_cast<float>(m_context.description.normEps);
  for (std::size_t t = 0; t < size(tokens); ++t) {
    m_context.kernels.rmsNorm(from.row(t), weight.data(), eps, from.columns(), to.row(t));
  }
}

void CpuDecoder::embed(const DecoderBlock& block) {
  const CpuMatrix& table = m_context.weights.embedding;
  for (std::size_t t = 0; t < block.ids.size(); ++t) {
    float* row = m_stream.row(t);
    const std::int64_t first = block.ids[t] * table.columns;
    if (table.storage == Storage::F32) {
      std::memcpy(row, static_cast<const float*>(table.data) + first, sizeof(float) * size(table.columns));
      continue;
    }
    const auto* elements = static_cast<const std::uint16_t*>(table.data) + first;
    for (std::int64_t i = 0; i < table.columns; ++i) {
      row[i] = table.storage == Storage::BF16 ? bfloat16ToFloat(elements[i]) : halfToFloat(elements[i]);
    }
  }
}

Result<void> CpuDecoder::forward(const DecoderBlock& block, StepBuffers& step) {
  const int tokens = static_cast<int>(block.ids.size());
  const auto& weights = m_context.weights;
  m_rotary.prepare(block.position, tokens);
  embed(block);
  for (int layer = 0; layer < m_context.description.layers; ++layer) {
    const CpuLayer& l = weights.layers[size(layer)];
    normalise(m_stream, l.inputNorm, m_normed, tokens);
    attention(layer, block);
    normalise(m_stream, l.postAttentionNorm, m_normed, tokens);
    if (auto done = experts(layer, block, step); !done) return done;
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
  const auto eps = static_cast<float>(m_context.description.normEps);
  int rows = 0;
  for (std::size_t t = 0; t < block.ids.size(); ++t) {
    float* logits = step.logits(block.firstRow + static_cast<int>(t));
    if (logits == nullptr) continue;
    m_context.kernels.rmsNorm(m_stream.row(t), m_context.weights.finalNorm.data(), eps, m_stream.columns(),
                              m_normed.row(t));
    m_tapInputs[size(rows)] = m_normed.row(t);
    m_tapRows[size(rows)] = logits;
    ++rows;
  }
  if (rows > 0) multiply(m_context.weights.head, m_tapInputs.data(), m_tapRows.data(), rows);
}

}  // namespace moescope::engine
