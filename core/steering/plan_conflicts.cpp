#include "core/steering/plan_conflicts.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/base/router_label.h"

namespace moescope::steering {

namespace {

/// Scopes with a longer common period, or more starts than these allow, are looked at in part. A token that
/// is missed and has every expert banned is an error of the engine when it comes.
constexpr std::int64_t kMaxPeriod = 4096;
constexpr std::size_t kMaxProbes = 200'000;

/// Positions at which the pattern of covering rules can change: every start and end, and one common period of
/// the `every` scopes after the last start.
std::vector<std::int64_t> probePositions(const std::vector<const PlanStep*>& steps) {
  std::int64_t period = 1;
  std::set<std::int64_t> starts{0};
  for (const PlanStep* step : steps) {
    period = std::min(std::lcm(period, step->positions.every), kMaxPeriod);
    starts.insert(step->positions.from);
    if (step->positions.to) starts.insert(*step->positions.to);
  }
  std::set<std::int64_t> positions;
  for (const auto start : starts) {
    for (std::int64_t offset = 0; offset < period && positions.size() < kMaxProbes; ++offset)
      positions.insert(start + offset);
  }
  return {positions.begin(), positions.end()};
}

/// Whether a token is in the scope of both.
bool overlap(const PlanStep& a, const PlanStep& b) {
  if (a.phase != b.phase && a.phase != PhaseScope::Both && b.phase != PhaseScope::Both) return false;
  const bool aIsCoarse = a.positions.every >= b.positions.every;
  const PositionScope& coarse = aIsCoarse ? a.positions : b.positions;
  const PositionScope& fine = aIsCoarse ? b.positions : a.positions;
  const std::int64_t last = std::numeric_limits<std::int64_t>::max();
  const std::int64_t end = std::min(coarse.to.value_or(last), fine.to.value_or(last));
  const std::int64_t missing = std::max<std::int64_t>(0, fine.from - coarse.from);
  std::int64_t position = coarse.from + (missing + coarse.every - 1) / coarse.every * coarse.every;
  for (std::int64_t i = 0; i < kMaxPeriod && position < end; ++i, position += coarse.every) {
    if ((position - fine.from) % fine.every == 0) return true;
  }
  return false;
}

bool isPin(const PlanStep& step) {
  return step.operation == Operation::PinHigh || step.operation == Operation::PinLow;
}
bool isSource(const PlanStep& step) {
  return step.operation == Operation::Uniform || step.operation == Operation::Softmax ||
         step.operation == Operation::SetWeights;
}
bool isValueSet(const PlanStep& step) { return step.operation == Operation::Set && !step.givesChoice(); }
bool isRenormalisation(const PlanStep& step) {
  return step.operand.renormalisation != Renormalisation::Native;
}

/// First expert that both act on, -1 if none.
std::int32_t sharedExpert(const PlanStep& a, const PlanStep& b) {
  std::vector<std::int32_t> both;
  std::set_intersection(a.experts.begin(), a.experts.end(), b.experts.begin(), b.experts.end(),
                        std::back_inserter(both));
  return both.empty() ? -1 : both.front();
}

/// What bans leave of one token's choice.
std::optional<std::string> faultAt(const LayerPlan& layer, const std::vector<const PlanStep*>& steps,
                                   bool decode, std::int64_t position) {
  std::set<std::int32_t> banned;
  const PlanStep* given = nullptr;
  for (const PlanStep* step : steps) {
    if (!step->covers(decode, position)) continue;
    if (!step->givesChoice()) {
      banned.insert(step->experts.begin(), step->experts.end());
    } else if (given == nullptr || step->outranks(*given)) {
      given = step;
    }
  }
  const std::string place = fmt::format("in {} at token {}", decode ? "decode" : "prefill", position);
  if (static_cast<int>(banned.size()) == layer.router.experts) {
    return fmt::format("the rules ban all {} experts {}", layer.router.experts, place);
  }
  const auto isBanned = [&banned](std::int32_t id) { return banned.contains(id); };
  if (given == nullptr ||
      !std::all_of(given->operand.orderedIds.begin(), given->operand.orderedIds.end(), isBanned))
    return std::nullopt;
  return fmt::format("every expert that rule {} chooses is banned {}", given->ruleId, place);
}

class Finder {
 public:
  explicit Finder(SteeringPlan& plan) : m_plan(plan) {}

