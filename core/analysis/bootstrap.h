// Bootstrap: seeded resampling of texts with replacement, and intervals from the replicates.
// Not for resampling tokens, which are not independent, or for what is computed from each draw.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/trace/routing_types.h"

namespace moescope::analysis {

/// Below this many texts the windows of long texts are resampled instead (analyses.md section 10).
inline constexpr int kFewTexts = 20;

/// What is drawn: texts, or windows of texts. Sequences with the same text hash are windows of one text.
struct ResamplingUnits {
  std::vector<int> unitOf;  ///< [sequences]
  int units = 0;
  int texts = 0;         ///< texts, whatever is drawn
  bool windows = false;  ///< windows are drawn because there are fewer than kFewTexts texts

  /// "176 texts" or "60 windows of 5 texts".
  [[nodiscard]] std::string description() const;
};

/// Texts of the sequences in order of appearance. For a result by label, call it once a label.
ResamplingUnits resamplingUnits(std::span<const trace::SequenceRecord> sequences);

/// How often each text is in each of the draws: each draw takes as many texts as there are, with
/// replacement. The same seed gives the same draws on every machine.
class TextDraws {
 public:
  TextDraws(int texts, int draws, std::uint64_t seed);
  /// `multiplicities` [draws, texts].
  TextDraws(int texts, std::vector<std::uint16_t> multiplicities);

  [[nodiscard]] int texts() const { return m_texts; }
  [[nodiscard]] int draws() const { return m_draws; }
  /// [texts] how often each is in draw `index`.
  [[nodiscard]] std::span<const std::uint16_t> draw(int index) const;

 private:
  int m_texts, m_draws;
  std::vector<std::uint16_t> m_multiplicities;
};

struct Interval {
  double low = 0.0, high = 0.0;
};

/// Both are NaN where no replicate is defined.
struct BootstrapInterval {
  Interval percentile;  ///< quantiles of the replicates
  Interval basic;       ///< 2 estimate - quantiles (as moe-lrc, arXiv:2505.16056)
  int undefined = 0;    ///< replicates that are not finite; they are left out
};

/// Quantile of ascending values by linear interpolation between order statistics (numpy's default, type 7
/// of Hyndman and Fan 1996); NaN if there are none.
double quantile(std::span<const double> ascending, double probability);

/// `level` 0.95: between the 2.5 % and the 97.5 % quantile.
BootstrapInterval bootstrapInterval(double estimate, std::span<const double> replicates, double level = 0.95);

}  // namespace moescope::analysis
