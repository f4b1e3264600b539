#include "core/engine/torch/cpu_forward_kit.h"

#include <algorithm>
#include <stdexcept>

namespace moescope::engine {

namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

KvShape shapeOf(const checkpoint::AttentionShape& shape, std::int64_t capacity) {
  return {shape.layers, shape.heads, shape.headDim, shape.valueDim, capacity};
}

class CpuAttentionCache final : public AttentionCache {
 public:
  explicit CpuAttentionCache(KvCache cache) : m_cache(std::move(cache)) {}

  void write(int layer, int head, std::int64_t position, const float* key, const float* value) override {
    m_cache.write(layer, head, position, key, value);
  }
  void copyFrom(const AttentionCache& other, std::int64_t position) override {
    m_cache.copyFrom(static_cast<const CpuAttentionCache&>(other).m_cache, position);
  }
  [[nodiscard]] const KvCache& cache() const { return m_cache; }

 private:
  KvCache m_cache;
};

const CpuMatrix& matrixOf(const KitMatrix& matrix) { return *static_cast<const CpuMatrix*>(matrix.handle); }

}  // namespace

CpuForwardKit::CpuForwardKit(const CpuContext& context, std::int64_t capacity)
    : m_context(context),
      m_capacity(capacity),
      m_rotary(context.description.attention.rope, prefillBlock(context.description, capacity)),
      m_feedForward(context, std::min(prefillBlock(context.description, capacity), kPrefillBlock)),
      m_head(prefillBlock(context.description, capacity)) {}

void CpuForwardKit::begin(const DecoderBlock& block, StepBuffers& step) {
  m_block = block;
  m_step = &step;
  m_rotary.prepare(block.position, tokens(), block.sequence);
}

KitMatrix CpuForwardKit::matrix(const std::string& name, int part) const {
  const CpuMatrix& matrix = m_context.weights.ownMatrices.at(name).at(size(part));
  return {&matrix, matrix.rows, matrix.columns};
}

const std::vector<float>& CpuForwardKit::vector(const std::string& name) const {
  return m_context.weights.ownVectors.at(name);
}

void CpuForwardKit::embed(const TokenRows& to) { embedTokens(m_context, m_block.ids, to); }

void CpuForwardKit::multiply(const KitMatrix& matrix, const TokenRows& from, const TokenRows& to, int rows) {
  engine::multiply(m_context, matrixOf(matrix), from.inputs(), to.outputs(), rows);
}

void CpuForwardKit::rmsNorm(const float* from, std::span<const float> weight, double eps, float* to) const {
  m_context.kernels.rmsNorm(from, weight.data(), static_cast<float>(eps),
                            static_cast<std::int64_t>(weight.size()), to);
}

void CpuForwardKit::layerNorm(const float* from, std::span<const float> weight, std::span<const float> bias,
                              double eps, float* to) const {
  engine::layerNorm(from, weight, bias, eps, to);
}

void CpuForwardKit::siluTimes(float* gate, const float* up, std::int64_t count) const {
  m_context.kernels.siluTimes(gate, up, count);
}

void CpuForwardKit::add(float* to, const float* from, std::int64_t count) const {
  m_context.kernels.add(to, from, count);
}

void CpuForwardKit::rotate(const TokenRows& rows, int heads, int headDim) const {
  for (int t = 0; t < tokens(); ++t) {
    for (int head = 0; head < heads; ++head)
      m_rotary.apply(t, rows.row(size(t)) + std::int64_t{head} * headDim);
  }
}

Result<std::unique_ptr<AttentionCache>> CpuForwardKit::newCache(const checkpoint::AttentionShape& shape) {
  auto cache = KvCache::create(shapeOf(shape, m_capacity));
  if (!cache) return fail(std::move(cache).error());
  return std::make_unique<CpuAttentionCache>(*std::move(cache));
}

