// switch_transformers and nllb_moe as their configurations read: class defaults, which layers have experts,
// capacities, decoder starts, what is refused; T5's buckets; what layers are called. Defaults are those of
// transformers' configuration classes, buckets those that its T5Attention computes.
#include <QTest>

#include <cmath>

#include "core/base/router_label.h"
#include "core/checkpoint/architecture_text.h"
#include "core/checkpoint/model_description.h"
#include "plugins/switch_transformers/switch_forward.h"
#include "tests/support/family_adapters.h"

using namespace moescope;
using namespace moescope::checkpoint;

namespace {

Result<ModelDescription> describe(const std::string& family, const std::string& keys = {},
                                  const std::string& generation = {}) {
  return describeModel("{\"model_type\":\"" + family + "\"" + (keys.empty() ? "" : "," + keys) + "}",
                       "config.json", generation);
}

ModelDescription described(const std::string& family, const std::string& keys = {},
                           const std::string& generation = {}) {
  auto description = describe(family, keys, generation);
  if (!description) qFatal("%s", description.error().text().c_str());
  return *std::move(description);
}

std::vector<int> routedLayers(const ModelDescription& description) {
  std::vector<int> layers;
  for (const RouterSpec& router : description.routers) layers.push_back(router.layer.value);
  return layers;
}

}  // namespace

