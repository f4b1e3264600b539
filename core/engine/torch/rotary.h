// Rotary: rotary position embedding of the tokens of one block (models.md section 1.4 of the design).
// Not for other position schemes.
#pragma once

#include <cstdint>
#include <vector>

#include "core/checkpoint/model_description.h"

namespace moescope::engine {

/// Angles are formed as transformers forms them, in float32: frequency theta^(-2i/d), times the position.
class Rotary {
 public:
  Rotary(const checkpoint::RopeSpec& spec, int maxTokens);

  /// Computes cosines and sines for positions [position, position + tokens).
  void prepare(std::int64_t position, int tokens);
  /// Rotates one head of the block's token in place: pairs (i, i + d/2), d = rotaryDim.
  void apply(int token, float* head) const;

  [[nodiscard]] int rotaryDim() const { return 2 * m_half; }
  /// Of the prepared block: [tokens, rotaryDim / 2].
  [[nodiscard]] const std::vector<float>& cosines() const { return m_cosines; }
  [[nodiscard]] const std::vector<float>& sines() const { return m_sines; }

 private:
  int m_half;
  std::vector<float> m_frequencies;
  std::vector<float> m_cosines;
  std::vector<float> m_sines;
};

}  // namespace moescope::engine
