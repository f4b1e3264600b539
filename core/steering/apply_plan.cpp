// The scalar oracle: one token through a steered router (docs/steering.md). Order inside a layer: LOGIT,
// native score, KEY, the native group limit, ban mask, COUNT, top-k, WEIGHT.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <optional>

#include "core/base/router_math.h"
#include "core/steering/count_rule.h"
#include "core/steering/steering_plan.h"

namespace moescope::steering {

namespace {

std::uint64_t splitmix64(std::uint64_t state) {
  state += 0x9E3779B97F4A7C15ULL;
  state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9ULL;
  state = (state ^ (state >> 27)) * 0x94D049BB133111EBULL;
  return state ^ (state >> 31);
}

/// Uniform in (0, 1].
double uniform(std::uint64_t bits) { return (static_cast<double>(bits >> 11) + 1.0) * 0x1.0p-53; }

/// Standard normal draw that depends on nothing but its arguments: splitmix64 of a counter, Box-Muller.
float counterNormal(std::uint64_t seed, std::int32_t layer, std::int64_t position, std::int32_t expert) {
  std::uint64_t state = splitmix64(seed);
  state = splitmix64(state ^ static_cast<std::uint64_t>(layer));
  state = splitmix64(state ^ static_cast<std::uint64_t>(position));
  state = splitmix64(state ^ static_cast<std::uint64_t>(expert));
  const double radius = std::sqrt(-2.0 * std::log(uniform(state)));
  return static_cast<float>(radius * std::cos(2.0 * std::numbers::pi * uniform(splitmix64(state))));
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();
using Steps = std::vector<const PlanStep*>;

bool acts(const PlanStep& step, std::size_t expert) {
  return std::binary_search(step.experts.begin(), step.experts.end(), static_cast<std::int32_t>(expert));
}

/// Population standard deviation over the experts that are not banned.
float deviation(std::span<const float> values, const std::vector<bool>& banned) {
  double sum = 0.0;
  double squares = 0.0;
  int count = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (banned[i]) continue;
    sum += values[i];
    ++count;
  }
  if (count == 0) return 0.0F;
  const double mean = sum / count;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!banned[i]) squares += (values[i] - mean) * (values[i] - mean);
  }
  return static_cast<float>(std::sqrt(squares / count));
}

/// LOGIT and KEY are the same map on different ports. Fixed precedence: ban, pin-, pin+, set, then
/// scale/add/std/noise; so the order of the rules does not matter.
class PortEdit {
 public:
  PortEdit(Steps steps, const LayerPlan& plan, const TokenScope& token, const std::vector<bool>& banned)
      : m_steps(std::move(steps)), m_plan(plan), m_token(token), m_banned(banned) {}

  void apply(std::vector<float>& values) const {
    if (has([](Operation o) { return o != Operation::Ban && !isPin(o); })) shift(values);
    if (has(isPin)) pin(values);
    for (const PlanStep* step : m_steps) {
      if (step->operation != Operation::Ban) continue;
      for (const auto expert : step->experts) values[static_cast<std::size_t>(expert)] = -kInfinity;
    }
  }

 private:
  static bool isPin(Operation operation) {
    return operation == Operation::PinHigh || operation == Operation::PinLow;
  }
  template <class Predicate>
  [[nodiscard]] bool has(Predicate predicate) const {
    return std::any_of(m_steps.begin(), m_steps.end(),
                       [&](const PlanStep* step) { return predicate(step->operation); });
  }

  /// Only experts that a rule names change.
  void shift(std::vector<float>& values) const {
    const std::vector<float> native = values;
    std::optional<float> spread;
    for (const PlanStep* step : m_steps) {
      for (const auto expert : step->experts) {
        const auto i = static_cast<std::size_t>(expert);
        values[i] = shifted(native, i, spread);
      }
    }
  }

  /// a z1 + d + lam std(N) + noise, untouched where no rule acts.
  float shifted(const std::vector<float>& native, std::size_t i, std::optional<float>& spread) const {
    float value = native[i];
    const PlanStep* set = nullptr;
    float scale = 1.0F;
    float sum = 0.0F;
    bool scaled = false;
    bool added = false;
    for (const PlanStep* step : m_steps) {
      if (!acts(*step, i)) continue;
      const auto operand = static_cast<float>(step->operand.value);
      switch (step->operation) {
        case Operation::Set:
          if (!step->givesChoice() && (set == nullptr || step->outranks(*set))) set = step;
          break;
        case Operation::Scale:
          scale *= operand;
          scaled = true;
          break;
        case Operation::Add:
          sum += operand;
          added = true;
          break;
        case Operation::Std:
          if (!spread) spread = deviation(native, m_banned);
          sum += operand * *spread;
          added = true;
          break;
        case Operation::Noise:
          sum += operand * counterNormal(step->operand.seed, m_plan.router.layer.value, m_token.position,
                                         static_cast<std::int32_t>(i));
          added = true;
          break;
        default: break;
      }
    }
    if (set != nullptr) value = static_cast<float>(set->operand.value);
    if (scaled) value *= scale;
    if (added) value += sum;
    return value;
  }

