#include "core/engine/torch/cpu_feed_forward.h"

#include <algorithm>
#include <cmath>

namespace moescope::engine {

namespace {

// Rows of a matrix that one thread does at a time: enough to make the claim cheap.
constexpr std::int64_t kShareRows = 64;

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

void multiplyBy(const float* factors, std::int64_t count, float* values) {
  for (std::int64_t i = 0; i < count; ++i) values[i] *= factors[i];
}

/// Widths of the rows of a slot.
struct Widths {
  explicit Widths(const checkpoint::ModelDescription& d) {
    for (const RouterSpec& router : d.routers) choices = std::max(choices, router.topK);
    inner = std::max(d.experts.intermediateSize, d.shared.intermediateSize);
    for (const auto& layer : d.layerSpecs) inner = std::max<std::int64_t>(inner, layer.denseIntermediateSize);
    if (d.experts.scalesInput) scaled = d.hiddenSize;
    if (d.experts.activation == checkpoint::Activation::DoubleGate) linear = inner;
  }

  std::int64_t inner = 0, linear = 0, scaled = 0;
  int choices = 1;
};

std::size_t slotsOf(const checkpoint::ModelDescription& d, int block) {
  return size(std::int64_t{block} * Widths(d).choices);
}

}  // namespace

CpuFeedForward::CpuFeedForward(const CpuContext& context, int block)
    : m_context(context),
      m_extra(size(block), size(context.description.hiddenSize)),
      m_gate(slotsOf(context.description, block), size(Widths(context.description).inner)),
      m_up(slotsOf(context.description, block), size(Widths(context.description).inner)),
      m_linear(slotsOf(context.description, block), size(Widths(context.description).linear)),
      m_scaled(slotsOf(context.description, block), size(Widths(context.description).scaled)),
      m_tapRows(size(block)) {}

std::int64_t CpuFeedForward::floatsPerToken(const checkpoint::ModelDescription& d) {
  const Widths widths(d);
  return d.hiddenSize + widths.choices * (2 * widths.inner + widths.linear + widths.scaled);
}

Result<RoutedRows> CpuFeedForward::route(int router, const CpuMatrix& weights, const CpuVector& bias,
                                         const DecoderBlock& block, const TokenRows& from,
                                         StepBuffers& step) {
  const int tokens = static_cast<int>(block.ids.size());
  if (m_tapRows.size() < size(tokens)) m_tapRows.resize(size(tokens));
  for (int t = 0; t < tokens; ++t) {
    const int row = block.firstRow + t;
    m_tapRows[size(t)] = step.routerLogits(router, row);
    if (float* shown = step.routerInput(router, row)) {
      std::copy_n(from.row(size(t)), from.columns(), shown);
    }
  }
  multiply(m_context, weights, from.inputs(), m_tapRows.data(), tokens);
  if (!bias.empty()) {
    for (int t = 0; t < tokens; ++t) m_context.kernels.add(m_tapRows[size(t)], bias.data(), weights.rows);
  }
  return step.route(router, block.firstRow, tokens);
}

Result<void> CpuFeedForward::run(int layer, const DecoderBlock& block, const TokenRows& from,
                                 const TokenRows& to, StepBuffers& step) {
  const CpuLayer& l = m_context.weights.layers[size(layer)];
  const int tokens = static_cast<int>(block.ids.size());
  const checkpoint::LayerSpec& spec = m_context.description.layerSpecs[size(layer)];
  if (spec.router < 0) {
    denseMlp(l.dense, spec.denseIntermediateSize, from, to, tokens);
    return {};
  }
  const auto routed = route(spec.router, l.moe.router, l.moe.routerBias, block, from, step);
  if (!routed) return fail(routed.error());
  groupByExpert(*routed, tokens, static_cast<int>(l.moe.experts.size()), from, to);
  for (int t = 0; t < tokens; ++t) std::fill_n(to.row(size(t)), to.columns(), 0.0F);
  runExperts(l, tokens);
  if (l.moe.shared.gate.exists()) addSharedExpert(l, spec.router, block, from, to, step);
  return {};
}

void CpuFeedForward::denseMlp(const CpuExpert& mlp, std::int64_t width, const TokenRows& from,
                              const TokenRows& to, int tokens) {
  m_gate.require(size(tokens));
  m_up.require(size(tokens));
  if (mlp.linear.exists()) m_linear.require(size(tokens));
  multiply(m_context, mlp.gate, mlp.gateBias, from, m_gate, tokens);
  multiply(m_context, mlp.up, mlp.upBias, from, m_up, tokens);
  if (mlp.linear.exists()) multiply(m_context, mlp.linear, {}, from, m_linear, tokens);
  for (std::size_t t = 0; t < size(tokens); ++t) {
    m_context.kernels.siluTimes(m_gate.row(t), m_up.row(t), width);
    if (mlp.linear.exists()) multiplyBy(m_linear.row(t), width, m_gate.row(t));
  }
  multiply(m_context, mlp.down, mlp.downBias, m_gate, to, tokens);
}

/// Adds the shared expert's output, times the sigmoid of its own gate where it has one.
void CpuFeedForward::addSharedExpert(const CpuLayer& layer, int router, const DecoderBlock& block,
                                     const TokenRows& from, const TokenRows& to, StepBuffers& step) {
  const int tokens = static_cast<int>(block.ids.size());
  m_extra.require(size(tokens));
  denseMlp(layer.moe.shared, m_context.description.shared.intermediateSize, from, m_extra, tokens);
  if (layer.moe.sharedRouter.exists()) {
    for (int t = 0; t < tokens; ++t) m_tapRows[size(t)] = step.sharedGate(router, block.firstRow + t);
    multiply(m_context, layer.moe.sharedRouter, from.inputs(), m_tapRows.data(), tokens);
    for (int t = 0; t < tokens; ++t) {
      float& gate = *m_tapRows[size(t)];
      gate = 1.0F / (1.0F + std::exp(-gate));
      for (std::int64_t i = 0; i < m_extra.columns(); ++i) m_extra.row(size(t))[i] *= gate;
    }
  }
  for (std::size_t t = 0; t < size(tokens); ++t)
    m_context.kernels.add(to.row(t), m_extra.row(t), to.columns());
}

/// Gives every choice a slot, sorted by expert, so that an expert's weights are read once for all its tokens.
void CpuFeedForward::groupByExpert(const RoutedRows& routed, int tokens, int experts, const TokenRows& from,
                                   const TokenRows& to) {
  m_firstSlot.assign(static_cast<std::size_t>(experts) + 1, 0);
  const auto choicesOf = [&](int t, auto&& visit) {
    const std::int64_t first = std::int64_t{t} * routed.stride;
    for (std::int64_t i = first; i < first + routed.stride; ++i) {
      if (routed.ids[i] >= 0) visit(static_cast<std::size_t>(routed.ids[i]), routed.weights[i]);
    }
  };
  for (int t = 0; t < tokens; ++t) {
    choicesOf(t, [&](std::size_t expert, float) { ++m_firstSlot[expert + 1]; });
  }
  m_activeExperts.clear();
  for (int expert = 0; expert < experts; ++expert) {
    const auto e = static_cast<std::size_t>(expert);
    if (m_firstSlot[e + 1] > 0) m_activeExperts.push_back(expert);
    m_firstSlot[e + 1] += m_firstSlot[e];
  }
  const auto slots = static_cast<std::size_t>(m_firstSlot.back());
  m_gate.require(slots);
  m_up.require(slots);
  if (m_context.description.experts.activation == checkpoint::Activation::DoubleGate) m_linear.require(slots);
  if (m_context.description.experts.scalesInput) m_scaled.require(slots);
  if (m_slotInputs.size() < slots) {
    m_slotInputs.resize(slots);
    m_slotOutputs.resize(slots);
    m_slotGains.resize(slots);
  }
  // m_firstSlot[e] serves as the next free slot of e and is moved back afterwards.
  for (int t = 0; t < tokens; ++t) {
    choicesOf(t, [&](std::size_t expert, float weight) {
      const auto slot = static_cast<std::size_t>(m_firstSlot[expert]++);
      m_slotInputs[slot] = from.row(static_cast<std::size_t>(t));
      m_slotOutputs[slot] = to.row(static_cast<std::size_t>(t));
      m_slotGains[slot] = weight;
      if (!m_context.description.experts.scalesInput) return;
      float* scaled = m_scaled.row(slot);
      for (std::int64_t i = 0; i < m_scaled.columns(); ++i) scaled[i] = weight * m_slotInputs[slot][i];
      m_slotInputs[slot] = scaled;
      m_slotGains[slot] = 1.0F;
    });
  }
  for (auto e = static_cast<std::size_t>(experts); e > 0; --e) m_firstSlot[e] = m_firstSlot[e - 1];
  m_firstSlot[0] = 0;
}

/// Rows [firstRow, endRow) of one slot: biases, then the activation into m_gate.
void CpuFeedForward::activate(const CpuExpert& expert, std::size_t slot, std::int64_t firstRow,
                              std::int64_t endRow) {
  const auto& spec = m_context.description.experts;
  float* gate = m_gate.row(slot) + firstRow;
  float* up = m_up.row(slot) + firstRow;
  const std::int64_t count = endRow - firstRow;
  if (!expert.gateBias.empty()) {
    m_context.kernels.add(gate, expert.gateBias.data() + firstRow, count);
    m_context.kernels.add(up, expert.upBias.data() + firstRow, count);
  }
  if (spec.activation != checkpoint::Activation::ClampedSwish) {
    m_context.kernels.siluTimes(gate, up, count);
    if (expert.linear.exists()) multiplyBy(m_linear.row(slot) + firstRow, count, gate);
    return;
  }
  const auto limit = static_cast<float>(spec.limit);
  const auto alpha = static_cast<float>(spec.alpha);
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = std::min(gate[i], limit);
    gate[i] = (std::clamp(up[i], -limit, limit) + 1.0F) * g / (1.0F + std::exp(-alpha * g));
  }
}

