// Families from adapters as a checkpoint sees them: found by model_type, described, tensors checked by the
// rules of all families, and adapters that are wrong or throw. Their forward passes: tst_golden_adapters.
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <tuple>

#include <nlohmann/json.hpp>

#include "core/checkpoint/architecture_text.h"
#include "core/checkpoint/checkpoint.h"
#include "core/engine/api/forward_kit.h"
#include "core/plugin/plugin_host.h"
#include "tests/support/family_adapters.h"
#include "tests/support/safetensors_file.h"

using namespace moescope;
using namespace moescope::checkpoint;
namespace fs = std::filesystem;

namespace {

fs::path fixture(const char* name) { return fs::path(MOESCOPE_TEST_DATA "/checkpoints") / name; }

/// A fixture, to be changed and opened.
struct Copy {
  explicit Copy(const char* name)
      : config(nlohmann::json::parse(tests::readFile(fixture(name) / "config.json"))),
        tensors(tests::copyOf((*Checkpoint::open(fixture(name)))->tensors())) {}

  Result<std::shared_ptr<const Checkpoint>> open() {
    const fs::path path = folder.path().toStdString();
    tests::writeFile(path / "config.json", config.dump());
    tests::writeFile(path / "model.safetensors", tests::safetensorsOf(tensors));
    return Checkpoint::open(path);
  }
  QString kind() {
    const auto opened = open();
    return opened ? QString() : QString::fromStdString(opened.error().kind);
  }

  QTemporaryDir folder;
  nlohmann::json config;
  tests::StoredTensors tensors;
};

/// A family "odd" with one layer and one router, wrong in the way that is asked for.
class OddAdapter : public ModelAdapter {
 public:
  enum class Way { Right, NoLayer, OtherRouter, NoSuchRouter, TensorTwice, ThrowsAtDescribe, ThrowsAtNeeds };
  explicit OddAdapter(Way way) : m_way(way) {}

  [[nodiscard]] const AdapterInfo& info() const override { return m_info; }
  void describe(ConfigReader& config, ModelDescription& d) const override {
    if (m_way == Way::ThrowsAtDescribe) throw std::runtime_error("no description");
    d.hiddenSize = static_cast<int>(config.whole({"hidden_size"}, 2, 1, 8));
    d.vocabularySize = d.maxPositions = 3;
    d.layers = 1;
    if (m_way == Way::NoLayer) return;
    d.layerSpecs.resize(1);
    d.layerSpecs[0].router = m_way == Way::NoSuchRouter ? 7 : 0;
    RouterSpec router;
    router.kind = m_way == Way::OtherRouter ? "attention" : "ffn";
    router.experts = 2;
    router.topK = 1;
    d.routers = {router};
  }
  [[nodiscard]] Result<AdapterNeeds> needs(const ModelDescription& d) const override {
    if (m_way == Way::ThrowsAtNeeds) throw 3;
    AdapterNeeds needs;
    needs.names.embedding = "embedding";
    needs.names.head = "head";
    needs.names.layerPrefix = "layer.{l}.";
    needs.own = {{"own", {2, d.hiddenSize}}, {"scale", {d.hiddenSize}, true}};
    if (m_way == Way::TensorTwice) needs.own.push_back(needs.own.front());
    needs.ignored = {"spare.*", "other"};
    return needs;
  }
  [[nodiscard]] Result<std::unique_ptr<engine::ModelForward>> makeForward(
      engine::ForwardKit&) const override {
    return fail("test.none", "", "", "never run here");
  }

 private:
  Way m_way;
  AdapterInfo m_info{"odd", "Odd", {{"odd", "OddForCausalLM"}}};
};

OddAdapter::Way g_way = OddAdapter::Way::Right;
void registerOdd(plugin::PluginRegistry& registry) { registry.add(std::make_unique<OddAdapter>(g_way)); }

class Stealing : public OddAdapter {
 public:
  Stealing() : OddAdapter(Way::Right) {}
  [[nodiscard]] const AdapterInfo& info() const override { return m_mixtral; }