  void pin(std::vector<float>& values) const {
    float low = kInfinity;
    float high = -kInfinity;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (m_banned[i]) continue;
      low = std::min(low, values[i]);
      high = std::max(high, values[i]);
    }
    pinTo(values, Operation::PinHigh, high, 1.0F);
    pinTo(values, Operation::PinLow, low, -1.0F);
  }

  /// r_i = 1 + (|set| - 1 - j) / |set|, j = place in the set by ascending id: the lower id ranks first.
  void pinTo(std::vector<float>& values, Operation operation, float edge, float direction) const {
    std::vector<std::size_t> set;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (strongest(operation, i) != nullptr) set.push_back(i);
    }
    const auto size = static_cast<float>(set.size());
    for (std::size_t j = 0; j < set.size(); ++j) {
      const float rank = 1.0F + (size - 1.0F - static_cast<float>(j)) / size;
      const auto epsilon = static_cast<float>(strongest(operation, set[j])->operand.epsilon);
      values[set[j]] = edge + direction * epsilon * rank;
    }
  }

  const PlanStep* strongest(Operation operation, std::size_t expert) const {
    const PlanStep* best = nullptr;
    for (const PlanStep* step : m_steps) {
      if (step->operation == operation && acts(*step, expert) && (best == nullptr || step->outranks(*best)))
        best = step;
    }
    return best;
  }

  Steps m_steps;
  const LayerPlan& m_plan;
  const TokenScope& m_token;
  const std::vector<bool>& m_banned;
};

int clippedCount(const Steps& steps, std::span<const float> logits, std::span<const float> scores,
                 const RouterSpec& router, int allowed) {
  const PlanStep* rule = nullptr;
  for (const PlanStep* step : steps) {
    if (step->primitive == Primitive::Count && (rule == nullptr || step->outranks(*rule))) rule = step;
  }
  if (rule == nullptr) return std::min(router.topK, allowed);
  int count = countOf(*rule, logits, scores, router);
  count = std::max(count, rule->operand.minCount.value_or(1));
  return std::min({count, rule->operand.maxCount.value_or(router.experts), allowed});
}

/// What a model that divides by the sum adds to it.
float sumEps(const RouterSpec& router) {
  return router.norm == WeightNorm::SumOne ? static_cast<float>(router.normParameter) : 0.0F;
}

std::vector<float> scaled(std::vector<float> weights, const RouterSpec& router) {
  if (router.scale != 1.0) {
    for (float& weight : weights) weight *= static_cast<float>(router.scale);
  }
  return weights;
}

/// P4: source, beta, renormalisation, routed scaling.
std::vector<float> steeredWeights(const Steps& steps, std::span<const float> logits,
                                  std::span<const float> scores, std::span<const std::int32_t> ids,
                                  const RouterSpec& router, const std::vector<bool>& allowed) {
  const PlanStep* source = nullptr;
  const PlanStep* renorm = nullptr;
  bool multiplied = false;
  for (const PlanStep* step : steps) {
    if (step->primitive != Primitive::Weight) continue;
    const bool isSource = step->operation == Operation::Uniform || step->operation == Operation::Softmax ||
                          step->operation == Operation::SetWeights;
    if (isSource && (source == nullptr || step->outranks(*source))) source = step;
    if (step->operand.renormalisation != Renormalisation::Native &&
        (renorm == nullptr || step->outranks(*renorm)))
      renorm = step;
    multiplied = multiplied || step->operation == Operation::Multiply;
  }
  if (source != nullptr && source->operation == Operation::SetWeights) {
    std::vector<float> weights(ids.size(), 0.0F);
    for (std::size_t j = 0; j < std::min(ids.size(), source->operand.weights.size()); ++j)
      weights[j] = static_cast<float>(source->operand.weights[j]);
    return weights;
  }
  const std::vector<float> native = nativeWeights(logits, scores, ids, router, allowed);
  const auto rule = renorm != nullptr ? renorm->operand.renormalisation : Renormalisation::Native;
  if (source == nullptr && !multiplied && rule == Renormalisation::Native) return scaled(native, router);
  std::vector<float> weights;
  if (source != nullptr && source->operation == Operation::Uniform) {
    weights.assign(ids.size(), ids.empty() ? 0.0F : 1.0F / static_cast<float>(ids.size()));
  } else if (source != nullptr && !ids.empty()) {
    for (const auto id : ids)
      weights.push_back(logits[static_cast<std::size_t>(id)] / static_cast<float>(source->operand.value));
    weights = softmax(weights);
  } else {
    // The model's own normalisation comes after beta, so it is left out here and applied below.
    RouterSpec raw = router;
    raw.norm = WeightNorm::None;
    weights = nativeWeights(logits, scores, ids, raw, allowed);
  }
  for (const PlanStep* step : steps) {
    if (step->operation != Operation::Multiply) continue;
    for (std::size_t j = 0; j < ids.size(); ++j) {
      if (acts(*step, static_cast<std::size_t>(ids[j])))
        weights[j] *= static_cast<float>(step->operand.value);
    }
  }
  const float sum = std::accumulate(weights.begin(), weights.end(), 0.0F);
  const float mass = std::accumulate(native.begin(), native.end(), 0.0F);
  const float factor = rule == Renormalisation::SumOne     ? 1.0F / (sum + sumEps(router))
                       : rule == Renormalisation::Native   ? 1.0F / normDivisor(weights, router)
                       : rule == Renormalisation::KeepMass ? mass / sum
                                                           : 1.0F;
  if (sum != 0.0F) {
    for (float& weight : weights) weight *= factor;
  }
  return scaled(std::move(weights), router);
}