class TestEncoderDecoderFamilies : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { tests::useFamilyAdapters(); }

  void defaultsOfSwitch() {
    const auto d = described("switch_transformers");
    QCOMPARE(d.hiddenSize, 768);
    QCOMPARE(d.vocabularySize, 32128);
    QCOMPARE(d.layers, 24);
    QCOMPARE(d.encoder->layers, 12);
    QCOMPARE(d.encoder->decoderStart, 0);
    QCOMPARE(d.attention.heads, 12);
    QCOMPARE(d.attention.headDim, 64);
    QCOMPARE(d.attention.scale, 1.0);
    QCOMPARE(d.experts.intermediateSize, 2048);
    QCOMPARE(d.logitDivisor, std::sqrt(768.0));
    QCOMPARE(d.endTokens, std::vector<std::int32_t>{1});
    // Three of twelve: every fourth, the second of them first.
    QCOMPARE(routedLayers(d), (std::vector<int>{1, 5, 9, 13, 17, 21}));
    QCOMPARE(d.routers[0].experts, 8);
    QCOMPARE(d.routers[0].topK, 1);
    QVERIFY(d.capacity->rule == CapacityRule::Fixed && d.capacity->minimum == 64);
    QCOMPARE(d.capacity->choices(100000, d.routers[0]), std::int64_t{64});
    QCOMPARE(described("switch_transformers", R"("tie_word_embeddings":false)").logitDivisor, 1.0);
  }

  void layersOfSwitch() {
    const auto layers = [](const char* keys) { return routedLayers(described("switch_transformers", keys)); };
    QCOMPARE(
        layers(
            R"("num_layers":4,"num_sparse_encoder_layers":4,"num_decoder_layers":2,"num_sparse_decoder_layers":1)"),
        (std::vector<int>{0, 1, 2, 3, 5}));
    // As transformers' "0 sparse layers" comes out.
    QCOMPARE(
        layers(
            R"("num_layers":4,"num_sparse_encoder_layers":0,"num_decoder_layers":null,"num_sparse_decoder_layers":2)"),
        (std::vector<int>{1, 5, 7}));
  }

  void defaultsOfNllb() {
    const auto d = described("nllb-moe");
    QCOMPARE(d.hiddenSize, 1024);
    QCOMPARE(d.vocabularySize, 128112);
    QCOMPARE(d.encoder->layers, 12);
    QCOMPARE(d.layers, 24);
    QCOMPARE(d.encoder->decoderStart, 2);
    QVERIFY(!d.encoder->forcedBegin);
    QCOMPARE(d.attention.headDim, 64);
    QCOMPARE(d.attention.scale, 0.125);
    QCOMPARE(d.embeddingMultiplier, 32.0);
    QCOMPARE(d.endTokens, std::vector<std::int32_t>{2});
    QCOMPARE(routedLayers(d), (std::vector<int>{3, 7, 11, 15, 19, 23}));
    QCOMPARE(d.routers[0].experts, 128);
    QCOMPARE(d.routers[0].topK, 2);
    QCOMPARE(d.routers[0].norm, WeightNorm::ClampedSum);
    QCOMPARE(d.routers[0].scale, 0.8);
    QVERIFY(!d.capacity);
    QCOMPARE(routedLayers(described("nllb_moe", R"("decoder_sparse_step":0)")), (std::vector<int>{3, 7, 11}));
  }

  void capacityOfNllb() {
    const auto part = described("nllb-moe", R"("moe_eval_capacity_token_fraction":0.3)");
    QVERIFY(part.capacity->renormalises);
    QCOMPARE(part.capacity->choices(11, part.routers[0]), std::int64_t{4});
    QCOMPARE(part.capacity->choices(1, part.routers[0]), std::int64_t{1});
    const auto fixed = described(
        "nllb-moe",
        R"("moe_eval_capacity_token_fraction":-1.0,"expert_capacity":7,"normalize_router_prob_before_dropping":true)");
    QVERIFY(!fixed.capacity->renormalises);
    QCOMPARE(fixed.capacity->choices(1000, fixed.routers[0]), std::int64_t{7});
  }

  // generation_config.json has the last word; a source does not begin with bos_token_id.
  void decoderStarts() {
    const auto d = described(
        "nllb-moe", R"("decoder_start_token_id":5,"bos_token_id":0)",
        R"({"decoder_start_token_id":6,"forced_bos_token_id":7,"bos_token_id":0,"eos_token_id":8})");
    QCOMPARE(d.encoder->decoderStart, 6);
    QCOMPARE(*d.encoder->forcedBegin, 7);
    QVERIFY(!d.beginToken);
    QCOMPARE(d.endTokens, std::vector<std::int32_t>{8});
    const auto refused = describe("switch_transformers", R"("vocab_size":10,"decoder_start_token_id":10)");
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("config.bad_value"));
  }

  void refused_data() {
    QTest::addColumn<QString>("family");
    QTest::addColumn<QString>("keys");
    QTest::addColumn<QString>("where");
    const auto row = [](const char* family, const char* keys, const char* where) {
      QTest::addRow("%s", keys) << QString(family) << QString(keys) << QString(where);
    };
    row("switch_transformers", R"("dense_act_fn":"gelu")", "dense_act_fn");
    row("switch_transformers", R"("relative_attention_max_distance":16)", "relative_attention_max_distance");
    row("switch_transformers", R"("expert_capacity":0)", "expert_capacity");
    row("nllb-moe", R"("second_expert_policy":"sampling")", "second_expert_policy");
    row("nllb-moe", R"("batch_prioritized_routing":true,"moe_eval_capacity_token_fraction":0.5)",
        "batch_prioritized_routing");
    row("nllb-moe", R"("decoder_ffn_dim":8)", "decoder_ffn_dim");
    row("nllb-moe", R"("encoder_attention_heads":15,"decoder_attention_heads":15)",
        "encoder_attention_heads");
    row("nllb-moe", R"("num_experts":1)", "num_experts");
  }
  void refused() {
    QFETCH(QString, family);
    QFETCH(QString, keys);
    QFETCH(QString, where);
    const auto refused = describe(family.toStdString(), keys.toStdString());
    QVERIFY(!refused);
    QVERIFY2(QString::fromStdString(refused.error().text()).contains(where), refused.error().text().c_str());
  }
  // Where nothing is dropped, who comes first does not matter.
  void prioritiesWithoutACapacity() { QVERIFY(describe("nllb-moe", R"("batch_prioritized_routing":true)")); }

  void inWords() {
    const auto words =
        describeInWords(described("switch_transformers", R"("num_layers":4,"num_sparse_encoder_layers":2)"));
    QCOMPARE(words.layers, std::string("encoder 4, experts in 1, 3; decoder 12, experts in 1, 5, 9"));
    QVERIFY(words.router.find("capacity 64 tokens") != std::string::npos);
    QVERIFY(words.attention.find("relative position biases") != std::string::npos);
    QVERIFY(words.attention.find("RoPE") == std::string::npos);
  }

  void bucketsOfT5() {
    const std::vector<int> distances{-200, -128, -127, -100, -64, -63, -40, -32, -20, -16,
                                     -15,  -9,   -8,   -7,   -1,  0,   1,   7,   8,   9,
                                     15,   16,   31,   32,   64,  90,  127, 128, 300};
    const std::vector<int> encoder{15, 15, 15, 15, 14, 13, 12, 12, 10, 10, 9,  8,  8,  7, 1,
                                   0,  17, 23, 24, 24, 25, 26, 27, 28, 30, 30, 31, 31, 31};
    const std::vector<int> decoder{31, 31, 31, 30, 26, 26, 23, 21, 17, 16, 15, 9, 8, 7, 1,
                                   0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 0, 0};
    const std::vector<int> few{7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 5, 5, 1,
                               0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    for (std::size_t i = 0; i < distances.size(); ++i) {
      QCOMPARE(switch_transformers::positionBucket(distances[i], true, 32, 128), encoder[i]);
      QCOMPARE(switch_transformers::positionBucket(distances[i], false, 32, 128), decoder[i]);
      QCOMPARE(switch_transformers::positionBucket(distances[i], false, 8, 20), few[i]);
    }
  }

  void namesOfLayers() {
    RouterSpec router;
    router.layer = {5};
    QCOMPARE(routerLabel(router), std::string("5"));
    QCOMPARE(shortRouterLabel(router), std::string("L5"));
    QCOMPARE(layerName(router.layer, std::span(&router, 1)), std::string("layer 5"));
    router.encoderLayers = 4;
    QCOMPARE(routerLabel(router), std::string("decoder 1"));
    QCOMPARE(shortRouterLabel(router), std::string("dec 1"));
    QCOMPARE(layerName(router.layer, std::span(&router, 1)), std::string("decoder layer 1"));
    router.layer = {3};
    router.kind = "attention";
    QCOMPARE(routerLabel(router), std::string("encoder 3 attention"));
    QCOMPARE(shortRouterLabel(router), std::string("enc 3 attn"));
  }
};

QTEST_APPLESS_MAIN(TestEncoderDecoderFamilies)
#include "tst_encoder_decoder_families.moc"
