// The synthetic run: drawn, and recorded as a run is.
#include <QTest>

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "tests/unit/trace_fixture.h"

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
  specs[2].normParameter = 1e-20;
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

void feedRows(RunRecorder& recorder, const SyntheticRun& run, std::int64_t begin, std::int64_t end,
              const std::function<void()>& beforeRouting) {
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
  if (beforeRouting) beforeRouting();
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

}  // namespace moescope::trace::fixture
