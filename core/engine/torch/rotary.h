// Rotary: rotary position embedding of the tokens of one block (models.md section 1.4 of the design).
// Not for other position schemes.
#pragma once

#include <cstdint>
#include <vector>

#include "core/checkpoint/model_description.h"

namespace moescope::engine {

/// Angles are formed as transformers forms them, in float32: frequency times position.
class Rotary {
 public:
  Rotary(const checkpoint::RopeSpec& spec, int maxTokens);

  /// Computes cosines and sines for positions [position, position + tokens). Scalings that depend on how long
  /// the sequence is take `sequence` positions.
  void prepare(std::int64_t position, int tokens, std::int64_t sequence);
  /// Rotates the first rotaryDim channels of the block's token in place.
  void apply(int token, float* head) const;

  [[nodiscard]] int rotaryDim() const { return 2 * m_half; }
  [[nodiscard]] bool isInterleaved() const { return m_spec.layout == checkpoint::RopeLayout::Interleaved; }
  /// Of the prepared block: [tokens, rotaryDim / 2].
  [[nodiscard]] const std::vector<float>& cosines() const { return m_cosines; }
  [[nodiscard]] const std::vector<float>& sines() const { return m_sines; }

 private:
  /// Of a sequence of that length.
  void setFrequencies(std::int64_t sequence);

  checkpoint::RopeSpec m_spec;
  int m_half;
  std::int64_t m_sequence = -1;  ///< that the frequencies are for, where they depend on it
  float m_magnitude = 1.0F;
  std::vector<float> m_frequencies;
  std::vector<float> m_cosines;
  std::vector<float> m_sines;
};

}  // namespace moescope::engine
