// Sparsity and local routing consistency against the vectors of analyses.md 8.4 and 8.5 and against numpy.
#include <QTest>

#include "core/analysis/routing_consistency.h"
#include "core/analysis/sparsity.h"
#include "tests/support/locality_vectors.h"

using namespace moescope::analysis;
using moescope::test::LocalityTexts;
using moescope::trace::kEmptySlot;

namespace {

ChunkSums total(const std::vector<ChunkSums>& texts) {
  ChunkSums out;
  for (const ChunkSums& sums : texts) out += sums;
  return out;
}

WindowHistogram pooled(const std::vector<WindowHistogram>& texts) {
  WindowHistogram out = texts.front();
  for (std::size_t t = 1; t < texts.size(); ++t) {
    out.windows += texts[t].windows;
    for (std::size_t c = 0; c < out.pairs.size(); ++c) out.pairs[c] += texts[t].pairs[c];
  }
  return out;
}

double hitRate(const std::vector<CacheHits>& texts) {
  double hits = 0, requests = 0;
  for (const CacheHits& t : texts)
    hits += static_cast<double>(t.hits), requests += static_cast<double>(t.requests);
  return hits / requests;
}

}  // namespace

class TestLocality : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void randomSparsityVectors() {
    QVERIFY_NEAR(randomSparsity(64, 8, 8), 0.343609, 5e-7);
    QVERIFY_NEAR(randomSparsity(64, 8, 32), 0.013940, 5e-7);
    QVERIFY_NEAR(randomSparsity(8, 2, 8), 0.100113, 5e-7);
    QVERIFY_NEAR(randomSparsity(32, 2, 8), 0.596719, 5e-7);
    QCOMPARE(randomSparsity(64, 8, 1), 0.875);
  }

  void chunksOfOneText() {
    // Unions of two tokens: {0, 1}, {2, 3}; the fifth token is the tail.
    const std::vector<TextChoices> text{{0, 2, {0, 1, 1, 0, 2, kEmptySlot, 3, 2, 0, 3}}};
    const ChunkSums pairs = total(chunkSums(text, 1, 4, 2));
    QCOMPARE(pairs.chunks, std::int64_t{2});
    QCOMPARE(pairs.active, std::int64_t{4});
    QCOMPARE(sparsity(pairs, 4), 0.5);
    QCOMPARE(sparsity(pairs, 4, 4), 0.25);  // 1 - (4 + 2 * 4) / (2 * 8)
    QCOMPARE(total(chunkSums(text, 1, 4, 1)).active, std::int64_t{9});
    QVERIFY(std::isnan(sparsity(total(chunkSums(text, 1, 4, 8)), 4)));  // shorter than a chunk
    QVERIFY(std::isnan(sparsity(total(chunkSums({}, 1, 4, 1)), 4)));
  }

  void sparsityAgainstNumpy() {
    const LocalityTexts texts;
    const auto pieces = texts.pieces(1);
    for (const auto& expected : texts.document["sparsity"]) {
      const ChunkSums sums = total(chunkSums(pieces, texts.texts(), texts.experts, expected["chunk"]));
      QVERIFY_NEAR(sparsity(sums, texts.experts), expected["cls"].get<double>(), 1e-12);
      QVERIFY_NEAR(sparsity(sums, texts.experts, 1), expected["with_shared"].get<double>(), 1e-12);
    }
  }

  void sparsityOfRandomChoicesIsTheReference() {
    std::vector<TextChoices> like{{0, 8, std::vector<std::uint16_t>(8 * 40000)}};
    const auto random = randomChoices(like, 64, 8, 1'000'000, 3);
    for (const int c : {1, 8, 32})
      QVERIFY_NEAR(sparsity(total(chunkSums(random, 1, 64, c)), 64), randomSparsity(64, 8, c), 0.002);
    QVERIFY_NEAR(segmentRouting(pooled(windowHistograms(random, 1, 64, 16))).f1,
                 randomSegmentRouting(64, 8, 16).f1, 0.002);
    QVERIFY(randomChoices(like, 64, 8, 1'000'000, 3)[0].ids == random[0].ids);  // seeded
  }

  /// analyses.md 8.5: m = 4, c = (4, 1, 0, 2) gives 0.8 at r = 2.
  void segmentRoutingVector() {
    // Windows of 4 tokens of one text: expert 0 always, 1 once, 3 twice.
    const std::vector<TextChoices> text{{0, 2, {0, 1, 0, 3, 0, 3, 0, kEmptySlot}}};
    const WindowHistogram histogram = pooled(windowHistograms(text, 1, 4, 4));
    QCOMPARE(histogram.windows, std::int64_t{1});
    QCOMPARE(histogram.pairs, (std::vector<std::int64_t>{1, 1, 1, 0, 1}));
    const SegmentRouting best = segmentRouting(histogram);
    QVERIFY_NEAR(best.f1, 0.8, 1e-12);
    QCOMPARE(best.threshold, 2);
    QVERIFY_NEAR(best.sizeRatio, 8.0 / 7.0, 1e-12);
  }

  void consistencyAgainstNumpy() {
    const LocalityTexts texts;
    const auto pieces = texts.pieces(1);
    for (const auto& expected : texts.document["consistency"]) {
      const int m = expected["size"];
      const WindowHistogram histogram = pooled(windowHistograms(pieces, texts.texts(), texts.experts, m));
      QCOMPARE(histogram.windows, expected["windows"].get<std::int64_t>());
      const SegmentRouting best = segmentRouting(histogram);
      QVERIFY_NEAR(best.f1, expected["f1"].get<double>(), 1e-12);
      QCOMPARE(best.threshold, expected["threshold"].get<int>());
      QVERIFY_NEAR(best.sizeRatio, expected["ratio"].get<double>(), 1e-12);
      QVERIFY_NEAR(randomSegmentRouting(texts.experts, texts.topK, m).f1, expected["random"].get<double>(),
                   1e-9);
      const auto byExpert = expertWindowHistograms(pieces, texts.experts, m);
      for (std::size_t e = 0; e < byExpert.size(); ++e) {
        const double f1 = segmentRouting(byExpert[e]).f1;
        if (expected["experts"][e].is_null())
          QVERIFY(std::isnan(f1));  // a dead expert
        else
          QVERIFY_NEAR(f1, expected["experts"][e].get<double>(), 1e-12);
      }
      for (const auto& [capacity, rate] : expected["hits"].items())
        QVERIFY_NEAR(hitRate(cacheHits(pieces, texts.texts(), texts.experts, m, std::stoi(capacity))),
                     rate.get<double>(), 1e-12);
    }
  }

  void textsShorterThanTheWindow() {
    const std::vector<TextChoices> text{{0, 1, {0, 1}}};
    const WindowHistogram histogram = pooled(windowHistograms(text, 1, 2, 4));
    QCOMPARE(histogram.windows, std::int64_t{0});
    QVERIFY(std::isnan(segmentRouting(histogram).f1));
  }

  void everyExpertChosen() {
    QVERIFY_NEAR(randomSegmentRouting(4, 4, 8).f1, 1.0, 1e-12);
    const std::vector<TextChoices> text{{0, 2, {0, 1, 1, 0, 0, 1}}};
    QCOMPARE(segmentRouting(pooled(windowHistograms(text, 1, 2, 3))).f1, 1.0);
  }

  /// Look-ahead keeps what comes back soon, ties go to what was used last.
  void cacheByHand() {
    // Capacity 2: 0 and 1 fill free slots; 2 evicts 1, which is not asked for again; 0 hits; 3 evicts 2 or 0
    // (nothing is asked for again: 2 was used longer ago); 0 hits.
    const std::vector<TextChoices> text{{0, 1, {0, 1, 2, 0, 3}}};
    const auto hits = cacheHits(text, 1, 4, 8, 2);
    QCOMPARE(hits[0].requests, std::int64_t{5});
    QCOMPARE(hits[0].hits, std::int64_t{3});
    QCOMPARE(cacheHits(text, 1, 4, 8, 4)[0].hits, std::int64_t{5});
    // A window of one token knows nothing of the future: least recently used.
    QCOMPARE(cacheHits(text, 1, 4, 1, 2)[0].hits, std::int64_t{2});
    QCOMPARE(cacheHits({}, 1, 4, 8, 2)[0].requests, std::int64_t{0});
  }
};

QTEST_APPLESS_MAIN(TestLocality)
#include "tst_locality.moc"
