// distributionFacts: entropy, log-sum-exp and the best tokens of one row of logits.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/engine/generation/exponential.h"
#include "core/engine/generation/sampler.h"

namespace moescope::engine {

namespace {

constexpr std::size_t kLanes = 8;    // independent sums, so that the compiler may use vectors
constexpr std::size_t kStrip = 256;  // logits that are looked at together

/// The best tokens so far, best first; ties by lower id because later ones must be larger.
struct BestTokens {
  std::array<float, trace::kAlternatives> logits;
  std::array<std::int32_t, trace::kAlternatives> ids;

  BestTokens() {
    logits.fill(-std::numeric_limits<float>::infinity());
    ids.fill(-1);
  }
  void offer(float logit, std::int32_t id) {
    if (!(logit > logits.back())) return;
    int place = trace::kAlternatives - 1;
    for (; place > 0 && logit > logits[place - 1]; --place) {
      logits[place] = logits[place - 1];
      ids[place] = ids[place - 1];
    }
    logits[place] = logit;
    ids[place] = id;
  }
};

float largestOf(std::span<const float> strip) {
  std::array<float, kLanes> lanes;
  lanes.fill(-std::numeric_limits<float>::infinity());
  std::size_t i = 0;
  for (; i + kLanes <= strip.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] = strip[i + lane] > lanes[lane] ? strip[i + lane] : lanes[lane];
    }
  }
  for (; i < strip.size(); ++i) lanes[0] = strip[i] > lanes[0] ? strip[i] : lanes[0];
  return *std::max_element(lanes.begin(), lanes.end());
}

struct Sums {
  double weights = 0;   ///< sum of exp(d), d = logit - largest
  double products = 0;  ///< sum of exp(d) * d
};

void addStrip(std::span<const float> strip, float largest, Sums& sums) {
  std::array<float, kStrip> differences;
  std::array<float, kStrip> weights;
  const std::size_t count = strip.size();
  for (std::size_t i = 0; i < count; ++i) {
    const float difference = strip[i] - largest;
    differences[i] = difference > kExpFloor ? difference : kExpFloor;  // NaN and -inf become the floor
  }
  expOfNegative(std::span(differences).first(count), std::span(weights).first(count));
  std::array<double, kLanes> weightLanes{};
  std::array<double, kLanes> productLanes{};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double weight = weights[i + lane];
      weightLanes[lane] += weight;
      productLanes[lane] += weight * differences[i + lane];
    }
  }
  for (; i < count; ++i) {
    weightLanes[0] += weights[i];
    productLanes[0] += static_cast<double>(weights[i]) * differences[i];
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sums.weights += weightLanes[lane];
    sums.products += productLanes[lane];
  }
}

}  // namespace

DistributionFacts distributionFacts(std::span<const float> logits) {
  BestTokens best;
  for (std::size_t begin = 0; begin < logits.size(); begin += kStrip) {
    const auto strip = logits.subspan(begin, std::min(kStrip, logits.size() - begin));
    if (!(largestOf(strip) > best.logits.back())) continue;
    for (std::size_t i = 0; i < strip.size(); ++i) {
      best.offer(strip[i], static_cast<std::int32_t>(begin + i));
    }
  }
  DistributionFacts facts;
  facts.bestIds = best.ids;
  facts.bestLogProbs.fill(trace::kMissing);
  const float largest = best.logits.front();
  if (!std::isfinite(largest)) {  // nothing that a distribution could be made of
    facts.entropy = facts.logSumExp = trace::kMissing;
    return facts;
  }
  Sums sums;
  for (std::size_t begin = 0; begin < logits.size(); begin += kStrip) {
    addStrip(logits.subspan(begin, std::min(kStrip, logits.size() - begin)), largest, sums);
  }
  const double logSum = std::log(sums.weights);
  facts.logSumExp = static_cast<float>(logSum + largest);
  facts.entropy = static_cast<float>(std::max(0.0, logSum - sums.products / sums.weights));
  for (std::size_t i = 0; i < best.ids.size(); ++i) {
    if (best.ids[i] >= 0) {
      facts.bestLogProbs[i] = static_cast<float>(static_cast<double>(best.logits[i]) - largest - logSum);
    }
  }
  return facts;
}

}  // namespace moescope::engine
