#include "core/analysis/expert_transitions.h"

#include <algorithm>
#include <limits>

#include "core/trace/routing_types.h"

namespace moescope::analysis {

std::string_view name(PairRule rule) {
  switch (rule) {
    case PairRule::TopOne: return "top1";
    case PairRule::RankAligned: return "rank";
    case PairRule::AllPairs: return "all";
  }
  return "top1";
}

std::optional<PairRule> pairRuleFrom(std::string_view word) {
  for (const PairRule rule : {PairRule::TopOne, PairRule::RankAligned, PairRule::AllPairs}) {
    if (name(rule) == word) return rule;
  }
  return std::nullopt;
}

void ExpertTransitions::add(std::span<const std::uint16_t> fromIds, std::span<const std::uint16_t> toIds,
                            PairRule rule) {
  const std::size_t ranks = std::min(fromIds.size(), toIds.size());
  const auto forEachPair = [&](const auto& take) {
    if (rule == PairRule::AllPairs) {
      for (const std::uint16_t a : fromIds) {
        for (const std::uint16_t b : toIds) {
          if (a < from && b < to) take(a, b);
        }
      }
      return;
    }
    for (std::size_t r = 0; r < (rule == PairRule::TopOne ? std::min<std::size_t>(ranks, 1) : ranks); ++r) {
      if (fromIds[r] < from && toIds[r] < to) take(fromIds[r], toIds[r]);
    }
  };
  int pairs = 0;
  forEachPair([&](std::uint16_t, std::uint16_t) { ++pairs; });
  if (pairs == 0) return;
  const double weight = 1.0 / pairs;
  forEachPair(
      [&](std::uint16_t a, std::uint16_t b) { weights[a * static_cast<std::size_t>(to) + b] += weight; });
  tokens += 1.0;
}

void ExpertTransitions::add(const ExpertTransitions& other, double times) {
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += times * other.weights[i];
  tokens += times * other.tokens;
}

std::vector<double> ExpertTransitions::fromTotals() const {
  std::vector<double> out;
  for (int i = 0; i < from; ++i) {
    double sum = 0.0;
    for (const double w : row(i)) sum += w;
    out.push_back(sum);
  }
  return out;
}

std::vector<double> ExpertTransitions::toTotals() const {
  std::vector<double> out(static_cast<std::size_t>(to));
  for (int i = 0; i < from; ++i) {
    const auto weightsOfRow = row(i);
    for (std::size_t j = 0; j < weightsOfRow.size(); ++j) out[j] += weightsOfRow[j];
  }
  return out;
}

std::vector<double> ExpertTransitions::conditional() const {
  const std::vector<double> totals = fromTotals();
  std::vector<double> out;
  out.reserve(weights.size());
  for (int i = 0; i < from; ++i) {
    const double total = totals[static_cast<std::size_t>(i)];
    for (const double w : row(i))
      out.push_back(total > 0.0 ? w / total : std::numeric_limits<double>::quiet_NaN());
  }
  return out;
}

}  // namespace moescope::analysis
