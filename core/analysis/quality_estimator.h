// QualityEstimator: how good a router finds each expert, from sums over texts or from recorded logits.
// Not from the choices themselves: a quality computed from the load would make every fit circular.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/analysis/series_loads.h"
#include "core/analysis/text_logits.h"

namespace moescope::analysis {

/// analyses.md 1.5; a reconstruction, the paper's four are not known.
enum class QualityEstimator : std::uint8_t {
  Q1,  ///< mean router logit
  Q2,  ///< log of the mean probability
  Q3,  ///< median router logit; needs recorded logits
  Q4,  ///< mean logit where chosen; without recorded logits log of the mean gate weight where chosen
};
inline constexpr int kQualityEstimators = 4;

std::string_view name(QualityEstimator estimator);
std::optional<QualityEstimator> qualityEstimatorFrom(std::string_view word);

/// The half of the texts that a fit learns from (even ones), and the other.
enum class Half : std::uint8_t { Train, HeldOut, Both };
[[nodiscard]] inline bool isIn(Half half, std::size_t text) {
  return half == Half::Both || (text % 2 == 0) == (half == Half::Train);
}

/// The quality of the experts of one router for any multiset of texts. Borrows `loads` and `logits`.
class QualityPool {
 public:
  /// `logits` may be null where they were not recorded.
  QualityPool(QualityEstimator estimator, const RouterLoads& loads, const TextLogits* logits);
  ~QualityPool();
  QualityPool(QualityPool&&) noexcept;

  /// False for Q3 without logits.
  [[nodiscard]] bool possible() const;
  /// Fills q [experts] in nat. `times` [texts]: how often each text counts. Experts without a value (never
  /// chosen under Q4) are NaN.
  void quality(std::span<const std::uint16_t> times, Half half, std::span<double> q) const;

 private:
  class Medians;
  void sumChosen(const TextLogits& logits);
  void sums(std::span<const std::uint16_t> times, Half half, std::span<double> q) const;

  QualityEstimator m_estimator;
  const RouterLoads& m_loads;
  std::vector<double> m_chosenLogits, m_chosenCounts;  // [texts, experts], Q4 with logits
  std::unique_ptr<Medians> m_medians;                  // Q3
};

}  // namespace moescope::analysis
