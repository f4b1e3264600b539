#include "tests/unit/trace_fixture.h"

#include <QTest>

#include <algorithm>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

namespace moescope::trace::fixture {

std::vector<RouterSpec> routers() {
  std::vector<RouterSpec> specs(4);
  const int experts[] = {8, 64, 255, 300};
  const int topK[] = {2, 8, 4, 6};
  const ScoreKind scores[] = {ScoreKind::SoftmaxAll, ScoreKind::SoftmaxAll, ScoreKind::SigmoidAll,
                              ScoreKind::TopkSoftmax};
  for (std::size_t r = 0; r < specs.size(); ++r) {
    specs[r].layer = LayerIndex{static_cast<std::int32_t>(2 * r + 1)};
    specs[r].experts = experts[r];
    specs[r].topK = topK[r];
    specs[r].score = scores[r];
  }
  specs[2].selectionBias.assign(255, 0.25F);
  specs[2].norm = WeightNorm::SumOne;
  specs[2].normEps = 1e-20;
  specs[2].scale = 2.5;
  return specs;
}

ModelRecord modelRecord(const std::vector<RouterSpec>& specs) {
  ModelRecord model;
  model.family = "olmoe";
  model.name = "synthetic";
  model.configJson = "{}";
  model.tokenizerHash = "t";
  model.weightsFingerprint = "w";
  model.parametersTotal = 1000;
  model.parametersActive = 100;
  model.routers = specs;
  return model;
}

RunRecord runRecord(CaptureLevel capture) {
  RunRecord run;
  run.name = "first";
  run.kind = RunKind::Corpus;
  run.engine = "none";
  run.device = "cpu";
  run.dtype = "f32";
  run.threads = 2;
  run.seed = 0xFEDCBA9876543210U;
  run.samplerJson = "{}";
  run.capture = capture;
  run.trainStep = 7;
  return run;
}

std::string tokenText(std::int32_t id) {
  if (id % 10 == 3) return std::string("\xC3", 1);  // half of a character
  return fmt::format(" t{}", id);
}

namespace {

std::vector<std::int32_t> draw(std::mt19937& random, int experts, int count) {
  std::vector<std::int32_t> ids;
  while (static_cast<int>(ids.size()) < count) {
    const auto id = static_cast<std::int32_t>(random() % static_cast<unsigned>(experts));
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  }
  return ids;
}

Choice choose(std::mt19937& random, const RouterSpec& router, bool steered) {
  std::normal_distribution<float> normal(0.0F, 2.5F);
  std::uniform_real_distribution<float> uniform(0.001F, 0.9F);
  Choice choice;
  for (int e = 0; e < router.experts; ++e) choice.logits.push_back(normal(random));
  choice.nativeIds = draw(random, router.experts, router.topK);
  for (int k = 0; k < router.topK; ++k) choice.nativeWeights.push_back(uniform(random));
  choice.ids = choice.nativeIds;
  choice.weights = choice.nativeWeights;
  if (!steered) return choice;
  const int k = 1 + static_cast<int>(random() % static_cast<unsigned>(router.topK + 2));
  choice.ids = draw(random, router.experts, k);
  choice.ids[0] = choice.nativeIds[0];  // usually some of the native choice stays
  for (std::size_t i = 1; i < choice.ids.size(); ++i) {
    if (choice.ids[i] == choice.ids[0]) choice.ids[i] = (choice.ids[0] + 1) % router.experts;
  }
  std::ranges::sort(choice.ids);
  choice.ids.erase(std::unique(choice.ids.begin(), choice.ids.end()), choice.ids.end());
  choice.weights.clear();
  for (std::size_t i = 0; i < choice.ids.size(); ++i) choice.weights.push_back(uniform(random));
  return choice;
}

TokenRow drawToken(std::mt19937& random, int sequence, int position) {
  std::uniform_real_distribution<float> logProb(-9.0F, 0.0F);
  TokenRow token;
  token.id = static_cast<std::int32_t>(random() % 500);
  token.sequence = sequence;
  token.position = position;
  token.phase = position < 5 ? Phase::Prefill : Phase::Decode;
  if (position == 0) return token;
  token.logProb = logProb(random);
  for (std::size_t a = 0; a < kAlternatives; ++a) {
    token.alternativeIds[a] = static_cast<std::int32_t>(random() % 500);
    token.alternativeLogProbs[a] = logProb(random);
  }
  return token;
}

}  // namespace

SyntheticRun synthesize(unsigned seed, const std::vector<int>& lengths, double steeredShare,
                        const std::vector<RouterSpec>& specs) {
  std::mt19937 random(seed);
  SyntheticRun run;
  run.routers = specs;
  const int total = std::accumulate(lengths.begin(), lengths.end(), 0);
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    Sequence sequence;
    sequence.first = static_cast<std::int64_t>(run.rows.size());
    sequence.length = lengths[s];
    if (s % 3 != 2) sequence.labels = {{"language", "de"}, {"label", s % 2 == 0 ? "prose" : "code"}};
    for (int position = 0; position < lengths[s]; ++position) {
      Row row;
      row.token = drawToken(random, static_cast<int>(s), position);
      row.routed = !(s % 2 == 1 && position == lengths[s] - 1);
      const bool late = static_cast<int>(run.rows.size()) * 2 > total;
      row.steered = late && static_cast<double>(random() % 1000) < 1000 * steeredShare;
      row.entropyAfter = static_cast<float>(random() % 1000) / 100.0F;
      for (std::size_t r = 0; r < run.routers.size(); ++r)
        row.choices.push_back(choose(random, run.routers[r], row.steered && r == 1));
      run.rows.push_back(std::move(row));
    }
    run.sequences.push_back(std::move(sequence));
  }
  return run;
}

