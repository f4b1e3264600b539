// The mixture-of-experts sublayer of the CPU decoder.
#include <algorithm>

#include "core/engine/torch/cpu_decoder.h"

namespace moescope::engine {

namespace {

// Multiplications of the chosen experts below which one thread does all.
constexpr std::int64_t kParallelWork = 1 << 20;
// Rows of a matrix that one thread does at a time: enough to make the claim cheap.
constexpr std::int64_t kShareRows = 64;

}  // namespace

Result<void> CpuDecoder::experts(int layer, const DecoderBlock& block, StepBuffers& step) {
  const CpuLayer& l = m_context.weights.layers[static_cast<std::size_t>(layer)];
  const int tokens = static_cast<int>(block.ids.size());
  const int experts = static_cast<int>(l.experts.size());
  for (int t = 0; t < tokens; ++t) {
    const int row = block.firstRow + t;
    m_tapRows[static_cast<std::size_t>(t)] = step.routerLogits(layer, row);
    if (float* shown = step.routerInput(layer, row)) {
      std::copy_n(m_normed.row(static_cast<std::size_t>(t)), m_normed.columns(), shown);
    }
  }
  multiply(l.router, m_normed.inputs(), m_tapRows.data(), tokens);
  if (!l.routerBias.empty()) {
    for (int t = 0; t < tokens; ++t) {
      m_context.kernels.add(m_tapRows[static_cast<std::size_t>(t)], l.routerBias.data(), experts);
    }
  }
  const auto routed = step.route(layer, block.firstRow, tokens);
  if (!routed) return fail(routed.error());

  groupByExpert(*routed, tokens, experts);
  for (int t = 0; t < tokens; ++t) {
    std::fill_n(m_update.row(static_cast<std::size_t>(t)), m_update.columns(), 0.0F);
  }
  runExperts(l, tokens);
  for (int t = 0; t < tokens; ++t) {
    const auto row = static_cast<std::size_t>(t);
    m_context.kernels.add(m_stream.row(row), m_update.row(row), m_stream.columns());
  }
  return {};
}

/// Gives every choice a slot, sorted by expert, so that an expert's weights are read once for all its tokens.
void CpuDecoder::groupByExpert(const RoutedRows& routed, int tokens, int experts) {
  m_firstSlot.assign(static_cast<std::size_t>(experts) + 1, 0);
  const auto choicesOf = [&](int t, auto&& visit) {
    const std::int64_t first = std::int64_t{t} * routed.stride;
    for (std::int64_t i = first; i < first + routed.stride && routed.ids[i] >= 0; ++i) {
      visit(static_cast<std::size_t>(routed.ids[i]), routed.weights[i]);
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
  if (m_slotInputs.size() < slots) {
    m_slotInputs.resize(slots);
    m_slotOutputs.resize(slots);
    m_slotGains.resize(slots);
  }
  // m_firstSlot[e] serves as the next free slot of e and is moved back afterwards.
  for (int t = 0; t < tokens; ++t) {
    choicesOf(t, [&](std::size_t expert, float weight) {
      const auto slot = static_cast<std::size_t>(m_firstSlot[expert]++);
      m_slotInputs[slot] = m_normed.row(static_cast<std::size_t>(t));
      m_slotOutputs[slot] = m_update.row(static_cast<std::size_t>(t));
      m_slotGains[slot] = weight;
    });
  }
  for (auto e = static_cast<std::size_t>(experts); e > 0; --e) m_firstSlot[e] = m_firstSlot[e - 1];
  m_firstSlot[0] = 0;
}

/// down(silu(gate x) * up x) of every slot, times its weight, added to its token in ascending order of the
/// expert's id: the order of transformers' eager loop, and the same for one token and for many.
void CpuDecoder::runExperts(const CpuLayer& layer, int tokens) {
  if (m_activeExperts.empty()) return;
  const std::int64_t inner = m_context.description.experts.intermediateSize;
  const std::int64_t hidden = m_stream.columns();
  const Kernels& kernels = m_context.kernels;
  const auto project = [&](int expert, std::int64_t firstRow, std::int64_t endRow) {
    const auto slot = static_cast<std::size_t>(m_firstSlot[static_cast<std::size_t>(expert)]);
    const int count = m_firstSlot[static_cast<std::size_t>(expert) + 1] - static_cast<int>(slot);
    const CpuExpert& e = layer.experts[static_cast<std::size_t>(expert)];
    kernels.matmul({e.gate.data, e.gate.storage, hidden, firstRow, endRow, m_slotInputs.data() + slot,
                    m_gate.outputs() + slot, nullptr, count});
    kernels.matmul({e.up.data, e.up.storage, hidden, firstRow, endRow, m_slotInputs.data() + slot,
                    m_up.outputs() + slot, nullptr, count});
    for (std::size_t s = slot; s < slot + static_cast<std::size_t>(count); ++s) {
      kernels.siluTimes(m_gate.row(s) + firstRow, m_up.row(s) + firstRow, endRow - firstRow);
    }
  };
  const auto combine = [&](std::int64_t firstRow, std::int64_t endRow) {
    for (const int expert : m_activeExperts) {
      const auto slot = static_cast<std::size_t>(m_firstSlot[static_cast<std::size_t>(expert)]);
      const int count = m_firstSlot[static_cast<std::size_t>(expert) + 1] - static_cast<int>(slot);
      const CpuMatrix& down = layer.experts[static_cast<std::size_t>(expert)].down;
      kernels.matmul({down.data, down.storage, inner, firstRow, endRow, m_gate.inputs() + slot,
                      m_slotOutputs.data() + slot, m_slotGains.data() + slot, count});
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