void CpuForwardKit::attend(const AttentionCache& cache, int layer, std::span<const AttentionQuery> queries,
                           double scale, std::int64_t window) {
  const KvCache& keys = static_cast<const CpuAttentionCache&>(cache).cache();
  const KvShape& shape = keys.shape();
  const auto one = [&](std::int64_t index) {
    static thread_local std::vector<float> scores;
    const AttentionQuery& query = queries[size(index)];
    if (scores.size() < size(scoreColumns(query.position + 1))) scores.resize(size(scoreColumns(m_capacity)));
    attendOne(m_context.kernels,
              {query.query, keys.keyTiles(layer, query.head), keys.values(layer, query.head), shape.headDim,
               shape.valueDim, window > 0 ? std::max<std::int64_t>(0, query.position - window + 1) : 0,
               query.position, static_cast<float>(scale), nullptr, query.bias, scores.data(), query.mixed});
  };
  const auto count = static_cast<std::int64_t>(queries.size());
  const std::int64_t work =
      count * (shape.headDim + shape.valueDim) * (m_block.position + static_cast<std::int64_t>(tokens()));
  if (work < kParallelWork) {
    for (std::int64_t i = 0; i < count; ++i) one(i);
  } else {
    m_context.pool.run(count, one);
  }
}

void CpuForwardKit::parallel(std::int64_t tasks, std::int64_t cost,
                             const std::function<void(std::int64_t)>& work) const {
  if (cost < kParallelWork) {
    for (std::int64_t i = 0; i < tasks; ++i) work(i);
  } else {
    m_context.pool.run(tasks, work);
  }
}

Result<RoutedRows> CpuForwardKit::route(int router, const KitMatrix& matrix, const TokenRows& inputs,
                                        const std::vector<float>& bias) {
  return m_feedForward.route(router, matrixOf(matrix), bias, m_block, inputs, *m_step);
}

template <class Visit>
void CpuForwardKit::choicesOf(const RoutedRows& routed, int expert, const Visit& visit) {
  m_inputs.clear();
  m_outputs.clear();
  m_gains.clear();
  for (int t = 0; t < tokens(); ++t) {
    for (int choice = 0; choice < routed.stride; ++choice) {
      if (routed.id(t, choice) == expert) visit(size(t), size(std::int64_t{t} * routed.stride + choice));
    }
  }
}

void CpuForwardKit::project(const RoutedRows& routed, std::span<const KitMatrix> experts,
                            const TokenRows& from, TokenRows& slots) {
  slots.require(size(std::int64_t{tokens()} * routed.stride));
  for (std::size_t expert = 0; expert < experts.size(); ++expert) {
    choicesOf(routed, static_cast<int>(expert), [&](std::size_t token, std::size_t slot) {
      m_inputs.push_back(from.row(token));
      m_outputs.push_back(slots.row(slot));
    });
    if (m_inputs.empty()) continue;
    engine::multiply(m_context, matrixOf(experts[expert]), m_inputs.data(), m_outputs.data(),
                     static_cast<int>(m_inputs.size()));
  }
}

void CpuForwardKit::combine(const RoutedRows& routed, std::span<const KitMatrix> experts,
                            const TokenRows& slots, const TokenRows& to) {
  for (int t = 0; t < tokens(); ++t) std::fill_n(to.row(size(t)), to.columns(), 0.0F);
  for (std::size_t expert = 0; expert < experts.size(); ++expert) {
    choicesOf(routed, static_cast<int>(expert), [&](std::size_t token, std::size_t slot) {
      m_inputs.push_back(slots.row(slot));
      m_outputs.push_back(to.row(token));
      m_gains.push_back(routed.weights[slot]);
    });
    if (m_inputs.empty()) continue;
    engine::multiply(m_context, matrixOf(experts[expert]), m_inputs.data(), m_outputs.data(),
                     static_cast<int>(m_inputs.size()), m_gains.data());
  }
}

Result<void> CpuForwardKit::feedForward(int layer, const TokenRows& from, const TokenRows& to) {
  return m_feedForward.run(layer, m_block, from, to, *m_step);
}

void CpuForwardKit::showHidden(int layer, const TokenRows& rows) {
  for (int t = 0; t < tokens(); ++t) {
    if (float* shown = m_step->hidden(layer, m_block.firstRow + t))
      std::copy_n(rows.row(size(t)), rows.columns(), shown);
  }
}

void CpuForwardKit::head(const TokenRows& normed) {
  m_head.wanted(m_block, *m_step);
  m_head.run(m_context, normed);
}

}  // namespace moescope::engine
