// LightningAttention: the linear layers of minimax (Qin et al. 2024), token by token.
// Not the softmax layers and not the block around (minimax_forward.h).
#pragma once

#include <string>
#include <vector>

#include "core/engine/api/forward_kit.h"
#include "core/engine/api/recurrent_history.h"

namespace moescope::minimax {

/// Of one layer, on disk: both kinds of attention.
struct LayerNames {
  explicit LayerNames(int layer);
  std::string attentionPrefix;
  std::string inputNorm, feedForwardNorm;  ///< [hidden]
  std::string query, key, value, output;   ///< of softmax attention
  std::string mix;                         ///< [3 * heads * headDim, hidden]: query, key, value of each head
  std::string gate;                        ///< [heads * headDim, hidden]
  std::string linearOutput;                ///< [hidden, heads * headDim]
  std::string linearNorm;                  ///< [heads * headDim]
};

/// One layer of one sequence.
class LightningAttention {
 public:
  LightningAttention(engine::ForwardKit& kit, int layer);
  static std::int64_t bytesPerPosition(const checkpoint::AttentionSpec& attention);

  /// Rows that layers share.
  struct Scratch {
    explicit Scratch(const checkpoint::AttentionSpec& attention);
    engine::TokenRows mix;         ///< [tokens, 3 * heads * headDim]
    engine::TokenRows gate, core;  ///< [tokens, heads * headDim]
  };
  /// `from` to `to`, [tokens, hidden].
  void forward(const engine::ForwardBlock& block, const engine::TokenRows& from, const engine::TokenRows& to,
               Scratch& scratch);
  void copyFrom(const LightningAttention& other, std::int64_t position) {
    m_history.copyFrom(other.m_history, position);
  }

 private:
  void run(std::int64_t first, std::int64_t end, const engine::ForwardBlock& block, const Scratch& scratch);
  void recur(int head, std::int64_t first, std::int64_t end, const engine::ForwardBlock& block,
             const Scratch& scratch);

  engine::ForwardKit& m_kit;
  engine::KitMatrix m_mix, m_gate, m_output;
  const std::vector<float>& m_norm;
  std::vector<float> m_decay;  ///< [heads] of the state, a token
  engine::RecurrentHistory m_history;
};

}  // namespace moescope::minimax
