// Sampler: the next token from raw logits. Not for beam search.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"
#include "core/trace/routing_types.h"

namespace moescope::engine {

struct SamplerSettings {
  double temperature = 0.8;  ///< 0 = greedy
  int topK = 0;              ///< 0 = off
  double topP = 0.95;        ///< 1 = off
  double minP = 0.0;         ///< 0 = off
  double repetitionPenalty =
      1.0;  ///< 1 = off; CTRL rule (arXiv:1909.05858): positive logits divided, negative multiplied
  std::uint64_t seed = 1234;
  bool operator==(const SamplerSettings&) const = default;
};
nlohmann::ordered_json toJson(const SamplerSettings& settings);

/// Errors: `sampler.bad_value` naming the setting that is out of its range.
Result<void> validate(const SamplerSettings& settings);

/// A token that may be drawn, with its probability after all filters.
struct SamplerCandidate {
  std::int32_t id = 0;
  double probability = 0.0;
};

/// Deterministic: the same settings, logits and history give the same token on every machine
/// (own uniform draw from a counter, no std::distribution). Filters act in the order of
/// transformers: repetition penalty, temperature, top-k, top-p, min-p.
class Sampler {
 public:
  explicit Sampler(const SamplerSettings& settings);
  /// `logits` [vocabulary] raw; `history` the ids so far (repetition penalty); `step` counts draws.
  std::int32_t next(std::span<const float> logits, std::span<const std::int32_t> history, std::uint64_t step);
  /// What next() draws from; probabilities sum to 1. Valid until the next call. A greedy sampler
  /// gives the one token.
  std::span<const SamplerCandidate> candidates(std::span<const float> logits,
                                               std::span<const std::int32_t> history);

 private:
  std::span<const float> penalised(std::span<const float> logits, std::span<const std::int32_t> history);
  void keepTopK();
  void keepTopP();
  void keepMinP();

  SamplerSettings m_settings;
  // Reused between calls. `probability` holds exp((logit - largest) / temperature) until the end.
  std::vector<SamplerCandidate> m_candidates;
  std::vector<float> m_penalised;
  std::vector<float> m_weights;
  std::vector<bool> m_seen;
};

/// What the record needs of one distribution, computed in one pass from raw logits in float32.
struct DistributionFacts {
  float entropy = 0.0F;  ///< nat
  std::array<std::int32_t, trace::kAlternatives> bestIds{};
  std::array<float, trace::kAlternatives> bestLogProbs{};
  float logSumExp = 0.0F;
  [[nodiscard]] float logProb(float logit) const { return logit - logSumExp; }
};
DistributionFacts distributionFacts(std::span<const float> logits);

}  // namespace moescope::engine
