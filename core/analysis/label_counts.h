// LabelCounts: how often each expert of one router was chosen in each unit of resampling with each label.
// Not for what follows from them (specialization.h, label_information.h).
#pragma once

#include "core/analysis/bootstrap.h"
#include "core/analysis/label_units.h"

namespace moescope::analysis {

struct LabelCounts {
  int labels = 0, experts = 0;
  std::vector<int> strata;           ///< units of each stratum, in order of the units
  std::vector<int> unitOf, labelOf;  ///< [entries]
  std::vector<std::int64_t> tokens;  ///< [entries] with a decision
  std::vector<std::int64_t> counts;  ///< [entries, experts]
  std::int64_t missingEntries = 0;   ///< whole sequences whose sums the trace does not have

  [[nodiscard]] int units() const;
};

/// Sums over labels. `counts` is [labels, experts].
struct LabelTotals {
  int labels = 0, experts = 0;
  std::vector<double> tokens;  ///< [labels]
  std::vector<double> counts;  ///< [labels, experts]
};

/// `choices` 0: every choice of a token, 1: the first only (entries must then be token by token). Whole
/// sequences come from sequence_stats, the rest from blocks. Errors: `cancelled`.
Result<LabelCounts> labelCounts(const trace::TraceStore& store, const AnalysedRun& run, int router,
                                const LabelUnits& units, int choices, std::stop_token stop);

/// Each unit once; draws of them: drawn_totals.h.
LabelTotals labelTotals(const LabelCounts& counts);

/// [draws] of [units]: every stratum is drawn by itself, with replacement.
class StratifiedDraws {
 public:
  StratifiedDraws(const std::vector<int>& strata, int draws, std::uint64_t seed);
  [[nodiscard]] int draws() const { return m_draws; }
  /// [units]
  [[nodiscard]] std::vector<std::uint16_t> draw(int index) const;

 private:
  int m_draws;
  std::vector<TextDraws> m_strata;
};

}  // namespace moescope::analysis
