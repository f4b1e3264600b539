#include "core/engine/generation/sampler.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/engine/generation/exponential.h"

namespace moescope::engine {

namespace {

/// Uniform in [0, 1) from a counter: two rounds of SplitMix64's finaliser (Steele et al. 2014),
/// so that a draw depends on seed and step only and not on the draws before it.
double uniformDraw(std::uint64_t seed, std::uint64_t step) {
  const auto mix = [](std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
  };
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;
  const std::uint64_t bits = mix(mix(seed + kGolden) + (step + 1) * kGolden);
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

bool moreProbable(const SamplerCandidate& left, const SamplerCandidate& right) {
  return left.probability != right.probability ? left.probability > right.probability : left.id < right.id;
}

/// The first of the largest values; NaN never wins.
std::int32_t largest(std::span<const float> logits) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < logits.size(); ++i) {
    if (logits[i] > logits[best] || (std::isnan(logits[best]) && !std::isnan(logits[i]))) best = i;
  }
  return static_cast<std::int32_t>(best);
}

}  // namespace

nlohmann::ordered_json toJson(const SamplerSettings& settings) {
  return {{"temperature", settings.temperature},
          {"top_k", settings.topK},
          {"top_p", settings.topP},
          {"min_p", settings.minP},
          {"repetition_penalty", settings.repetitionPenalty},
          {"seed", settings.seed}};
}

Result<void> validate(const SamplerSettings& settings) {
  const auto bad = [](const char* name, const std::string& value, const char* range) {
    return fail("sampler.bad_value", "", name, fmt::format("{} is {}, which is out of range", name, value),
                fmt::format("give {}", range));
  };
  // Written so that NaN fails too.
  if (!(settings.temperature >= 0 && settings.temperature <= 1e6)) {
    return bad("temperature", fmt::format("{}", settings.temperature), "0 (greedy) or more");
  }
  if (settings.topK < 0) return bad("top-k", fmt::format("{}", settings.topK), "0 (off) or more");
  if (!(settings.topP > 0 && settings.topP <= 1)) {
    return bad("top-p", fmt::format("{}", settings.topP), "more than 0 and at most 1 (off)");
  }
  if (!(settings.minP >= 0 && settings.minP <= 1)) {
    return bad("min-p", fmt::format("{}", settings.minP), "0 (off) to 1");
  }
  if (!(settings.repetitionPenalty > 0 && settings.repetitionPenalty <= 1e6)) {
    return bad("repetition penalty", fmt::format("{}", settings.repetitionPenalty), "more than 0 (1 is off)");
  }
  return {};
}

Sampler::Sampler(const SamplerSettings& settings) : m_settings(settings) {}

std::int32_t Sampler::next(std::span<const float> logits, std::span<const std::int32_t> history,
                           std::uint64_t step) {
  if (m_settings.temperature <= 0) return largest(penalised(logits, history));
  const auto kept = candidates(logits, history);
  double rest = uniformDraw(m_settings.seed, step);
  for (const auto& candidate : kept) {
    rest -= candidate.probability;
    if (rest < 0) return candidate.id;
  }
  return kept.back().id;  // rounding left a crumb of the sum
}

std::span<const SamplerCandidate> Sampler::candidates(std::span<const float> logits,
                                                      std::span<const std::int32_t> history) {
  const auto scores = penalised(logits, history);
  m_candidates.clear();
  const std::int32_t best = largest(scores);
  const double top = scores[static_cast<std::size_t>(best)];
  if (m_settings.temperature <= 0 || !std::isfinite(top)) {
    m_candidates.push_back({best, 1.0});
    return m_candidates;
  }
  m_weights.resize(scores.size());
  const double inverse = 1.0 / m_settings.temperature;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto difference = static_cast<float>((static_cast<double>(scores[i]) - top) * inverse);
    m_weights[i] = difference > kExpFloor ? difference : kExpFloor;
  }
  expOfNegative(m_weights, m_weights);
  const float floor = expOfNegative(kExpFloor);  // what is not above it will never be drawn
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (m_weights[i] > floor) m_candidates.push_back({static_cast<std::int32_t>(i), m_weights[i]});
  }
  if (m_settings.topK > 0) keepTopK();
  if (m_settings.topP < 1) keepTopP();
  if (m_settings.minP > 0) keepMinP();
  double sum = 0;
  for (const auto& candidate : m_candidates) sum += candidate.probability;
  for (auto& candidate : m_candidates) candidate.probability /= sum;
  return m_candidates;
}

std::span<const float> Sampler::penalised(std::span<const float> logits,
                                          std::span<const std::int32_t> history) {
  if (m_settings.repetitionPenalty == 1.0 || history.empty()) return logits;
  m_penalised.assign(logits.begin(), logits.end());
  m_seen.assign(logits.size(), false);
  const auto penalty = static_cast<float>(m_settings.repetitionPenalty);
  for (const std::int32_t id : history) {
    const auto index = static_cast<std::size_t>(id);
    if (id < 0 || index >= m_seen.size() || m_seen[index]) continue;
    m_seen[index] = true;
    float& logit = m_penalised[index];
    logit = logit < 0 ? logit * penalty : logit / penalty;
  }
  return m_penalised;
}

void Sampler::keepTopK() {
  const auto count = static_cast<std::size_t>(m_settings.topK);
  if (m_candidates.size() <= count) return;
  const auto last = m_candidates.begin() + static_cast<std::ptrdiff_t>(count) - 1;
  std::nth_element(m_candidates.begin(), last, m_candidates.end(), moreProbable);
  // Ties with the last one stay, as in transformers.
  const double floor = last->probability;
  std::erase_if(m_candidates, [floor](const auto& candidate) { return candidate.probability < floor; });
  std::sort(m_candidates.begin(), m_candidates.end(), moreProbable);
}

void Sampler::keepTopP() {
  double total = 0;
  for (const auto& candidate : m_candidates) total += candidate.probability;
  const double wanted = m_settings.topP * total;
  // Tokens below this weight hold less than what may be missing, all together: none of them is needed.
  const double floor = (total - wanted) / static_cast<double>(m_candidates.size());
  std::erase_if(m_candidates, [floor](const auto& candidate) { return candidate.probability < floor; });
  // Few tokens usually hold the mass: order a growing head instead of a whole vocabulary.
  double sum = 0;
  std::size_t ordered = 0;
  for (std::size_t head = 64; ordered < m_candidates.size(); head *= 8) {
    const std::size_t end = std::min(head, m_candidates.size());
    const auto from = m_candidates.begin() + static_cast<std::ptrdiff_t>(ordered);
    const auto to = m_candidates.begin() + static_cast<std::ptrdiff_t>(end);
    if (to != m_candidates.end()) std::nth_element(from, to, m_candidates.end(), moreProbable);
    std::sort(from, to, moreProbable);
    for (; ordered < end; ++ordered) {
      sum += m_candidates[ordered].probability;
      if (sum >= wanted) {
        m_candidates.resize(ordered + 1);
        return;
      }
    }
  }
}

void Sampler::keepMinP() {
  double top = 0;
  for (const auto& candidate : m_candidates) top = std::max(top, candidate.probability);
  const double floor = m_settings.minP * top;
  std::erase_if(m_candidates, [floor](const auto& candidate) { return candidate.probability < floor; });
}

}  // namespace moescope::engine
