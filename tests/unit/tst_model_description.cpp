// What config.json means, against OlmoeConfig of transformers 5.23 on the same JSON.
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/checkpoint/model_description.h"

using namespace moescope;
using namespace moescope::checkpoint;

namespace {

Result<ModelDescription> olmoe(const std::string& keys, std::string_view generation = {}) {
  return describeModel("{\"model_type\":\"olmoe\"" + (keys.empty() ? "" : "," + keys) + "}", "config.json",
                       generation);
}

std::string kindOf(const std::string& config) {
  const auto description = describeModel(config, "config.json");
  return description ? "ok" : description.error().kind;
}

}  // namespace

class TestModelDescription : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void missingKeysMeanTheClassDefaults() {
    const auto description = olmoe("");
    QVERIFY(description.has_value());
    QCOMPARE(description->hiddenSize, 2048);
    QCOMPARE(description->layers, 16);
    QCOMPARE(description->vocabularySize, 50304);
    QCOMPARE(description->maxPositions, 4096);
    QCOMPARE(description->attention.heads, 16);
    QCOMPARE(description->attention.keyValueHeads, 16);
    QCOMPARE(description->attention.headDim, 128);
    QCOMPARE(description->experts.intermediateSize, 2048);
    QCOMPARE(description->routers.size(), std::size_t{16});
    QCOMPARE(description->routers[15].layer.value, 15);
    QCOMPARE(description->routers[0].experts, 64);
    QCOMPARE(description->routers[0].topK, 8);
    QVERIFY(description->routers[0].norm == WeightNorm::None);
    QCOMPARE(description->attention.rope.theta, 10000.0);
    QCOMPARE(description->attention.rope.rotaryDim, 128);
    QCOMPARE(description->normEps, 1e-5);
    QVERIFY(!description->tiedHead);
    QVERIFY(!description->attention.clipQkv.has_value());
    QCOMPARE(description->endTokens, std::vector<std::int32_t>{50279});
    QVERIFY(!description->beginToken.has_value());
  }

  void aliasesAndNames() {
    const auto description = describeModel(
        R"({"architectures":["OlmoeForCausalLM"],"num_local_experts":4,"num_experts_per_tok":2,"hidden_act":"swish"})",
        "config.json");
    QVERIFY2(description.has_value(), description ? "" : description.error().text().c_str());
    QCOMPARE(description->family, std::string("olmoe"));
    QCOMPARE(description->architecture, std::string("OlmoeForCausalLM"));
    QCOMPARE(description->routers[0].experts, 4);
  }

  // A family that is not in the table is refused with what is known about it.
  void anUnknownFamilyNamesTheNearest() {
    const auto description = describeModel(
        R"({"model_type":"future_moe","hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":100,
            "num_experts":8,"num_experts_per_tok":2,"moe_intermediate_size":16,"decoder_sparse_step":1,
            "mlp_only_layers":[],"norm_topk_prob":true,"qkv_bias":true,"shared_expert_intermediate_size":32,
            "router_warp":3,"initializer_range":0.02})",
        "config.json");
    QVERIFY(!description.has_value());
    QCOMPARE(description.error().kind, std::string("config.unknown_model_type"));
    const QString message = QString::fromStdString(description.error().message);
    QVERIFY2(message.contains("nearest supported family is qwen2_moe, which does not know router_warp"),
             qPrintable(message));
    QVERIFY2(message.contains("num_experts 8"), qPrintable(message));
    QVERIFY(!message.contains("initializer_range"));
  }

  void beginAndEndTokens() {
    QCOMPARE(olmoe(R"("eos_token_id":null)")->endTokens, std::vector<std::int32_t>{});
    QCOMPARE(olmoe(R"("eos_token_id":3)")->endTokens, std::vector<std::int32_t>{3});
    QCOMPARE(olmoe(R"("eos_token_id":[3,4])")->endTokens, (std::vector<std::int32_t>{3, 4}));
    QCOMPARE(olmoe(R"("eos_token_id":[3,4])", R"({"eos_token_id":7})")->endTokens,
             std::vector<std::int32_t>{7});
    QCOMPARE(olmoe(R"("bos_token_id":5)")->beginToken, std::optional<std::int32_t>(5));
    QCOMPARE(olmoe(R"("bos_token_id":null)", R"({"bos_token_id":0})")->beginToken,
             std::optional<std::int32_t>(0));
    const auto outside = olmoe(R"("vocab_size":8,"bos_token_id":8)");
    QVERIFY(!outside->beginToken.has_value());
    QCOMPARE(outside->warnings.size(), std::size_t{1});
  }

  void aBrokenGenerationConfigOnlyWarns() {
    for (const char* text : {"[]", "nothing", R"({"eos_token_id":"x"})"}) {
      const auto description = olmoe(R"("eos_token_id":3)", text);
      QVERIFY(description.has_value());
      QCOMPARE(description->endTokens, std::vector<std::int32_t>{3});
      QCOMPARE(description->warnings.size(), std::size_t{1});
    }
  }

  // Expected: OlmoeConfig(**json).rope_parameters of transformers 5.23.
  void oldAndNewRopeKeys_data() {
    QTest::addColumn<QString>("keys");
    QTest::addColumn<double>("theta");
    QTest::addColumn<double>("factor");  // 1: no scaling
    QTest::newRow("old") << R"("rope_theta":33.0,"rope_scaling":null)" << 33.0 << 1.0;
    QTest::newRow("old linear") << R"("rope_theta":77.0,"rope_scaling":{"type":"linear","factor":2.0})"
                                << 77.0 << 2.0;
    QTest::newRow("new") << R"("rope_parameters":{"rope_type":"default","rope_theta":44.0})" << 44.0 << 1.0;
    QTest::newRow("new over top level")
        << R"("rope_parameters":{"rope_type":"default","rope_theta":44.0},"rope_theta":33.0)" << 44.0 << 1.0;
    QTest::newRow("new without theta")
        << R"("rope_parameters":{"rope_type":"default"},"rope_theta":33.0)" << 33.0 << 1.0;
    QTest::newRow("scaling wins over parameters")
        << R"("rope_scaling":{"type":"linear","factor":2.0},"rope_parameters":{"rope_type":"default","rope_theta":5000.0})"
        << 10000.0 << 2.0;
    QTest::newRow("empty scaling says nothing")
        << R"("rope_scaling":{},"rope_parameters":{"rope_type":"linear","factor":3.0,"rope_theta":44.0},"rope_theta":33.0)"
        << 44.0 << 3.0;
  }

  void oldAndNewRopeKeys() {
    QFETCH(QString, keys);
    QFETCH(double, theta);
    QFETCH(double, factor);
    const auto description = olmoe(keys.toStdString());
    QVERIFY2(description.has_value(), description ? "" : description.error().text().c_str());
    QCOMPARE(description->attention.rope.theta, theta);
    QCOMPARE(description->attention.rope.factor, factor);
    QCOMPARE(description->attention.rope.scaling == RopeScaling::Linear, factor != 1.0);
  }

  void partOfAHeadRotates() {
    QCOMPARE(olmoe(R"("partial_rotary_factor":0.5)")->attention.rope.rotaryDim, 64);
    QCOMPARE(olmoe(R"("rope_parameters":{"rope_type":"default","partial_rotary_factor":0.25})")
                 ->attention.rope.rotaryDim,
             32);
    QCOMPARE(olmoe(R"("rotary_dim":96)")->attention.rope.rotaryDim, 96);
  }

  void refusesWhatItWouldComputeWrongly_data() {
    QTest::addColumn<QString>("keys");
    QTest::addColumn<QString>("kind");
    const auto row = [](const char* keys, const char* kind) { QTest::newRow(keys) << keys << kind; };
    row(R"("hidden_act":"gelu")", "config.bad_value");
    row(R"("rope_scaling":{"type":"spiral","factor":4})", "config.bad_value");
    row(R"("rope_scaling":{"type":"linear"})", "config.bad_value");
    row(R"("rope_scaling":{"type":"linear","factor":"4"})", "config.wrong_type");
    row(R"("rope_scaling":[4])", "config.wrong_type");
    row(R"("hidden_size":"64")", "config.wrong_type");
    row(R"("hidden_size":64.0)", "config.wrong_type");
    row(R"("hidden_size":18446744073709551615)", "config.bad_value");
    row(R"("num_key_value_heads":3)", "config.bad_value");
    row(R"("num_attention_heads":15)", "config.bad_value");
    row(R"("num_experts":4)", "config.bad_value");  // the default top-k is 8
    row(R"("num_experts":4,"num_experts_per_tok":0)", "config.bad_value");
    row(R"("num_hidden_layers":4096,"num_experts":32768)", "config.bad_value");
    row(R"("rms_norm_eps":-1)", "config.bad_value");
    row(R"("tie_word_embeddings":1)", "config.wrong_type");
    row(R"("eos_token_id":-1)", "config.bad_value");
    row(R"("quantization_config":{"quant_method":"gptq"})", "config.unsupported_quantisation");
    row(R"("model_type":"olmoe")", "config.not_json");  // the key stands twice
  }

  void refusesWhatItWouldComputeWrongly() {
    QFETCH(QString, keys);
    QFETCH(QString, kind);
    const auto description = olmoe(keys.toStdString());
    QCOMPARE(description ? "ok" : QString::fromStdString(description.error().kind), kind);
  }

  void anUnknownFamilySaysWhatIsKnownAndWhatWasSeen() {
    const auto description =
        describeModel(R"({"model_type":"futuremoe","num_experts":96,"hidden_size":8})", "config.json");
    QVERIFY(!description.has_value());
    QCOMPARE(description.error().kind, std::string("config.unknown_model_type"));
    const std::string text = description.error().text();
    for (const char* part : {"futuremoe", "num_experts 96", "supported: olmoe"}) {
      QVERIFY2(text.find(part) != std::string::npos, text.c_str());
    }
    QCOMPARE(kindOf(R"({"hidden_size":64})"), std::string("config.unknown_model_type"));
    QCOMPARE(kindOf(R"({"model_type":"x","architectures":["OlmoeForCausalLM"]})"),
             std::string("config.unknown_model_type"));
  }

  // Its configuration class is that of a dense family: the architecture decides, and nothing is guessed.
  void openMoeIsKnownByItsArchitecture() {
    const std::string sizes =
        R"("hidden_size":32,"head_dim":12,"num_attention_heads":4,"num_hidden_layers":6,"intermediate_size":20,)"
        R"("num_experts":8,"moe_layer_interval":3,"hidden_act":"swiglu","vocab_size":64})";
    const std::string open = R"({"architectures":["OpenMoeForCausalLM"],)";
    for (const std::string& text : {open + R"("model_type":"llama",)" + sizes, open + sizes}) {
      const auto description = describeModel(text, "config.json");
      QVERIFY2(description.has_value(), description ? "" : description.error().text().c_str());
      QCOMPARE(description->family, std::string("openmoe"));
      QCOMPARE(description->attention.scale, 1.0);
      QCOMPARE(description->routers.size(), std::size_t{2});
      QCOMPARE(description->routers[0].layer.value, 2);
      QCOMPARE(description->routers[0].topK, 2);
      QCOMPARE(description->capacity->minimum, 4);
      // The authors' example: 512 tokens and 32 experts give 64, few tokens the minimum, odd ones one more.
      RouterSpec router = description->routers[0];
      router.experts = 32;
      QCOMPARE(description->capacity->choices(512, router), std::int64_t{64});
      QCOMPARE(description->capacity->choices(32, router), std::int64_t{4});
      QCOMPARE(description->capacity->choices(40, router), std::int64_t{6});
    }
    QCOMPARE(kindOf(R"({"architectures":["LlamaForCausalLM"],"model_type":"llama",)" + sizes),
             std::string("config.unknown_model_type"));
    QCOMPARE(kindOf(R"({"model_type":"llama",)" + sizes), std::string("config.unknown_model_type"));
  }

  void openMoeReadsBothSpellingsOfItsKeys() {
    const std::string text =
        R"({"architectures":["OpenMoeForCausalLM"],"model_type":"llama","hidden_size":32,"head_dim":12,)"
        R"("num_attention_heads":4,"num_hidden_layers":6,"intermediate_size":20,"num_experts":8,)"
        R"("moe_layer_interval":3,"hidden_act":"swiglu","vocab_size":64,)";
    const auto old = describeModel(text + R"("topk":2,"capacity_factor_eval":1.5,"min_capacity":6})", "c");
    QCOMPARE(old->capacity->factor, 1.5);
    QCOMPARE(old->capacity->minimum, 6);
    const auto now = describeModel(
        text + R"("router_topk":2,"router_capacity_factor_eval":1.5,"router_min_capacity":6})", "c");
    QCOMPARE(now->capacity->factor, 1.5);
    QCOMPARE(now->capacity->minimum, 6);
    QVERIFY(!describeModel(text + R"("drop_tks":false})", "c")->capacity);
    QVERIFY(!describeModel(text + R"("router_drop_tks":false})", "c")->capacity);
    const auto turned = describeModel(text + R"("rope_theta":5e5})", "c");
    QCOMPARE(turned->attention.rope.theta, 1e4);
    QCOMPARE(turned->warnings.size(), std::size_t{1});
    for (const char* bad : {R"("router_topk":1})", R"("mlp_gated":false})", R"("router_min_capacity":0})"})
      QCOMPARE(kindOf(text + bad), std::string("config.bad_value"));
  }

  void errorsStayShortAndCarryNoControlCharacters() {
    const std::string digits(100000, '1');
    const std::string word(100000, 'w');
    const std::vector<nlohmann::json> configs{
        {{"model_type", "olmoe"}, {"hidden_size", std::vector<int>(100000, 1)}},
        {{"model_type", "olmoe"}, {"hidden_size", word}},
        {{"model_type", word}, {"num_experts", std::vector<int>(100000, 1)}, {word, 1}, {"moe" + word, word}},
        {{"model_type",
          "a\x1b[2J\nb\xC2\x9B"
          "c"}},
    };
    for (const std::string& config : {configs[0].dump(), configs[1].dump(), configs[2].dump(),
                                      configs[3].dump(), "{\"model_type\":" + digits, digits}) {
      const auto description = describeModel(config, "config.json");
      QVERIFY(!description.has_value());
      const std::string text = description.error().text();
      QVERIFY2(text.size() < 1000, text.c_str());
      for (const char c : text) QVERIFY(static_cast<unsigned char>(c) >= 0x20);
      QVERIFY(text.find("\xC2\x9B") == std::string::npos);
    }
  }
};

QTEST_APPLESS_MAIN(TestModelDescription)
#include "tst_model_description.moc"
