#include "core/analysis/quality_estimator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::analysis {

namespace {

constexpr std::array<std::string_view, kQualityEstimators> kNames{"q1", "q2", "q3", "q4"};
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

std::string_view name(QualityEstimator estimator) { return kNames[static_cast<std::size_t>(estimator)]; }

std::optional<QualityEstimator> qualityEstimatorFrom(std::string_view word) {
  const auto found = std::ranges::find(kNames, word);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<QualityEstimator>(found - kNames.begin());
}

/// Weighted medians of many multisets of the same rows: each expert's logits sorted once, then a walk from
/// the place where the median was last time. Whole texts move in and out, so the place moves little.
class QualityPool::Medians {
 public:
  Medians(const TextLogits& logits, int texts) : m_rows(logits.rows()) {
    const auto experts = static_cast<std::size_t>(logits.experts);
    std::vector<std::uint32_t> order(m_rows);
    for (std::size_t e = 0; e < experts; ++e) {
      std::iota(order.begin(), order.end(), 0U);
      std::ranges::sort(order, {}, [&](std::uint32_t r) { return logits.row(r)[e]; });
      for (const std::uint32_t r : order) {
        m_values.push_back(logits.row(r)[e]);
        m_owners.push_back(logits.texts[r]);
      }
    }
    // Rows of each text before the middle row, to start the walk there.
    m_before.assign(experts * static_cast<std::size_t>(texts), 0);
    for (std::size_t e = 0; e < experts; ++e) {
      for (std::size_t i = 0; i < middle(); ++i)
        ++m_before[e * static_cast<std::size_t>(texts) + owner(e, i)];
    }
    m_rowsOf.assign(static_cast<std::size_t>(texts), 0);
    for (const std::int32_t text : logits.texts) ++m_rowsOf[static_cast<std::size_t>(text)];
  }

  /// `weights` [texts].
  double median(std::size_t expert, const std::vector<std::int64_t>& weights) const {
    std::int64_t total = 0, before = 0;
    for (std::size_t t = 0; t < weights.size(); ++t) {
      total += weights[t] * m_rowsOf[t];
      before += weights[t] * m_before[expert * weights.size() + t];
    }
    if (total == 0) return kNaN;
    const double upper = valueAt(expert, weights, total / 2, before);
    return total % 2 == 1 ? upper : 0.5 * (upper + valueAt(expert, weights, total / 2 - 1, before));
  }

 private:
  [[nodiscard]] std::size_t middle() const { return m_rows / 2; }
  [[nodiscard]] std::size_t owner(std::size_t expert, std::size_t i) const {
    return static_cast<std::size_t>(m_owners[expert * m_rows + i]);
  }
  /// The value with `rank` others before it in the sorted multiset; `before` of them lie before the middle.
  [[nodiscard]] double valueAt(std::size_t expert, const std::vector<std::int64_t>& weights,
                               std::int64_t rank, std::int64_t before) const {
    std::size_t i = middle();
    while (before > rank) before -= weights[owner(expert, --i)];
    while (before + weights[owner(expert, i)] <= rank) before += weights[owner(expert, i++)];
    return static_cast<double>(m_values[expert * m_rows + i]);
  }

  std::size_t m_rows;
  std::vector<float> m_values;         // [experts, rows] ascending
  std::vector<std::int32_t> m_owners;  // [experts, rows] their texts
  std::vector<std::int64_t> m_before;  // [experts, texts]
  std::vector<std::int64_t> m_rowsOf;  // [texts]
};

QualityPool::QualityPool(QualityEstimator estimator, const RouterLoads& loads, const TextLogits* logits)
    : m_estimator(estimator), m_loads(loads) {
  if (!logits || logits->experts != loads.experts) return;
  if (estimator == QualityEstimator::Q3) m_medians = std::make_unique<Medians>(*logits, loads.texts);
  if (estimator == QualityEstimator::Q4) sumChosen(*logits);
}

void QualityPool::sumChosen(const TextLogits& logits) {
  m_chosenLogits.assign(m_loads.counts.size(), 0.0);
  m_chosenCounts = m_chosenLogits;
  for (std::size_t r = 0; r < logits.rows(); ++r) {
    const auto text = static_cast<std::size_t>(logits.texts[r]);
    for (const std::uint16_t expert : logits.chosen[r]) {
      const std::size_t cell = text * static_cast<std::size_t>(m_loads.experts) + expert;
      m_chosenLogits[cell] += static_cast<double>(logits.row(r)[expert]);
      m_chosenCounts[cell] += 1.0;
    }
  }
}

QualityPool::~QualityPool() = default;
QualityPool::QualityPool(QualityPool&&) noexcept = default;

bool QualityPool::possible() const { return m_estimator != QualityEstimator::Q3 || m_medians; }

void QualityPool::quality(std::span<const std::uint16_t> times, Half half, std::span<double> q) const {
  if (m_estimator != QualityEstimator::Q3) {
    sums(times, half, q);
    return;
  }
  std::vector<std::int64_t> weights(times.size());
  for (std::size_t t = 0; t < times.size(); ++t) weights[t] = isIn(half, t) ? times[t] : 0;
  for (std::size_t e = 0; e < q.size(); ++e) q[e] = m_medians ? m_medians->median(e, weights) : kNaN;
}

void QualityPool::sums(std::span<const std::uint16_t> times, Half half, std::span<double> q) const {
  const bool byChoice = m_estimator == QualityEstimator::Q4;
  const bool isLog = m_estimator == QualityEstimator::Q2 || (byChoice && m_chosenLogits.empty());
  const std::vector<double>& numerators = m_estimator == QualityEstimator::Q1   ? m_loads.logitSum
                                          : m_estimator == QualityEstimator::Q2 ? m_loads.probabilitySum
                                          : m_chosenLogits.empty()              ? m_loads.gateMass
                                                                                : m_chosenLogits;
  const std::vector<double>& counts = m_chosenCounts.empty() ? m_loads.counts : m_chosenCounts;
  const std::size_t experts = q.size();
  std::ranges::fill(q, 0.0);
  double tokens = 0.0;
  std::vector<double> choices(byChoice ? experts : 0, 0.0);
  for (std::size_t t = 0; t < times.size(); ++t) {
    if (times[t] == 0 || !isIn(half, t)) continue;
    const double weight = times[t];
    const double* row = numerators.data() + t * experts;
    tokens += weight * m_loads.tokens[t];
    for (std::size_t e = 0; e < experts; ++e) q[e] += weight * row[e];
    for (std::size_t e = 0; e < choices.size(); ++e) choices[e] += weight * counts[t * experts + e];
  }
  for (std::size_t e = 0; e < experts; ++e) {
    const double value = q[e] / (byChoice ? choices[e] : tokens);
    const double nats = isLog ? std::log(value) : value;
    q[e] = std::isfinite(nats) ? nats : kNaN;
  }
}

}  // namespace moescope::analysis
