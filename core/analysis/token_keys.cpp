#include "core/analysis/token_keys.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "core/analysis/shuffle.h"

namespace moescope::analysis {

namespace {

constexpr std::array<std::string_view, 4> kNames{"input", "next", "predicted", "position"};

/// The most probable token at a row's place, kNoKey if none was recorded.
std::int32_t bestAlternative(const trace::TokenBlock& tokens, std::size_t row) {
  std::int32_t best = kNoKey;
  float bestLogProb = 0.0F;
  for (std::size_t a = 0; a < trace::kAlternatives; ++a) {
    const std::size_t at = row * trace::kAlternatives + a;
    const float logProb = tokens.alternativeLogProbs[at];
    if (tokens.alternativeIds[at] < 0 || std::isnan(logProb)) continue;
    if (best == kNoKey || logProb > bestLogProb) {
      best = tokens.alternativeIds[at];
      bestLogProb = logProb;
    }
  }
  return best;
}

}  // namespace

std::string_view name(TokenKey key) { return kNames[static_cast<std::size_t>(key)]; }

std::optional<TokenKey> tokenKeyFrom(std::string_view word) {
  const auto found = std::ranges::find(kNames, word);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<TokenKey>(found - kNames.begin());
}

Result<std::vector<std::int32_t>> tokenKeys(const trace::TraceStore& store, const AnalysedRun& run,
                                            TokenKey key, std::stop_token stop) {
  std::vector<std::int32_t> keys(static_cast<std::size_t>(run.record.tokens), kNoKey);
  const bool ofFollowing = key == TokenKey::Next || key == TokenKey::Predicted;
  std::unordered_map<std::int32_t, std::int64_t> lastRow;  // of each sequence
  for (std::int64_t first = 0; first < run.record.tokens; first += trace::kBlockTokens) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const auto tokens = store.tokenBlock(run.record.id, first / trace::kBlockTokens);
    if (!tokens || tokens->damaged) {
      lastRow.clear();  // what follows a gap is not the next token
      continue;
    }
    const auto count =
        static_cast<std::size_t>(std::min<std::int64_t>(tokens->count, run.record.tokens - first));
    for (std::size_t r = 0; r < count; ++r) {
      const std::int64_t row = first + static_cast<std::int64_t>(r);
      if (key == TokenKey::Input) keys[static_cast<std::size_t>(row)] = tokens->ids[r];
      if (key == TokenKey::Position) keys[static_cast<std::size_t>(row)] = tokens->positions[r];
      if (!ofFollowing) continue;
      const auto [last, isFirst] = lastRow.try_emplace(tokens->sequences[r], row);
      if (isFirst) continue;
      keys[static_cast<std::size_t>(last->second)] =
          key == TokenKey::Next ? tokens->ids[r] : bestAlternative(*tokens, r);
      last->second = row;
    }
  }
  if (key == TokenKey::Predicted && std::ranges::all_of(keys, [](auto k) { return k == kNoKey; })) {
    return fail("analysis.not_recorded", store.path().string(), fmt::format("run {}", run.record.id),
                "the run has no alternatives, so it is not known what the model predicted",
                "record the texts with MoEScope, which keeps the best alternatives at every capture level");
  }
  return keys;
}

std::vector<std::int32_t> shuffledKeys(std::vector<std::int32_t> keys, std::uint64_t seed) {
  std::vector<std::int32_t> present;
  std::ranges::copy_if(keys, std::back_inserter(present), [](auto key) { return key != kNoKey; });
  std::mt19937_64 random(seed);
  shuffle(std::span(present), random);
  std::size_t at = 0;
  for (std::int32_t& key : keys)
    if (key != kNoKey) key = present[at++];
  return keys;
}

}  // namespace moescope::analysis