void chooseByLogits(SyntheticRun& run) {
  for (Row& row : run.rows) {
    for (std::size_t r = 0; r < run.routers.size(); ++r) {
      const RouterSpec& router = run.routers[r];
      Choice& choice = row.choices[r];
      std::vector<std::pair<double, std::int32_t>> ranked;
      for (int e = 0; e < router.experts; ++e) {
        const auto z = static_cast<double>(choice.logits[static_cast<std::size_t>(e)]);
        const bool biased = !router.selectionBias.empty();
        const double score = biased
                                 ? 1.0 / (1.0 + std::exp(-z)) +
                                       static_cast<double>(router.selectionBias[static_cast<std::size_t>(e)])
                                 : z;
        ranked.emplace_back(-score, e);
      }
      std::ranges::sort(ranked);
      for (std::size_t k = 0; k < choice.nativeIds.size(); ++k) choice.nativeIds[k] = ranked[k].second;
      if (!(row.steered && r == 1)) choice.ids = choice.nativeIds;
    }
  }
}

std::int64_t routedEndOf(const SyntheticRun& run) {
  std::int64_t end = 0;
  for (std::size_t i = 0; i < run.rows.size(); ++i) {
    if (run.rows[i].routed) end = static_cast<std::int64_t>(i) + 1;
  }
  return end;
}

void feedRows(RunRecorder& recorder, const SyntheticRun& run, std::int64_t begin, std::int64_t end) {
  std::vector<TokenRow> tokens;
  std::vector<std::string> bytes;
  std::int64_t routedEnd = begin;
  bool steered = false;
  for (std::int64_t i = begin; i < end; ++i) {
    const Row& row = run.rows[static_cast<std::size_t>(i)];
    tokens.push_back(row.token);
    bytes.push_back(tokenText(row.token.id));
    if (row.routed) routedEnd = i + 1;
    steered = steered || row.steered;
  }
  const auto first = recorder.appendTokens(tokens, bytes);
  QVERIFY2(first.has_value(), first ? "" : first.error().text().c_str());
  QCOMPARE(*first, begin);
  const auto count = static_cast<std::size_t>(routedEnd - begin);
  RoutingBatch batch;
  batch.firstToken = begin;
  batch.count = static_cast<int>(count);
  std::vector<float> entropies;
  struct Columns {
    std::vector<float> logits, weights, nativeWeights;
    std::vector<std::int32_t> ids, nativeIds;
  };
  std::vector<Columns> columns(run.routers.size());
  for (std::size_t i = 0; i < count; ++i)
    entropies.push_back(run.rows[static_cast<std::size_t>(begin) + i].entropyAfter);
  batch.entropyAfter = entropies;
  for (std::size_t r = 0; r < run.routers.size(); ++r) {
    Columns& c = columns[r];
    std::size_t width = 0;
    const bool native = steered && r == 1;
    const auto rowAt = [&](std::size_t i) -> const Choice& {
      return run.rows[static_cast<std::size_t>(begin) + i].choices[r];
    };
    for (std::size_t i = 0; i < count; ++i) width = std::max(width, rowAt(i).ids.size());
    width += begin % 2 == 0 ? 1 : 0;  // a spare empty column must not widen the block
    for (std::size_t i = 0; i < count; ++i) {
      const Choice& choice = rowAt(i);
      c.logits.insert(c.logits.end(), choice.logits.begin(), choice.logits.end());
      for (std::size_t k = 0; k < width; ++k) {
        c.ids.push_back(k < choice.ids.size() ? choice.ids[k] : -1);
        c.weights.push_back(k < choice.ids.size() ? choice.weights[k] : 0.0F);
      }
      if (!native) continue;
      c.nativeIds.insert(c.nativeIds.end(), choice.nativeIds.begin(), choice.nativeIds.end());
      c.nativeWeights.insert(c.nativeWeights.end(), choice.nativeWeights.begin(), choice.nativeWeights.end());
    }
    batch.routers.push_back(
        {static_cast<int>(width), c.logits, c.ids, c.weights, c.nativeIds, c.nativeWeights});
  }
  const auto routed = recorder.appendRouting(batch);
  QVERIFY2(routed.has_value(), routed ? "" : routed.error().text().c_str());
}

void feed(RunRecorder& recorder, const SyntheticRun& run, std::size_t from, std::size_t to, unsigned seed) {
  std::mt19937 random(seed);
  for (std::size_t s = from; s < to; ++s) {
    const Sequence& sequence = run.sequences[s];
    QCOMPARE(recorder.beginSequence({3, fmt::format("hash {}", s), sequence.labels}),
             static_cast<std::int32_t>(s));
    const std::int64_t end = sequence.first + sequence.length;
    for (std::int64_t at = sequence.first; at < end;) {
      const std::int64_t next =
          std::min<std::int64_t>(end, at + 1 + static_cast<std::int64_t>(random() % 70));
      feedRows(recorder, run, at, next);
      at = next;
    }
    QVERIFY(recorder.endSequence(true).has_value());
  }
}

void writeTrace(const std::filesystem::path& path, const SyntheticRun& run, CaptureLevel capture) {
  auto store = TraceStore::create(path);
  QVERIFY2(store.has_value(), store ? "" : store.error().text().c_str());
  auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(capture));
  QVERIFY(recorder.has_value());
  feed(**recorder, run, 0, run.sequences.size(), 1);
  QVERIFY((*recorder)->end(RunStatus::Closed).has_value());
  recorder->reset();
  QVERIFY((*store)->close().has_value());
}

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
