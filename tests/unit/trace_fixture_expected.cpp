// What a trace must say of a synthetic run, computed from its rows one by one.
#include <algorithm>
#include <bit>
#include <cmath>

#include "tests/unit/trace_fixture.h"

namespace moescope::trace::fixture {

float asStored(float weight, CaptureLevel capture) {
  return capture == CaptureLevel::Weights ? static_cast<float>(static_cast<_Float16>(weight)) : weight;
}

namespace {

std::span<const Row> rowsOf(const SyntheticRun& run, std::int64_t block, std::int64_t end) {
  const std::int64_t first = block * kBlockTokens;
  const std::int64_t last = std::min(first + kBlockTokens, end);
  if (last <= first) return {};
  return std::span(run.rows).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
}

std::uint16_t stored(std::int32_t id) { return static_cast<std::uint16_t>(id); }

}  // namespace

TokenBlock expectedTokens(const SyntheticRun& run, std::int64_t block, std::int64_t end) {
  TokenBlock expected;
  for (const Row& row : rowsOf(run, block, end)) {
    ++expected.count;
    expected.ids.push_back(row.token.id);
    expected.sequences.push_back(row.token.sequence);
    expected.positions.push_back(row.token.position);
    expected.phases.push_back(static_cast<std::uint8_t>(row.token.phase));
    expected.logProbs.push_back(row.token.logProb);
    expected.entropies.push_back(row.routed ? row.entropyAfter : kMissing);
    for (std::size_t a = 0; a < kAlternatives; ++a) {
      expected.alternativeIds.push_back(row.token.alternativeIds[a]);
      expected.alternativeLogProbs.push_back(row.token.alternativeLogProbs[a]);
    }
  }
  return expected;
}

RouteBlock expectedRoutes(const SyntheticRun& run, int router, std::int64_t block, std::int64_t routedEnd,
                          CaptureLevel capture) {
  const auto r = static_cast<std::size_t>(router);
  const auto rows = rowsOf(run, block, routedEnd);
  RouteBlock expected;
  expected.count = static_cast<int>(rows.size());
  bool steered = false;
  for (const Row& row : rows) {
    if (row.routed) expected.width = std::max(expected.width, static_cast<int>(row.choices[r].ids.size()));
    steered = steered || (row.steered && router == 1 && row.routed);
  }
  for (const Row& row : rows) {
    const Choice& choice = row.choices[r];
    for (std::size_t k = 0; k < static_cast<std::size_t>(expected.width); ++k) {
      const bool has = row.routed && k < choice.ids.size();
      expected.ids.push_back(has ? stored(choice.ids[k]) : kEmptySlot);
      if (capture != CaptureLevel::Ids)
        expected.weights.push_back(has ? asStored(choice.weights[k], capture) : 0.0F);
    }
    if (!steered) continue;
    float dropped = 0.0F;
    for (std::size_t k = 0; k < choice.nativeIds.size(); ++k) {
      expected.nativeIds.push_back(row.routed ? stored(choice.nativeIds[k]) : kEmptySlot);
      const bool kept = std::ranges::find(choice.ids, choice.nativeIds[k]) != choice.ids.end();
      if (row.routed && !kept) dropped += choice.nativeWeights[k];
    }
    expected.droppedNativeMass.push_back(dropped);
  }
  return expected;
}

LogitBlock expectedLogits(const SyntheticRun& run, int router, std::int64_t block, std::int64_t routedEnd) {
  const auto r = static_cast<std::size_t>(router);
  const auto rows = rowsOf(run, block, routedEnd);
  LogitBlock expected;
  expected.count = static_cast<int>(rows.size());
  expected.experts = run.routers[r].experts;
  for (const Row& row : rows) {
    for (const float z : row.choices[r].logits)
      expected.halves.push_back(row.routed ? std::bit_cast<std::uint16_t>(static_cast<_Float16>(z)) : 0x7E00);
  }
  return expected;
}

std::vector<double> probabilitiesOf(const std::vector<float>& logits, ScoreKind score) {
  std::vector<long double> values;
  long double sum = 0.0L;
  for (const float z : logits) {
    const long double x = static_cast<long double>(z);
    values.push_back(score == ScoreKind::SigmoidAll ? 1.0L / (1.0L + expl(-x)) : expl(x));
    sum += values.back();
  }
  std::vector<double> probabilities;
  for (const long double value : values) probabilities.push_back(static_cast<double>(value / sum));
  return probabilities;
}

double entropyOf(const std::vector<float>& logits, ScoreKind score) {
  double entropy = 0.0;
  for (const double p : probabilitiesOf(logits, score)) entropy -= p > 0 ? p * std::log(p) : 0.0;
  return entropy;
}

double logSumExpOf(const std::vector<float>& logits) {
  long double sum = 0.0L;
  for (const float z : logits) sum += expl(static_cast<long double>(z));
  return static_cast<double>(logl(sum));
}

LoadSummary expectedLoad(const SyntheticRun& run, int router, TokenRange tokens, CaptureLevel capture) {
  const auto r = static_cast<std::size_t>(router);
  const auto experts = static_cast<std::size_t>(run.routers[r].experts);
  LoadSummary load;
  load.counts.resize(experts);
  load.gateMass.resize(experts);
  for (std::int64_t i = std::max<std::int64_t>(tokens.begin, 0); i < tokens.end; ++i) {
    if (i >= static_cast<std::int64_t>(run.rows.size())) break;
    const Row& row = run.rows[static_cast<std::size_t>(i)];
    if (!row.routed) continue;
    const Choice& choice = row.choices[r];
    ++load.tokens;
    ++load.massTokens;
    ++load.entropyTokens;
    load.entropySum += entropyOf(choice.logits, run.routers[r].score);
    for (std::size_t k = 0; k < choice.ids.size(); ++k) {
      ++load.slots;
      ++load.counts[static_cast<std::size_t>(choice.ids[k])];
      load.gateMass[static_cast<std::size_t>(choice.ids[k])] +=
          static_cast<double>(asStored(choice.weights[k], capture));
    }
  }
  return load;
}

SequenceStats expectedStats(const SyntheticRun& run, int router, const Sequence& sequence,
                            CaptureLevel capture) {
  const auto r = static_cast<std::size_t>(router);
  const LoadSummary load =
      expectedLoad(run, router, {sequence.first, sequence.first + sequence.length}, capture);
  SequenceStats stats;
  stats.tokens = stats.massTokens = stats.logitTokens = load.tokens;
  stats.counts = load.counts;
  stats.gateMass = load.gateMass;
  stats.entropySum = load.entropySum;
  stats.logitSum.resize(load.counts.size());
  stats.probabilitySum.resize(load.counts.size());
  for (std::int64_t i = sequence.first; i < sequence.first + sequence.length; ++i) {
    const Row& row = run.rows[static_cast<std::size_t>(i)];
    if (!row.routed) continue;
    const auto probabilities = probabilitiesOf(row.choices[r].logits, run.routers[r].score);
    stats.logSumExpSum += logSumExpOf(row.choices[r].logits);
    for (std::size_t e = 0; e < probabilities.size(); ++e) {
      stats.logitSum[e] += static_cast<double>(row.choices[r].logits[e]);
      stats.probabilitySum[e] += probabilities[e];
    }
  }
  return stats;
}

}  // namespace moescope::trace::fixture