/// down(silu(gate x) * up x) of every slot, times its weight, added to its token in ascending order of the
/// expert's id: the order of transformers' eager loop, and the same for one token and for many.
void CpuFeedForward::runExperts(const CpuLayer& layer, int tokens) {
  if (m_activeExperts.empty()) return;
  const std::int64_t inner = m_context.description.experts.intermediateSize;
  const std::int64_t hidden = m_context.description.hiddenSize;
  const Kernels& kernels = m_context.kernels;
  const auto project = [&](int expert, std::int64_t firstRow, std::int64_t endRow) {
    const auto slot = static_cast<std::size_t>(m_firstSlot[static_cast<std::size_t>(expert)]);
    const int count = m_firstSlot[static_cast<std::size_t>(expert) + 1] - static_cast<int>(slot);
    const CpuExpert& e = layer.moe.experts[static_cast<std::size_t>(expert)];
    MatmulJob job;
    job.firstRow = firstRow;
    job.endRow = endRow;
    job.inputs = m_slotInputs.data() + slot;
    job.tokens = count;
    job.outputs = m_gate.outputs() + slot;
    matmul(kernels, e.gate, job);
    job.outputs = m_up.outputs() + slot;
    matmul(kernels, e.up, job);
    if (e.linear.exists()) {
      job.outputs = m_linear.outputs() + slot;
      matmul(kernels, e.linear, job);
    }
    for (std::size_t s = slot; s < slot + static_cast<std::size_t>(count); ++s) {
      activate(e, s, firstRow, endRow);
    }
  };
  const auto combine = [&](std::int64_t firstRow, std::int64_t endRow) {
    for (const int expert : m_activeExperts) {
      const auto slot = static_cast<std::size_t>(m_firstSlot[static_cast<std::size_t>(expert)]);
      const int count = m_firstSlot[static_cast<std::size_t>(expert) + 1] - static_cast<int>(slot);
      const CpuExpert& e = layer.moe.experts[static_cast<std::size_t>(expert)];
      MatmulJob job;
      job.firstRow = firstRow;
      job.endRow = endRow;
      job.inputs = m_gate.inputs() + slot;
      job.outputs = m_slotOutputs.data() + slot;
      job.gains = m_slotGains.data() + slot;
      job.tokens = count;
      matmul(kernels, e.down, job);
      if (e.downBias.empty()) continue;
      for (std::size_t s = slot; s < slot + static_cast<std::size_t>(count); ++s) {
        for (std::int64_t row = firstRow; row < endRow; ++row)
          m_slotOutputs[s][row] += m_slotGains[s] * e.downBias[size(row)];
      }
    }
  };

  const auto active = static_cast<std::int64_t>(m_activeExperts.size());
  ThreadPool& pool = m_context.pool;
  if (pool.threads() == 1 || 3 * inner * hidden * std::max<std::int64_t>(active, tokens) < kParallelWork) {
    for (const int expert : m_activeExperts) project(expert, 0, inner);
    combine(0, hidden);
    return;
  }
  const std::int64_t shares = (inner + kShareRows - 1) / kShareRows;
  pool.run(active * shares, [&](std::int64_t task) {
    const std::int64_t first = task % shares * kShareRows;
    project(m_activeExperts[static_cast<std::size_t>(task / shares)], first,
            std::min(inner, first + kShareRows));
  });
  pool.run((hidden + kShareRows - 1) / kShareRows, [&](std::int64_t share) {
    combine(share * kShareRows, std::min(hidden, (share + 1) * kShareRows));
  });
}

}  // namespace moescope::engine