  void run() {
    for (const LayerPlan& layer : m_plan.layers) {
      m_layer = routerLabel(layer.router);
      m_short = shortRouterLabel(layer.router);
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
    if (m_pairs.contains({winner.ruleId, loser.ruleId})) return;
    std::string text = cellConflict(winner, loser);
    if (text.empty()) text = choiceConflict(winner, loser);
    if (text.empty() && winner.outranks(loser)) text = rankConflict(winner, loser);
    if (text.empty() || !overlap(winner, loser)) return;
    m_pairs.emplace(winner.ruleId, loser.ruleId);
    m_plan.conflicts.push_back({winner.ruleId, loser.ruleId, std::move(text)});
  }

  /// Bans and pins on one expert.
  [[nodiscard]] std::string cellConflict(const PlanStep& winner, const PlanStep& loser) const {
    const bool ban = winner.operation == Operation::Ban && isPin(loser);
    const bool low = winner.operation == Operation::PinLow && loser.operation == Operation::PinHigh &&
                     winner.primitive == loser.primitive;
    const bool set = winner.primitive == loser.primitive && isValueSet(winner) && isValueSet(loser) &&
                     winner.outranks(loser);
    if (!ban && !low && !set) return {};
    const auto shared = sharedExpert(winner, loser);
    if (shared < 0) return {};
    const std::string cell = fmt::format("{} E{}", m_short, shared);
    if (set) return fmt::format("Sets {}, as another rule does. The higher priority wins.", cell);
    if (low) return fmt::format("Pins {}, which another rule pushes down. Pushing down wins.", cell);
    return fmt::format("{} {}, which is banned. The ban wins.",
                       loser.operation == Operation::PinHigh ? "Pins" : "Pushes down", cell);
  }

  /// A given choice loses single experts to bans and overrules what else would choose; given weights overrule
  /// what else would weigh.
  [[nodiscard]] std::string choiceConflict(const PlanStep& winner, const PlanStep& loser) const {
    if (winner.operation == Operation::Ban && loser.givesChoice()) {
      for (const auto id : loser.operand.orderedIds) {
        if (!std::binary_search(winner.experts.begin(), winner.experts.end(), id)) continue;
        return fmt::format("Chooses {} E{}, which is banned. The ban wins.", m_short, id);
      }
    }
    const bool chooses = loser.primitive == Primitive::Count ||
                         (loser.primitive == Primitive::Key && loser.operation != Operation::Ban);
    if (winner.givesChoice() && chooses && !loser.givesChoice()) {
      return fmt::format("Acts on the choice of layer {}, which another rule gives. The given choice wins.",
                         m_layer);
    }
    const bool weighs = loser.primitive == Primitive::Weight && !isSource(loser);
    if (winner.operation == Operation::SetWeights && weighs) {
      return fmt::format("Acts on the weights of layer {}, which another rule gives. The given weights win.",
                         m_layer);
    }
    return {};
  }

  /// Where only one rule can hold, the higher priority does.
  [[nodiscard]] std::string rankConflict(const PlanStep& winner, const PlanStep& loser) const {
    std::string what;
    if (winner.givesChoice() && loser.givesChoice()) {
      what = fmt::format("Chooses the experts of layer {}", m_layer);
    } else if (isSource(winner) && isSource(loser)) {
      what = fmt::format("Gives the weights of layer {}", m_layer);
    } else if (winner.primitive == Primitive::Count && loser.primitive == Primitive::Count) {
      what = fmt::format("Sets the count of layer {}", m_layer);
    } else if (isRenormalisation(winner) && isRenormalisation(loser) &&
               winner.operand.renormalisation != loser.operand.renormalisation) {
      what = fmt::format("Renormalises the weights of layer {}", m_layer);
    }
    return what.empty() ? what : what + ", as another rule does. The higher priority wins.";
  }

  void warnAboutPins(const LayerPlan& layer) {
    std::set<std::int32_t> pinned;
    for (const PlanStep& step : layer.steps) {
      if (step.operation == Operation::PinHigh) pinned.insert(step.experts.begin(), step.experts.end());
    }
    if (static_cast<int>(pinned.size()) > layer.router.topK) {
      m_plan.warnings.push_back(
          fmt::format("Layer {} pins {} experts and chooses {}: the highest ids are left out.", m_layer,
                      pinned.size(), layer.router.topK));
    }
  }

  SteeringPlan& m_plan;
  std::string m_layer, m_short;  ///< of the router: "3", "L3"
  std::set<std::pair<std::int64_t, std::int64_t>> m_pairs;
};

}  // namespace

std::optional<std::string> allBannedFault(const LayerPlan& layer) {
  std::vector<const PlanStep*> steps;
  std::set<std::int32_t> anywhere;
  bool choiceGiven = false;
  for (const PlanStep& step : layer.steps) {
    if (step.operation != Operation::Ban && !step.givesChoice()) continue;
    steps.push_back(&step);
    if (step.operation == Operation::Ban) anywhere.insert(step.experts.begin(), step.experts.end());
    choiceGiven = choiceGiven || step.givesChoice();
  }
  const bool possible =
      static_cast<int>(anywhere.size()) == layer.router.experts || (choiceGiven && !anywhere.empty());
  if (!possible) return std::nullopt;
  for (const auto position : probePositions(steps)) {
    for (const bool decode : {false, true}) {
      if (auto fault = faultAt(layer, steps, decode, position)) return fault;
    }
  }
  return std::nullopt;
}

void findConflicts(SteeringPlan& plan) { Finder(plan).run(); }

}  // namespace moescope::steering
