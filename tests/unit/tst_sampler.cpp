// Sampler and distribution facts against transformers and torch (tests/support/make_sampler_vectors.py).
#include <QTest>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <numeric>

#include "core/engine/generation/sampler.h"

using namespace moescope::engine;

namespace {

nlohmann::json vectors() {
  std::ifstream file(MOESCOPE_TEST_DATA "/sampler/vectors.json");
  return nlohmann::json::parse(file);
}

SamplerSettings settingsFrom(const nlohmann::json& json) {
  SamplerSettings settings;
  settings.temperature = json.at("temperature");
  settings.topK = json.at("top_k");
  settings.topP = json.at("top_p");
  settings.minP = json.at("min_p");
  settings.repetitionPenalty = json.at("repetition_penalty");
  return settings;
}

SamplerSettings greedy() {
  SamplerSettings settings;
  settings.temperature = 0;
  return settings;
}

}  // namespace

class TestSampler : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void filtersEqualTransformers() {
    const auto document = vectors();
    int cases = 0;
    for (const auto& group : document.at("groups")) {
      const auto logits = group.at("logits").get<std::vector<float>>();
      const auto history = group.at("history").get<std::vector<std::int32_t>>();
      for (const auto& wanted : group.at("cases")) {
        Sampler sampler(settingsFrom(wanted.at("settings")));
        std::map<std::int32_t, double> kept;
        for (const auto& candidate : sampler.candidates(logits, history)) {
          kept[candidate.id] = candidate.probability;
        }
        const auto ids = wanted.at("ids").get<std::vector<std::int32_t>>();
        const auto probabilities = wanted.at("probabilities").get<std::vector<double>>();
        const std::string place = wanted.at("settings").dump();
        QVERIFY2(kept.size() == ids.size(), place.c_str());
        for (std::size_t i = 0; i < ids.size(); ++i) {
          QVERIFY2(kept.contains(ids[i]), place.c_str());
          // transformers scales logits in float32: relative error up to |logit| * 2^-23.
          QVERIFY2(std::abs(kept[ids[i]] - probabilities[i]) <= 5e-6 * probabilities[i] + 1e-12,
                   place.c_str());
        }
        ++cases;
      }
    }
    QCOMPARE(cases, 28);
  }

  void factsEqualTorch() {
    const auto document = vectors();
    QCOMPARE(document.at("groups").size(), std::size_t{2});
    for (const auto& group : document.at("groups")) {
      const auto logits = group.at("logits").get<std::vector<float>>();
      const auto facts = distributionFacts(logits);
      const auto& wanted = group.at("facts");
      QVERIFY(std::abs(facts.entropy - wanted.at("entropy").get<double>()) < 1e-6);
      QVERIFY(std::abs(facts.logSumExp - wanted.at("log_sum_exp").get<double>()) < 2e-6);
      for (std::size_t i = 0; i < facts.bestIds.size(); ++i) {
        QCOMPARE(facts.bestIds[i], wanted.at("best_ids")[i].get<std::int32_t>());
        QVERIFY(std::abs(facts.bestLogProbs[i] - wanted.at("best_log_probs")[i].get<double>()) < 1e-6);
      }
    }
  }

  void factsOfKnownDistributions() {
    const std::vector<float> uniform(4096, 3.5F);
    const auto even = distributionFacts(uniform);
    QVERIFY(std::abs(even.entropy - std::log(4096.0)) < 1e-5);
    QVERIFY(std::abs(even.logProb(3.5F) + std::log(4096.0)) < 1e-5);
    QCOMPARE(even.bestIds[0], 0);  // ties by lower id
    QCOMPARE(even.bestIds[4], 4);

    std::vector<float> sure(1000, -std::numeric_limits<float>::infinity());
    sure[617] = 12.0F;
    const auto one = distributionFacts(sure);
    QCOMPARE(one.entropy, 0.0F);
    QCOMPARE(one.bestIds[0], 617);
    QCOMPARE(one.bestIds[1], -1);
    QVERIFY(std::isnan(one.bestLogProbs[1]));

    const auto few = distributionFacts(std::vector<float>{0.0F, std::log(3.0F)});
    QVERIFY(std::abs(few.entropy - (std::log(4.0) - 0.75 * std::log(3.0))) < 1e-6);
    QCOMPARE(few.bestIds[2], -1);
  }

  void factsOfBrokenLogitsAreMissing() {
    const auto nothing = distributionFacts({});
    QVERIFY(std::isnan(nothing.entropy));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    QVERIFY(std::isnan(distributionFacts(std::vector<float>{nan, nan}).logSumExp));
    const auto partly = distributionFacts(std::vector<float>{nan, 1.0F, 1.0F});
    QVERIFY(std::abs(partly.entropy - std::log(2.0)) < 1e-6);
  }

  void greedyTakesTheFirstOfTheLargest() {
    Sampler sampler(greedy());
    QCOMPARE(sampler.next(std::vector<float>{0.5F, 2.0F, 2.0F, -1.0F}, {}, 0), 1);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    QCOMPARE(sampler.next(std::vector<float>{nan, -3.0F}, {}, 0), 1);
  }

  void greedyHonoursTheRepetitionPenalty() {
    auto settings = greedy();
    settings.repetitionPenalty = 2.0;
    Sampler sampler(settings);
    QCOMPARE(sampler.next(std::vector<float>{1.0F, 1.8F}, std::vector<std::int32_t>{1, 1}, 0), 0);
    QCOMPARE(sampler.next(std::vector<float>{-1.0F, -1.5F}, std::vector<std::int32_t>{0}, 0), 1);
    QCOMPARE(sampler.next(std::vector<float>{1.0F, 1.8F}, std::vector<std::int32_t>{-1, 99}, 0), 1);
  }

  void drawsFollowTheProbabilities() {
    SamplerSettings settings;
    settings.temperature = 1.0;
    settings.topP = 1.0;
    Sampler sampler(settings);
    const std::vector<float> logits{std::log(0.5F), std::log(0.3F), std::log(0.2F)};
    std::array<int, 3> counts{};
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i) {
      ++counts[static_cast<std::size_t>(sampler.next(logits, {}, static_cast<std::uint64_t>(i)))];
    }
    // Four standard deviations of a binomial share.
    QVERIFY(std::abs(counts[0] / double{kDraws} - 0.5) < 0.015);
    QVERIFY(std::abs(counts[1] / double{kDraws} - 0.3) < 0.013);
    QVERIFY(std::abs(counts[2] / double{kDraws} - 0.2) < 0.012);
  }

  void sameSeedAndStepGiveTheSameToken() {
    std::vector<float> logits(500);
    for (std::size_t i = 0; i < logits.size(); ++i)
      logits[i] = static_cast<float>(std::sin(0.37 * double(i)));
    SamplerSettings settings;
    Sampler first(settings);
    Sampler second(settings);
    settings.seed = 99;
    Sampler other(settings);
    int differences = 0;
    for (std::uint64_t step = 0; step < 100; ++step) {
      const auto token = first.next(logits, {}, step);
      QCOMPARE(second.next(logits, {}, step), token);
      differences += other.next(logits, {}, step) != token ? 1 : 0;
    }
    QVERIFY(differences > 80);
    QCOMPARE(first.next(logits, {}, 17), second.next(logits, {}, 17));  // independent of the draws before
  }

  void valuesOutOfRangeAreRefused_data() {
    QTest::addColumn<double>("temperature");
    QTest::addColumn<int>("topK");
    QTest::addColumn<double>("topP");
    QTest::addColumn<double>("minP");
    QTest::addColumn<double>("penalty");
    QTest::newRow("temperature") << -0.1 << 0 << 1.0 << 0.0 << 1.0;
    QTest::newRow("not a number") << std::nan("") << 0 << 1.0 << 0.0 << 1.0;
    QTest::newRow("top-k") << 1.0 << -1 << 1.0 << 0.0 << 1.0;
    QTest::newRow("top-p") << 1.0 << 0 << 0.0 << 0.0 << 1.0;
    QTest::newRow("min-p") << 1.0 << 0 << 1.0 << 1.5 << 1.0;
    QTest::newRow("penalty") << 1.0 << 0 << 1.0 << 0.0 << 0.0;
  }

  void valuesOutOfRangeAreRefused() {
    QFETCH(double, temperature);
    QFETCH(int, topK);
    QFETCH(double, topP);
    QFETCH(double, minP);
    QFETCH(double, penalty);
    const auto result = validate({temperature, topK, topP, minP, penalty, 1});
    QVERIFY(!result);
    QCOMPARE(result.error().kind, std::string("sampler.bad_value"));
    QVERIFY(validate(SamplerSettings{}));
  }
};

QTEST_APPLESS_MAIN(TestSampler)
#include "tst_sampler.moc"
