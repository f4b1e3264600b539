// TextUnits: the texts of some sequences as units of resampling, or windows where there are few texts.
// Not for drawing them (bootstrap.h).
#pragma once

#include "core/analysis/bootstrap.h"

namespace moescope::analysis {

/// Tokens of a window where long sequences are cut (analyses.md section 10).
inline constexpr int kWindowTokens = 256;

struct TextUnits {
  std::vector<int> first;  ///< [sequences] the unit of its first token
  int units = 0;
  bool cut = false;         ///< sequences are cut into windows of kWindowTokens positions
  std::string description;  ///< "176 texts", "12 windows of 256 tokens of 1 text"

  [[nodiscard]] int unitOf(std::size_t sequence, std::int64_t position) const {
    return first[sequence] + (cut ? static_cast<int>(position / kWindowTokens) : 0);
  }
};

/// Texts where there are at least kFewTexts of them, else their sequences, else windows of sequences that
/// are longer than kWindowTokens.
TextUnits textUnits(std::span<const trace::SequenceRecord> sequences);

}  // namespace moescope::analysis
