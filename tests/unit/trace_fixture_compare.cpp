// Comparing what traces say: block by block with a difference named, or a whole run bit by bit.
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "tests/unit/trace_fixture.h"

namespace moescope::trace::fixture {

namespace {

/// Bit for bit, so that NaN equals NaN.
template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

bool close(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * (1.0 + std::abs(b));
}

bool close(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!close(a[i], b[i], tolerance)) return false;
  }
  return true;
}

}  // namespace

std::string difference(const TokenBlock& a, const TokenBlock& b) {
  if (a.count != b.count) return fmt::format("count {} and {}", a.count, b.count);
  if (a.damaged != b.damaged) return "damaged";
  if (!same(a.ids, b.ids)) return "ids";
  if (!same(a.sequences, b.sequences)) return "sequences";
  if (!same(a.positions, b.positions)) return "positions";
  if (!same(a.phases, b.phases)) return "phases";
  if (!same(a.logProbs, b.logProbs)) return "logProbs";
  if (!same(a.entropies, b.entropies)) return "entropies";
  if (!same(a.alternativeIds, b.alternativeIds)) return "alternativeIds";
  if (!same(a.alternativeLogProbs, b.alternativeLogProbs)) return "alternativeLogProbs";
  return {};
}

std::string difference(const RouteBlock& a, const RouteBlock& b) {
  if (a.count != b.count) return fmt::format("count {} and {}", a.count, b.count);
  if (a.width != b.width) return fmt::format("width {} and {}", a.width, b.width);
  if (a.damaged != b.damaged) return "damaged";
  if (!same(a.ids, b.ids)) return "ids";
  if (!same(a.weights, b.weights)) return "weights";
  if (!same(a.nativeIds, b.nativeIds)) return "nativeIds";
  if (!same(a.droppedNativeMass, b.droppedNativeMass)) return "droppedNativeMass";
  return {};
}

std::string difference(const LogitBlock& a, const LogitBlock& b) {
  if (a.count != b.count || a.experts != b.experts) return "count or experts";
  if (a.damaged != b.damaged) return "damaged";
  return same(a.halves, b.halves) ? std::string() : std::string("halves");
}

std::string difference(const LoadSummary& a, const LoadSummary& b, double tolerance) {
  if (a.tokens != b.tokens) return fmt::format("tokens {} and {}", a.tokens, b.tokens);
  if (a.slots != b.slots) return fmt::format("slots {} and {}", a.slots, b.slots);
  if (a.counts != b.counts) return "counts";
  if (a.massTokens != b.massTokens) return fmt::format("massTokens {} and {}", a.massTokens, b.massTokens);
  if (a.entropyTokens != b.entropyTokens)
    return fmt::format("entropyTokens {} and {}", a.entropyTokens, b.entropyTokens);
  if (!close(a.gateMass, b.gateMass, tolerance)) return "gateMass";
  if (!close(a.entropySum, b.entropySum, tolerance))
    return fmt::format("entropySum {} and {}", a.entropySum, b.entropySum);
  return a.missing == b.missing ? std::string() : std::string("missing");
}

std::string difference(const SequenceStats& a, const SequenceStats& b, double tolerance) {
  if (a.tokens != b.tokens || a.massTokens != b.massTokens || a.logitTokens != b.logitTokens) return "tokens";
  if (a.counts != b.counts) return "counts";
  if (!close(a.gateMass, b.gateMass, tolerance)) return "gateMass";
  if (!close(a.logitSum, b.logitSum, tolerance)) return "logitSum";
  if (!close(a.probabilitySum, b.probabilitySum, tolerance)) return "probabilitySum";
  if (!close(a.logSumExpSum, b.logSumExpSum, tolerance)) return "logSumExpSum";
  return close(a.entropySum, b.entropySum, tolerance) ? std::string() : std::string("entropySum");
}

namespace {

template <class T>
void append(std::string& text, const std::vector<T>& values) {
  text.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  text += '|';
}

}  // namespace

std::string fingerprint(const TraceStore& store, RunId id) {
  const auto run = store.run(id);
  if (!run) return "none";
  std::string text = fmt::format("{} {} {} {} {} {} {}|", run->name, run->tokens, run->routedTokens,
                                 run->sequences, run->seed, name(run->capture), run->samplerJson);
  for (const SequenceRecord& sequence : store.sequences(id)) {
    text += fmt::format("{} {} {} {} {} {}", sequence.ordinal, sequence.firstToken, sequence.promptLength,
                        sequence.length, sequence.complete, sequence.textHash);
    for (const auto& [key, value] : sequence.labels) text += key + "=" + value;
  }
  for (const SteeringEvent& event : store.steeringEvents(id))
    text += fmt::format("{} {} {}", event.token, event.programJson, event.counterfactual);
  for (const RuleEffect& effect : store.ruleEffects(id)) {
    text += fmt::format("rule {} {} {} {} {} {} {} {}", effect.ruleId, effect.tokensInScope, effect.chosen,
                        effect.nativelyChosen, effect.choicesAdded, effect.choicesDropped,
                        effect.droppedNativeMass, effect.nativeMass);
  }
  const auto specs = store.routers(id);
  for (std::int64_t block = 0; block * kBlockTokens < run->tokens; ++block) {
    const auto tokens = store.tokenBlock(id, block);
    if (!tokens) return text + "no tokens";
    append(text, tokens->ids);
    append(text, tokens->sequences);
    append(text, tokens->positions);
    append(text, tokens->phases);
    append(text, tokens->logProbs);
    append(text, tokens->entropies);
    append(text, tokens->alternativeIds);
    append(text, tokens->alternativeLogProbs);
    for (const std::int32_t token : tokens->ids) text += store.tokenBytes(id, token);
    for (int r = 0; r < static_cast<int>(specs.size()); ++r) {
      const auto route = store.routeBlock(id, r, block);
      text += route ? fmt::format("{}x{}", route->count, route->width) : "-";
      if (route) append(text, route->ids);
      if (route) append(text, route->weights);
      if (route) append(text, route->nativeIds);
      if (route) append(text, route->droppedNativeMass);
      const auto logits = store.logitBlock(id, r, block);
      if (logits) append(text, logits->halves);
    }
  }
  for (int r = 0; r < static_cast<int>(specs.size()); ++r) {
    for (const TokenRange range : {TokenRange{0, run->tokens}, TokenRange{17, 300}, TokenRange{256, 768}}) {
      const LoadSummary load = store.load(id, r, range);
      append(text, load.counts);
      append(text, load.gateMass);
      append(text, std::vector<double>{load.entropySum});
      text += fmt::format("{} {} {} {}", load.tokens, load.slots, load.massTokens, load.entropyTokens);
    }
    for (const SequenceRecord& sequence : store.sequences(id)) {
      const auto stats = store.sequenceStats(id, r, sequence.ordinal);
      if (!stats) continue;
      append(text, stats->counts);
      append(text, stats->gateMass);
      append(text, stats->logitSum);
      append(text, stats->probabilitySum);
      append(text, std::vector<double>{stats->logSumExpSum, stats->entropySum});
    }
  }
  return text;
}

}  // namespace moescope::trace::fixture
