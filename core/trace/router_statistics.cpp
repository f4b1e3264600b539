#include "core/trace/router_statistics.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace moescope::trace {

namespace {

/// exp(x) for x <= 0, relative error about 2e-7; 0 below -87. Range reduction by round(x / ln 2) with the
/// usual shift by 1.5 * 2^23, then a degree 6 polynomial (Cephes' expf): plain arithmetic that vectorises.
inline float expNonPositive(float x) {
  constexpr float kShift = 12582912.0F;
  constexpr float kLog2E = 1.44269504088896341F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  const float clamped = x < -87.0F ? -87.0F : x;
  const float shifted = clamped * kLog2E + kShift;
  const float n = shifted - kShift;
  const float r = (clamped - n * kLn2High) - n * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const float value = (p * r) * r + r + 1.0F;
  const std::uint32_t power = (std::bit_cast<std::uint32_t>(shifted) + 127U) << 23;
  const float result = value * std::bit_cast<float>(power);
  return x < -87.0F ? 0.0F : result;
}

/// exp(z - top). The rounding error of the difference (TwoDiff, Knuth) is put back: at z - top = -20 it alone
/// would cost 1e-6.
inline float shiftedExp(float z, float top, float& difference) {
  difference = z - top;
  const float back = difference - z;
  const float error = (z - (difference - back)) - (top + back);
  const float e = expNonPositive(difference);
  return e + e * error;
}

constexpr std::size_t kLanes = 8;

float largest(std::span<const float> row) {
  std::array<float, kLanes> best;
  best.fill(row[0]);
  const std::size_t whole = row.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      best[lane] = row[i + lane] > best[lane] ? row[i + lane] : best[lane];
    }
  }
  float top = best[0];
  for (const float value : best) top = std::max(top, value);
  for (std::size_t i = whole; i < row.size(); ++i) top = std::max(top, row[i]);
  return top;
}

RowStatistics softmaxStatistics(std::span<const float> logits, std::span<float> probabilities) {
  const float top = largest(logits);
  // Sums in double: the entropy of a peaked row is a small difference.
  std::array<double, kLanes> sums{};
  std::array<double, kLanes> moments{};
  const std::size_t whole = logits.size() / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      float difference = 0.0F;
      const float e = shiftedExp(logits[i + lane], top, difference);
      probabilities[i + lane] = e;
      sums[lane] += static_cast<double>(e);
      moments[lane] += static_cast<double>(e) * static_cast<double>(difference);
    }
  }
  double sum = 0.0;
  double moment = 0.0;
  for (std::size_t i = whole; i < logits.size(); ++i) {
    float difference = 0.0F;
    const float e = shiftedExp(logits[i], top, difference);
    probabilities[i] = e;
    sum += static_cast<double>(e);
    moment += static_cast<double>(e) * static_cast<double>(difference);
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sum += sums[lane];
    moment += moments[lane];
  }
  if (!std::isfinite(sum) || !std::isfinite(moment)) return {};
  const double logSum = std::log(sum);
  const auto scale = static_cast<float>(1.0 / sum);
  for (float& p : probabilities) p *= scale;
  return {logSum - moment / sum, static_cast<double>(top) + logSum, true};
}

RowStatistics sigmoidStatistics(std::span<const float> logits, std::span<float> probabilities) {
  const RowStatistics softmax = softmaxStatistics(logits, probabilities);
  if (!softmax.finite) return {};
  double sum = 0.0;
  double moment = 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double z = logits[i];
    // log sigmoid(z) without overflow on either side.
    const double logScore = std::min(z, 0.0) - std::log1p(std::exp(-std::abs(z)));
    const double score = std::exp(logScore);
    probabilities[i] = static_cast<float>(score);
    sum += score;
    moment += score * logScore;
  }
  if (!(sum > 0.0)) return {};
  for (float& p : probabilities) p = static_cast<float>(static_cast<double>(p) / sum);
  return {std::log(sum) - moment / sum, softmax.logSumExp, true};
}

}  // namespace

RowStatistics rowStatistics(std::span<const float> logits, ScoreKind score, std::span<float> probabilities) {
  if (logits.empty()) return {};
  return score == ScoreKind::SigmoidAll ? sigmoidStatistics(logits, probabilities)
                                        : softmaxStatistics(logits, probabilities);
}

}  // namespace moescope::trace
