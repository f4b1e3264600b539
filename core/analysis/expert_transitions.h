// ExpertTransitions: how often expert i of one router and expert j of a later router serve the same token.
// Not for experts of one router together (co-activation).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace moescope::analysis {

/// Which pairs of a token count; each token has the weight 1 in total.
enum class PairRule : std::uint8_t {
  TopOne,       ///< the first choice of either router (ExFlow, arXiv:2401.08383; OLMoE's figure 35)
  RankAligned,  ///< rank r with rank r, 1/K each: OLMoE's released counter
  AllPairs,     ///< every choice with every choice, 1/K^2 each (ours)
};
/// "top1", "rank" or "all".
std::string_view name(PairRule rule);
std::optional<PairRule> pairRuleFrom(std::string_view word);

/// Weights of the pairs, [from, to].
struct ExpertTransitions {
  int from = 0, to = 0;
  std::vector<double> weights;
  double tokens = 0.0;

  ExpertTransitions() = default;
  ExpertTransitions(int fromExperts, int toExperts)
      : from(fromExperts),
        to(toExperts),
        weights(static_cast<std::size_t>(fromExperts) * static_cast<std::size_t>(toExperts)) {}

  /// The choices of one token at both routers, in selection order. A token without a choice at either of them
  /// (for TopOne: without a first choice) is left out.
  void add(std::span<const std::uint16_t> fromIds, std::span<const std::uint16_t> toIds, PairRule rule);
  /// Adds `times` copies of another of the same shape.
  void add(const ExpertTransitions& other, double times = 1.0);

  [[nodiscard]] std::span<const double> row(int expert) const {
    return std::span(weights).subspan(static_cast<std::size_t>(expert) * static_cast<std::size_t>(to),
                                      static_cast<std::size_t>(to));
  }
  [[nodiscard]] std::vector<double> fromTotals() const;  ///< [from]
  [[nodiscard]] std::vector<double> toTotals() const;    ///< [to]
  /// P(j | i), [from, to]; rows of experts that were never chosen are NaN.
  [[nodiscard]] std::vector<double> conditional() const;
};

}  // namespace moescope::analysis
