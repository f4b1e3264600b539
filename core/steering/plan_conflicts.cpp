#include "core/steering/plan_conflicts.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace moescope::steering {

namespace {

constexpr std::int64_t kMaxPeriod = 4096;

/// Positions at which the pattern of covering rules can change: every start and end, and one common period of
/// the `every` scopes after the last start.
std::vector<std::int64_t> probePositions(const std::vector<const PlanStep*>& steps) {
  std::int64_t period = 1;
  std::int64_t last = 0;
  std::set<std::int64_t> starts{0};
  for (const PlanStep* step : steps) {
    period = std::min(std::lcm(period, step->positions.every), kMaxPeriod);
    starts.insert(step->positions.from);
    if (step->positions.to) starts.insert(*step->positions.to);
    last = std::max(last, step->positions.from);
  }
  std::set<std::int64_t> positions;
  for (const auto start : starts) {
    for (std::int64_t offset = 0; offset < period; ++offset) positions.insert(start + offset);
  }
  return {positions.begin(), positions.end()};
}

bool overlap(const PlanStep& a, const PlanStep& b) {
  for (const auto position : probePositions({&a, &b})) {
    for (const bool decode : {false, true}) {
      if (a.covers(decode, position) && b.covers(decode, position)) return true;
    }
  }
  return false;
}

bool isPin(const PlanStep& step) { return step.operation == Operation::PinHigh || step.operation == Operation::PinLow; }
bool isSource(const PlanStep& step) {
  return step.operation == Operation::Uniform || step.operation == Operation::Softmax || step.operation == Operation::SetWeights;
}
bool isForced(const PlanStep& step) { return !step.operand.orderedIds.empty(); }
bool isValueSet(const PlanStep& step) { return step.operation == Operation::Set && !isForced(step); }

/// First expert that both act on, -1 if none.
std::int32_t sharedExpert(const PlanStep& a, const PlanStep& b) {
  std::vector<std::int32_t> both;
  std::set_intersection(a.experts.begin(), a.experts.end(), b.experts.begin(), b.experts.end(), std::back_inserter(both));
  return both.empty() ? -1 : both.front();
}

class Finder {
 public:
  explicit Finder(SteeringPlan& plan) : m_plan(plan) {}

  void run() {
    for (const LayerPlan& layer : m_plan.layers) {
      m_layer = layer.router.layer.value;
      for (std::size_t i = 0; i < layer.steps.size(); ++i) {
        for (std::size_t j = i + 1; j < layer.steps.size(); ++j) {
          check(layer.steps[i], layer.steps[j]);
          check(layer.steps[j], layer.steps[i]);
        }
      }
      warnAboutPins(layer);
    }
  }

 private:
  /// Whether `winner` overrules `loser`; called for both orders.
  void check(const PlanStep& winner, const PlanStep& loser) {
    const bool byPriority = std::pair(winner.priority, winner.ruleId) > std::pair(loser.priority, loser.ruleId);
    const auto shared = sharedExpert(winner, loser);
    const std::string cell = fmt::format("L{} E{}", m_layer, shared);
    if (winner.operation == Operation::Ban && isPin(loser) && shared >= 0) {
      add(winner, loser, fmt::format("{} {}, which is banned. The ban wins.", loser.operation == Operation::PinHigh ? "Pins" : "Pushes down", cell));
    } else if (winner.operation == Operation::Ban && isForced(loser)) {
      for (const auto id : loser.operand.orderedIds) {
        if (!std::binary_search(winner.experts.begin(), winner.experts.end(), id)) continue;
        add(winner, loser, fmt::format("Chooses L{} E{}, which is banned. The ban wins.", m_layer, id));
        break;
      }
    } else if (winner.operation == Operation::PinLow && loser.operation == Operation::PinHigh && winner.primitive == loser.primitive && shared >= 0) {
      add(winner, loser, fmt::format("Pins {}, which another rule pushes down. Pushing down wins.", cell));
    } else if (byPriority && winner.primitive == loser.primitive && isValueSet(winner) && isValueSet(loser) && shared >= 0) {
      add(winner, loser, fmt::format("Sets {}, as another rule does. The higher priority wins.", cell));
    } else if (byPriority && isForced(winner) && isForced(loser)) {
      add(winner, loser, fmt::format("Chooses the experts of layer {}, as another rule does. The higher priority wins.", m_layer));
    } else if (byPriority && isSource(winner) && isSource(loser)) {
      add(winner, loser, fmt::format("Gives the weights of layer {}, as another rule does. The higher priority wins.", m_layer));
    } else if (byPriority && winner.primitive == Primitive::Count && loser.primitive == Primitive::Count) {
      add(winner, loser, fmt::format("Sets the count of layer {}, as another rule does. The higher priority wins.", m_layer));
    }
  }

  void add(const PlanStep& winner, const PlanStep& loser, std::string text) {
    if (!overlap(winner, loser) || !m_pairs.emplace(winner.ruleId, loser.ruleId).second) return;
    m_plan.conflicts.push_back({winner.ruleId, loser.ruleId, std::move(text)});
  }

  void warnAboutPins(const LayerPlan& layer) {
    std::set<std::int32_t> pinned;
    for (const PlanStep& step : layer.steps) {
      if (step.operation == Operation::PinHigh) pinned.insert(step.experts.begin(), step.experts.end());
    }
    if (static_cast<int>(pinned.size()) > layer.router.topK) {
      m_plan.warnings.push_back(fmt::format("Layer {} pins {} experts and chooses {}: the highest ids are left out.", m_layer, pinned.size(), layer.router.topK));
    }
  }

  SteeringPlan& m_plan;
  std::int32_t m_layer = 0;
  std::set<std::pair<std::int64_t, std::int64_t>> m_pairs;
};

}  // namespace

std::optional<std::string> allBannedPlace(const LayerPlan& layer) {
  std::vector<const PlanStep*> bans;
  for (const PlanStep& step : layer.steps) {
    if (step.operation == Operation::Ban) bans.push_back(&step);
  }
  if (bans.empty()) return std::nullopt;
  for (const auto position : probePositions(bans)) {
    for (const bool decode : {false, true}) {
      std::set<std::int32_t> banned;
      for (const PlanStep* ban : bans) {
        if (ban->covers(decode, position)) banned.insert(ban->experts.begin(), ban->experts.end());
      }
      if (static_cast<int>(banned.size()) == layer.router.experts) {
        return fmt::format("in {} at token {}", decode ? "decode" : "prefill", position);
      }
    }
  }
  return std::nullopt;
}

void findConflicts(SteeringPlan& plan) { Finder(plan).run(); }

}  // namespace moescope::steering
