// DeltaNet: the Gated DeltaNet layers of qwen3_next (Yang et al. 2025), token by token.
// Not the attention layers and not the block around (qwen3_next_forward.h).
#pragma once

#include <string>
#include <vector>

#include "core/engine/api/forward_kit.h"
#include "core/engine/api/recurrent_history.h"

namespace moescope::qwen3_next {

/// Sizes of every DeltaNet layer.
struct DeltaNetShape {
  int keyHeads = 16, valueHeads = 32, keyDim = 128, valueDim = 128, kernel = 4;

  [[nodiscard]] std::int64_t keys() const { return std::int64_t{keyHeads} * keyDim; }
  [[nodiscard]] std::int64_t values() const { return std::int64_t{valueHeads} * valueDim; }
  [[nodiscard]] std::int64_t mixed() const { return 2 * keys() + values(); }  ///< query, key, value
  /// Kept of a position: mixed before the convolution, then beta and decay of every value head.
  [[nodiscard]] std::int64_t inputs() const { return mixed() + 2 * std::int64_t{valueHeads}; }
  [[nodiscard]] std::int64_t state() const { return values() * keyDim; }
};

/// Of one layer, on disk.
struct DeltaNetNames {
  explicit DeltaNetNames(int layer);
  std::string mix;    ///< [2 * keys + 2 * values, hidden], rows grouped by key head: query, key, value, gate
  std::string gains;  ///< [2 * valueHeads, hidden], grouped likewise: beta, decay
  std::string convolution;          ///< [mixed, 1, kernel], causal and depthwise
  std::string decayBias, decayLog;  ///< [valueHeads]
  std::string norm;                 ///< [valueDim]
  std::string output;               ///< [hidden, values]
};

/// One layer of one sequence.
class DeltaNetLayer {
 public:
  DeltaNetLayer(engine::ForwardKit& kit, const DeltaNetShape& shape, int layer);

  /// `from` to `to`, [tokens, hidden]. `projected`, `core` and `convolved` are rows that layers share.
  struct Scratch {
    explicit Scratch(const DeltaNetShape& shape);
    engine::TokenRows projected;  ///< [tokens, 2 * keys + 2 * values]
    engine::TokenRows gains;      ///< [tokens, 2 * valueHeads]
    engine::TokenRows convolved;  ///< [tokens, mixed]
    engine::TokenRows core;       ///< [tokens, values]
  };
  void forward(const engine::ForwardBlock& block, const engine::TokenRows& from, const engine::TokenRows& to,
               Scratch& scratch);
  void copyFrom(const DeltaNetLayer& other, std::int64_t position) {
    m_history.copyFrom(other.m_history, position);
  }

 private:
  void keepInputs(const engine::ForwardBlock& block, const Scratch& scratch);
  /// Takes the state through [first, end) and writes the outputs of the block's tokens.
  void run(std::int64_t first, std::int64_t end, const engine::ForwardBlock& block, Scratch& scratch);
  void convolve(std::int64_t position, float* row) const;
  void recur(int head, std::int64_t first, std::int64_t end, const engine::ForwardBlock& block,
             Scratch& scratch);
  void normAndGate(const Scratch& scratch, int tokens) const;

  engine::ForwardKit& m_kit;
  DeltaNetShape m_shape;
  engine::KitMatrix m_mix, m_gains, m_output;
  const std::vector<float>&m_convolution, &m_decayBias, &m_decayLog, &m_norm;
  engine::RecurrentHistory m_history;
};

}  // namespace moescope::qwen3_next
