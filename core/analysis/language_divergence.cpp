#include "core/analysis/language_divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "core/analysis/shuffle.h"

namespace moescope::analysis {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// Below this the normaliser carries no information (the source's port).
constexpr double kLeastNormaliser = 1e-8;

double plogp(double p) { return p > 0.0 ? p * std::log(p) : 0.0; }

bool defined(const std::vector<double>& row) {
  return !row.empty() && std::ranges::all_of(row, [](double v) { return std::isfinite(v); });
}

double timesOf(std::span<const std::uint16_t> times, std::size_t row) {
  return times.empty() ? 1.0 : static_cast<double>(times[row]);
}

}  // namespace

double normalizedDivergence(std::span<const double> a, std::span<const double> b) {
  const double sumA = std::accumulate(a.begin(), a.end(), 0.0);
  const double sumB = std::accumulate(b.begin(), b.end(), 0.0);
  if (a.size() != b.size() || !(sumA > 0.0) || !(sumB > 0.0)) return kNan;
  double entropyA = 0.0;
  double entropyB = 0.0;
  double entropyMiddle = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double pa = a[i] / sumA;
    const double pb = b[i] / sumB;
    entropyA -= plogp(pa);
    entropyB -= plogp(pb);
    entropyMiddle -= plogp((pa + pb) / 2.0);
  }
  const double mean = (entropyA + entropyB) / 2.0;
  const double normaliser = std::log(static_cast<double>(a.size())) - mean;
  if (!(normaliser >= kLeastNormaliser)) return kNan;
  return std::clamp((entropyMiddle - mean) / normaliser, 0.0, 1.0);
}

std::vector<double> meanRow(const TextRows& rows, std::span<const std::uint16_t> times) {
  std::vector<double> out;
  double weight = 0.0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double count = timesOf(times, r);
    if (count == 0.0 || !defined(rows[r])) continue;
    out.resize(rows[r].size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += count * rows[r][i];
    weight += count;
  }
  for (double& value : out) value /= weight;
  return out;
}

double pairedDivergence(const TextRows& a, const TextRows& b, std::span<const std::uint16_t> times) {
  double sum = 0.0;
  double weight = 0.0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double count = timesOf(times, i);
    if (count == 0.0 || !defined(a[i]) || !defined(b[i])) continue;
    const double value = normalizedDivergence(a[i], b[i]);
    if (!std::isfinite(value)) continue;
    sum += count * value;
    weight += count;
  }
  return weight > 0.0 ? sum / weight : kNan;
}

double meanDivergence(const TextRows& a, const TextRows& b, std::span<const std::uint16_t> timesA,
                      std::span<const std::uint16_t> timesB) {
  return normalizedDivergence(meanRow(a, timesA), meanRow(b, timesB));
}

double shuffledDivergence(const TextRows& a, const TextRows& b, int shuffles, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  TextRows deck = a;
  deck.insert(deck.end(), b.begin(), b.end());
  double sum = 0.0;
  int counted = 0;
  for (int deal = 0; deal < shuffles; ++deal) {
    shuffle(std::span(deck), random);
    const auto cut = deck.begin() + static_cast<std::ptrdiff_t>(a.size());
    const double value = meanDivergence(TextRows(deck.begin(), cut), TextRows(cut, deck.end()));
    if (!std::isfinite(value)) continue;
    sum += value;
    ++counted;
  }
  return counted > 0 ? sum / counted : kNan;
}

double neighbourDivergence(const TextRows& a) {
  if (a.size() < 2) return kNan;
  TextRows next(a.begin() + 1, a.end());
  next.push_back(a.front());
  return pairedDivergence(a, next);
}

}  // namespace moescope::analysis