 private:
  AdapterInfo m_mixtral{"steal", "Steal", {{"mixtral", "MixtralForCausalLM"}}};
};
void registerStealing(plugin::PluginRegistry& registry) { registry.add(std::make_unique<Stealing>()); }

std::string metadata(const std::string& id, const std::string& interface = "adapter") {
  return R"({"id":")" + id + R"(","name":"N","version":"1","api":1,"interfaces":[")" + interface +
         R"("],"description":"D"})";
}

/// The host with the odd adapter as the only source, and a checkpoint of its family.
struct OddModel {
  explicit OddModel(OddAdapter::Way way) {
    g_way = way;
    const std::string text = metadata("odd");
    const plugin::BuiltInPlugin list[] = {{text, registerOdd}};
    host.load(list);
    setAdapterSource([this] { return host.adapters(); });
    const auto floats = [](std::int64_t count) {
      return std::string(static_cast<std::size_t>(count) * sizeof(float), '\0');
    };
    tensors["embedding"] = {"F32", {3, 2}, floats(6)};
    tensors["head"] = {"F32", {3, 2}, floats(6)};
    tensors["own"] = {"F32", {2, 2}, floats(4)};
    tensors["scale"] = {"F32", {2}, floats(2)};
    tensors["spare.one"] = {"F32", {1}, floats(1)};
    tensors["other"] = {"F32", {1}, floats(1)};
  }
  ~OddModel() { tests::useFamilyAdapters(); }
  Result<std::shared_ptr<const Checkpoint>> open() {
    const fs::path path = folder.path().toStdString();
    tests::writeFile(path / "config.json", R"({"model_type":"odd","num_experts":2})");
    tests::writeFile(path / "model.safetensors", tests::safetensorsOf(tensors));
    return Checkpoint::open(path);
  }

  plugin::PluginHost host;
  QTemporaryDir folder;
  tests::StoredTensors tensors;
};

}  // namespace

