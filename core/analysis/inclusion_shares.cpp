#include "core/analysis/inclusion_shares.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace moescope::analysis {

namespace {

constexpr double kStep = 0.3;        // of log t; the rule's error is about exp(-pi^2 / step)
constexpr double kFirst = -32.0;     // log t where nothing has rung yet, up to 1e-14
constexpr double kSurvivors = 40.0;  // -log of what is left at the end
constexpr double kNothing = 1e-290;  // of all weight: as good as none, and times stay finite

/// Adds `ring`, the probability of one more, to the distribution of a number below its size.
void addClock(std::span<double> counts, double ring) {
  for (std::size_t n = counts.size(); n-- > 1;) counts[n] += ring * (counts[n - 1] - counts[n]);
  counts[0] -= ring * counts[0];
}

/// The race at one time: for each clock the probability that fewer than K of the others rang, from the
/// numbers of those before it and those behind it.
class Race {
 public:
  Race(std::span<const double> rates, std::size_t taken)
      : m_rates(rates), m_taken(taken), m_before((rates.size() + 1) * taken), m_behind(taken) {}

  void addAt(double time, std::vector<double>& inclusion) {
    std::fill_n(m_before.begin(), m_taken, 0.0);
    m_before[0] = 1.0;
    for (std::size_t i = 0; i < m_rates.size(); ++i) {
      std::copy_n(row(i).begin(), m_taken, row(i + 1).begin());
      addClock(row(i + 1), rung(i, time));
    }
    std::ranges::fill(m_behind, 0.0);
    m_behind[0] = 1.0;
    for (std::size_t i = m_rates.size(); i-- > 0;) {
      double among = 0.0, atMost = 0.0;  // atMost: no more than `n` of those behind rang
      for (std::size_t n = 0; n < m_taken; ++n) {
        atMost += m_behind[n];
        among += row(i)[m_taken - 1 - n] * atMost;
      }
      inclusion[i] += kStep * time * m_rates[i] * std::exp(-m_rates[i] * time) * among;
      addClock(m_behind, rung(i, time));
    }
  }

 private:
  [[nodiscard]] std::span<double> row(std::size_t i) {
    return std::span(m_before).subspan(i * m_taken, m_taken);
  }
  [[nodiscard]] double rung(std::size_t i, double time) const { return -std::expm1(-m_rates[i] * time); }

  std::span<const double> m_rates;
  std::size_t m_taken;
  std::vector<double> m_before, m_behind;  // [clocks + 1, K], [K]: probabilities of 0 .. K - 1 that rang
};

}  // namespace

std::vector<double> inclusionShares(std::span<const double> weights, int taken) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (taken < 1 || !(sum > 0.0)) return {};
  std::vector<double> rates, inclusion(weights.size(), 0.0);
  for (const double weight : weights) rates.push_back(weight / sum < kNothing ? 0.0 : weight / sum);
  std::vector<double> ordered = rates;
  std::ranges::sort(ordered, std::greater<>());
  const auto rooms = static_cast<std::size_t>(taken);
  if (rooms >= ordered.size() || !(ordered[rooms] > 0.0)) {
    for (std::size_t i = 0; i < rates.size(); ++i) inclusion[i] = rates[i] > 0.0 ? 1.0 : 0.0;
  } else {
    // The race ends when K + 1 clocks have rung: the K + 1 fastest have by then.
    const double last = std::log(kSurvivors / ordered[rooms]);
    Race race(rates, rooms);
    const auto steps = static_cast<int>(std::ceil((last + kStep - kFirst) / kStep));
    for (int i = 0; i < steps; ++i) race.addAt(std::exp(kFirst + i * kStep), inclusion);
  }
  const double total = std::accumulate(inclusion.begin(), inclusion.end(), 0.0);
  for (double& share : inclusion) share /= total;
  return inclusion;
}

}  // namespace moescope::analysis