const PlanStep* forcedSet(const Steps& steps) {
  const PlanStep* best = nullptr;
  for (const PlanStep* step : steps) {
    if (step->givesChoice() && (best == nullptr || step->outranks(*best))) best = step;
  }
  return best;
}

Steps ofPrimitive(const Steps& steps, Primitive primitive) {
  Steps some;
  std::copy_if(steps.begin(), steps.end(), std::back_inserter(some),
               [primitive](const PlanStep* s) { return s->primitive == primitive; });
  return some;
}

Steps stepsOn(const LayerPlan& plan, const TokenScope& token) {
  Steps steps;
  for (const PlanStep& step : plan.steps) {
    if (step.covers(token.decode, token.position)) steps.push_back(&step);
  }
  return steps;
}

/// A ban at any port also excludes the expert immediately before the top-k, so it cannot leak.
std::vector<bool> bannedBy(const Steps& steps, std::size_t experts) {
  std::vector<bool> banned(experts, false);
  for (const PlanStep* step : steps) {
    if (step->operation != Operation::Ban) continue;
    for (const auto expert : step->experts) banned[static_cast<std::size_t>(expert)] = true;
  }
  return banned;
}

/// The ports, and the native scores of the steered logits.
struct ScoredPorts : SteeredPorts {
  std::vector<float> scores;
};

ScoredPorts scoredPorts(std::span<const float> logits, const LayerPlan& plan, const TokenScope& token,
                        const Steps& steps, const std::vector<bool>& banned) {
  ScoredPorts ports;
  ports.logits.assign(logits.begin(), logits.end());
  PortEdit(ofPrimitive(steps, Primitive::Logit), plan, token, banned).apply(ports.logits);
  ports.scores = scoresOf(ports.logits, plan.router.score);
  ports.keysBefore = ports.scores;
  addSelectionBias(ports.keysBefore, plan.router);
  ports.keys = ports.keysBefore;
  PortEdit(ofPrimitive(steps, Primitive::Key), plan, token, banned).apply(ports.keys);
  return ports;
}

}  // namespace

SteeredPorts steeredPorts(std::span<const float> logits, const LayerPlan& plan, const TokenScope& token) {
  const Steps steps = stepsOn(plan, token);
  return scoredPorts(logits, plan, token, steps, bannedBy(steps, logits.size()));
}

RouterChoice nativeChoice(std::span<const float> logits, const RouterSpec& router) {
  return applyPlan(logits, LayerPlan{router, {}}, {});
}

RouterChoice applyPlan(std::span<const float> logits, const LayerPlan& plan, const TokenScope& token) {
  const RouterSpec& router = plan.router;
  const Steps steps = stepsOn(plan, token);
  const std::vector<bool> banned = bannedBy(steps, logits.size());
  std::vector<bool> allowed(banned);
  allowed.flip();
  const auto allowedCount = static_cast<int>(std::count(allowed.begin(), allowed.end(), true));

  ScoredPorts ports = scoredPorts(logits, plan, token, steps, banned);
  RouterChoice choice;
  if (const PlanStep* forced = forcedSet(steps)) {
    for (const auto id : forced->operand.orderedIds) {
      if (allowed[static_cast<std::size_t>(id)]) choice.ids.push_back(id);
    }
  } else {
    maskGroups(ports.keys, router.groups, allowed);
    choice.ids =
        topK(ports.keys, allowed, clippedCount(steps, ports.logits, ports.scores, router, allowedCount));
  }
  choice.weights = steeredWeights(steps, ports.logits, ports.scores, choice.ids, router, allowed);
  return choice;
}

}  // namespace moescope::steering