class TestModelAdapter : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { tests::useFamilyAdapters(); }

  void jetmoeHasTwoRoutersALayer() {
    const auto opened = Checkpoint::open(fixture("jetmoe"));
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    const auto& d = (*opened)->description();
    QCOMPARE(d.routers.size(), std::size_t{6});
    for (int i = 0; i < 6; ++i) {
      const RouterSpec& router = d.routers[static_cast<std::size_t>(i)];
      QCOMPARE(router.layer.value, i / 2);
      QCOMPARE(router.kind, std::string(i % 2 == 0 ? "ffn" : "attention"));
      QCOMPARE(router.experts, 6);
      QCOMPARE(router.topK, 2);
      QVERIFY(router.score == ScoreKind::TopkSoftmax);
    }
    QCOMPARE(d.layerSpecs[1].router, 2);
    QCOMPARE(d.layerSpecs[1].attentionRouter, 3);
    // By hand: embedding 128*32 (tied), norm 32; a layer: 2 norms and 2 biases of 32, keys and values 32*32,
    // 2 routers 6*32, and a 6th of the experts 2*16*32 of attention and 3*12*32 of the MLP.
    const std::int64_t base = 128 * 32 + 32 + 3 * (4 * 32 + 32 * 32 + 2 * 6 * 32);
    const std::int64_t expert = 2 * 16 * 32 + 3 * 12 * 32;
    QCOMPARE(d.parametersTotal, base + 3 * 6 * expert);
    QCOMPARE(d.parametersActive, base + 3 * 2 * expert);
    QVERIFY(d.warnings.empty());
    QVERIFY(
        QString::fromStdString(describeInWords(d).attention).contains("heads routed, top 2 of 6 experts"));
  }

  void recurrentLayersAreNamed() {
    const auto next = *Checkpoint::open(fixture("qwen3_next"));
    QVERIFY(QString::fromStdString(describeInWords(next->description()).attention)
                .contains("Gated DeltaNet in 3 layers"));
    QCOMPARE(next->description().attention.rope.rotaryDim, 6);
    QVERIFY(next->description().warnings.empty());
    const auto minimax = *Checkpoint::open(fixture("minimax"));
    QVERIFY(QString::fromStdString(describeInWords(minimax->description()).attention)
                .contains("lightning attention in 2 layers"));
    // The decays that save_pretrained writes are known.
    QVERIFY(minimax->description().warnings.empty());
  }

  void theArchitectureStandsInForTheModelType() {
    Copy copy("jetmoe");
    copy.config.erase("model_type");
    const auto opened = copy.open();
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    QCOMPARE((*opened)->description().family, std::string("jetmoe"));
  }

  void oldKeysAndClassDefaults() {
    Copy copy("jetmoe");
    copy.config["moe_num_experts"] = copy.config["num_local_experts"];
    copy.config["moe_top_k"] = copy.config["num_experts_per_tok"];
    copy.config["ffn_hidden_size"] = copy.config["intermediate_size"];
    for (const char* key : {"num_local_experts", "num_experts_per_tok", "intermediate_size",
                            "num_attention_heads", "tie_word_embeddings", "rope_parameters", "rms_norm_eps"})
      copy.config.erase(key);
    const auto opened = copy.open();
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    const auto& d = (*opened)->description();
    QCOMPARE(d.attention.heads, 4);
    QCOMPARE(d.attention.scale, 1.0 / std::sqrt(8.0));
    QVERIFY(d.tiedHead);
    Copy next("qwen3_next");
    next.config.erase("layer_types");
    next.config["full_attention_interval"] = 4;
    QVERIFY(next.open().has_value());
    Copy minimax("minimax");
    minimax.config.erase("layer_types");
    minimax.config["attn_type_list"] = {1, 0, 1, 0};
    QVERIFY(minimax.open().has_value());
  }

  void badConfigurations() {
    for (const auto& [name, key, value] :
         {std::tuple<const char*, const char*, nlohmann::json>{"jetmoe", "activation_function", "gelu"},
          {"jetmoe", "kv_channels", 0},
          {"jetmoe", "num_experts_per_tok", 7},
          {"jetmoe", "hidden_size", -1},
          {"qwen3_next", "linear_num_key_heads", 3},
          {"qwen3_next", "layer_types", {"linear_attention"}},
          {"qwen3_next", "layer_types", {"linear_attention", "x", "x", "full_attention"}},
          {"minimax", "layer_types", {1, 2, 3, 4}}}) {
      Copy copy(name);
      copy.config[key] = value;
      QVERIFY2(copy.kind().startsWith("config."), key);
    }
  }

  void tensorsAreCheckedAsForAllFamilies() {
    Copy copy("jetmoe");
    copy.tensors.erase("model.layers.1.self_attention.kv_proj.weight");
    copy.tensors.erase("model.layers.2.mlp.bias");
    auto& shape = copy.tensors.at("model.layers.0.self_attention.experts.input_linear.weight").shape;
    std::swap(shape[1], shape[2]);
    const auto opened = copy.open();
    QVERIFY(!opened);
    const QString text = QString::fromStdString(opened.error().text());
    QVERIFY(text.contains("model.layers.1.self_attention.kv_proj.weight is missing"));
    QVERIFY(text.contains("model.layers.2.mlp.bias is missing"));
    QVERIFY(text.contains("has the shape [6,32,16] instead of [6,16,32]"));
    Copy spare("qwen3_next");
    spare.tensors["mtp.layers.0.x"] = spare.tensors.at("model.norm.weight");
    spare.tensors["strange"] = spare.tensors.at("model.norm.weight");
    const auto known = spare.open();
    QVERIFY(known.has_value());
    QCOMPARE((*known)->description().warnings, std::vector<std::string>{"1 tensors are not used: strange"});
  }

  // transformers 5 holds these under mlp. in memory; some files are written that way.
  void expertsUnderTheirNamesInMemory() {
    for (const char* name : {"mixtral_v4cfg", "minimax", "phimoe_long"}) {
      Copy copy(name);
      tests::StoredTensors moved;
      for (const auto& [key, tensor] : copy.tensors) {
        std::string to = key;
        if (const auto at = to.find("block_sparse_moe."); at != std::string::npos) to.replace(at, 17, "mlp.");
        if (const auto at = to.find("mlp.gate.");
            at != std::string::npos && std::string(name) == "phimoe_long")
          to.replace(at, 9, "mlp.router.");
        moved[to] = tensor;
      }
      QVERIFY(!moved.contains("model.layers.0.block_sparse_moe.gate.weight"));
      copy.tensors = moved;
      const auto opened = copy.open();
      QVERIFY2(opened.has_value(), opened ? name : opened.error().text().c_str());
      const auto original = *Checkpoint::open(fixture(name));
      QCOMPARE((*opened)->description().parametersTotal, original->description().parametersTotal);
      QCOMPARE((*opened)->description().warnings, original->description().warnings);
    }
  }

  void adaptersThatAreWrongAreErrors_data() {
    using Way = OddAdapter::Way;
    QTest::addColumn<int>("way");
    QTest::addColumn<QString>("kind");
    QTest::newRow("right") << static_cast<int>(Way::Right) << QString();
    for (const auto& [name, way] : {std::pair{"no layer", Way::NoLayer},
                                    {"another kind of router", Way::OtherRouter},
                                    {"no such router", Way::NoSuchRouter},
                                    {"a tensor twice", Way::TensorTwice}})
      QTest::newRow(name) << static_cast<int>(way) << QStringLiteral("adapter.bad_description");
    QTest::newRow("throws at describe")
        << static_cast<int>(Way::ThrowsAtDescribe) << QStringLiteral("adapter.plugin_failed");
    QTest::newRow("throws at needs") << static_cast<int>(Way::ThrowsAtNeeds)
                                     << QStringLiteral("adapter.plugin_failed");
  }
  void adaptersThatAreWrongAreErrors() {
    QFETCH(int, way);
    QFETCH(QString, kind);
    OddModel model(static_cast<OddAdapter::Way>(way));
    QCOMPARE(model.host.failures().size(), std::size_t{0});
    const auto opened = model.open();
    QCOMPARE(opened ? QString() : QString::fromStdString(opened.error().kind), kind);
    if (opened) QVERIFY((*opened)->description().warnings.empty());
    // What threw is off and listed, and asking again is the same error.
    const bool threw = kind == "adapter.plugin_failed";
    QCOMPARE(model.host.failures().size(), std::size_t{threw});
    if (threw) QCOMPARE(QString::fromStdString(model.open().error().kind), kind);
  }

  void aFamilyIsGivenOnce() {
    const std::string first = metadata("first"), second = metadata("second"), third = metadata("third");
    const std::string undeclared = metadata("undeclared", "analysis");
    g_way = OddAdapter::Way::Right;
    const plugin::BuiltInPlugin list[] = {
        {first, registerOdd}, {second, registerOdd}, {third, registerStealing}, {undeclared, registerOdd}};
    plugin::PluginHost host;
    host.load(list);
    QCOMPARE(host.adapters().size(), std::size_t{1});
    QStringList kinds;
    for (const auto& failure : host.failures()) kinds << QString::fromStdString(failure.reason.kind);
    QCOMPARE(kinds.join(' '), QStringLiteral("plugin.same_id plugin.same_id plugin.undeclared"));
  }

  void withoutASourceTheFamilyIsUnknown() {
    setAdapterSource({});
    QCOMPARE(QString::fromStdString(Checkpoint::open(fixture("jetmoe")).error().kind),
             QStringLiteral("config.unknown_model_type"));
    tests::useFamilyAdapters();
    const auto refused = describeModel(R"({"model_type":"nothing"})", "f");
    QVERIFY(QString::fromStdString(refused.error().text()).contains("jetmoe"));
  }
};

QTEST_APPLESS_MAIN(TestModelAdapter)
#include "tst_model_adapter.moc"
