// What an opened checkpoint says about itself, against values read by other means.
#include <QTemporaryDir>
#include <QTest>

#include <cstring>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/base/half.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/hf_cache.h"

using namespace moescope;
using namespace moescope::checkpoint;
namespace fs = std::filesystem;

namespace {

fs::path fixture(const char* name) { return fs::path(MOESCOPE_TEST_DATA) / "checkpoints" / name; }

float element(const TensorView& tensor, std::size_t index) {
  if (tensor.dtype == DType::F32) {
    float value = 0;
    std::memcpy(&value, tensor.bytes.data() + 4 * index, 4);
    return value;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, tensor.bytes.data() + 2 * index, 2);
  return bfloat16ToFloat(bits);
}

std::string text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace

class TestCheckpoint : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void describesOlmoe() {
    const auto opened = Checkpoint::open(fixture("olmoe"));
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    const auto& description = (*opened)->description();
    // From fixture.json.
    QCOMPARE(description.hiddenSize, 32);
    QCOMPARE(description.layers, 3);
    QCOMPARE(description.attention.heads, 4);
    QCOMPARE(description.attention.keyValueHeads, 4);
    QCOMPARE(description.attention.headDim, 8);
    QCOMPARE(description.vocabularySize, 128);
    QCOMPARE(description.experts.intermediateSize, 12);
    QCOMPARE(description.routers.size(), std::size_t{3});
    QCOMPARE(description.routers[2].layer.value, 2);
    QCOMPARE(description.routers[0].experts, 8);
    QCOMPARE(description.routers[0].topK, 3);
    QVERIFY(description.routers[0].norm == WeightNorm::None);
    QVERIFY(!description.tiedHead);
    // Counted by hand: embedding and head 2*128*32, final norm 32; a layer: 4 norms of 32, 4 matrices 32*32,
    // router 8*32, 8 experts of 3*12*32. Active: 3 of the 8 experts.
    const std::int64_t layer = 4 * 32 + 4 * 32 * 32 + 8 * 32;
    QCOMPARE(description.parametersTotal, std::int64_t{2 * 128 * 32 + 32 + 3 * (layer + 8 * 3 * 12 * 32)});
    QCOMPARE(description.parametersActive, std::int64_t{2 * 128 * 32 + 32 + 3 * (layer + 3 * 3 * 12 * 32)});
  }

  void readsOldKeysAndGroupedQueries() {
    const auto opened = Checkpoint::open(fixture("olmoe_v4cfg"));
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    const auto& description = (*opened)->description();
    QCOMPARE(description.attention.rope.theta, 50000.0);
    QCOMPARE(description.attention.keyValueHeads, 2);
    QCOMPARE(description.attention.clipQkv.value_or(0), 0.8);
    QVERIFY(description.routers[0].norm == WeightNorm::SumOne);
    QCOMPARE((*opened)->weights().layers[0].keyNorm.shape, std::vector<std::int64_t>{16});
    QVERIFY2(description.warnings.empty(), "rotary_emb.inv_freq must be ignored without a word");
  }

  void viewsHoldTheStoredValues() {
    // Read with the Python package safetensors 0.8: t["..."].flatten()[i] of tests/data/checkpoints/*.
    struct Value {
      const char* folder;
      const char* tensor;
      std::size_t index;
      float expected;
    };
    const Value values[] = {
#include "checkpoint_values.inc"
    };
    for (const auto& value : values) {
      const auto opened = Checkpoint::open(fixture(value.folder));
      QVERIFY(opened.has_value());
      QCOMPARE(element((*opened)->tensors().at(value.tensor), value.index), value.expected);
    }
  }

  void fusedExpertsAreSlicedByExpertAndHalf() {
    const auto opened = Checkpoint::open(fixture("olmoe_fused"));
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    QVERIFY((*opened)->description().experts.store == ExpertStore::FusedOutIn);
    const auto& layer = (*opened)->weights().layers[1];
    const auto& fused = (*opened)->tensors().at("model.layers.1.mlp.experts.gate_up_proj");
    const auto rows = fused.shape[1];
    const auto columns = fused.shape[2];
    const auto half = rows / 2;
    for (const std::int64_t expert : {std::int64_t{0}, fused.shape[0] - 1}) {
      const auto& weights = layer.moe.experts[static_cast<std::size_t>(expert)];
      QCOMPARE(weights.gate.shape, (std::vector<std::int64_t>{half, columns}));
      const auto base = static_cast<std::size_t>(expert * rows * columns);
      QCOMPARE(element(weights.gate, 5), element(fused, base + 5));
      QCOMPARE(element(weights.up, 7), element(fused, base + static_cast<std::size_t>(half * columns) + 7));
    }
  }

  void missingKeysMeanTheClassDefaults() {
    const auto description = describeModel(R"({"model_type":"olmoe"})", "config.json");
    QVERIFY(description.has_value());
    // The class defaults of OlmoeConfig in transformers 5.23.
    QCOMPARE(description->hiddenSize, 2048);
    QCOMPARE(description->layers, 16);
    QCOMPARE(description->vocabularySize, 50304);
    QCOMPARE(description->routers.size(), std::size_t{16});
    QCOMPARE(description->routers[0].experts, 64);
    QCOMPARE(description->routers[0].topK, 8);
    QCOMPARE(description->attention.rope.theta, 10000.0);
    QCOMPARE(description->normEps, 1e-5);
  }

  void aliasesAndEndTokens() {
    const auto description = describeModel(
        R"({"architectures":["OlmoeForCausalLM"],"num_local_experts":4,"num_experts_per_tok":2,"eos_token_id":[3,4],
            "rope_parameters":{"rope_type":"linear","factor":2.0,"rope_theta":5000}})", "config.json", R"({"eos_token_id":7})");
    QVERIFY(description.has_value());
    QCOMPARE(description->routers[0].experts, 4);
    QCOMPARE(description->endTokens, std::vector<std::int32_t>{7});
    QVERIFY(description->attention.rope.scaling == RopeScaling::Linear);
    QCOMPARE(description->attention.rope.theta, 5000.0);
  }

  void refusesWhatItWouldComputeWrongly() {
    const auto kind = [](const char* config) {
      const auto description = describeModel(config, "config.json");
      return description ? std::string("ok") : description.error().kind;
    };
    QCOMPARE(kind(R"({"model_type":"olmoe","hidden_act":"gelu"})"), std::string("config.bad_value"));
    QCOMPARE(kind(R"({"model_type":"olmoe","rope_scaling":{"type":"yarn","factor":4}})"), std::string("config.bad_value"));
    QCOMPARE(kind(R"({"model_type":"olmoe","hidden_size":"64"})"), std::string("config.wrong_type"));
    QCOMPARE(kind(R"({"model_type":"olmoe","num_key_value_heads":3})"), std::string("config.bad_value"));
    QCOMPARE(kind(R"({"hidden_size":64})"), std::string("config.unknown_model_type"));
  }

  void manyMissingTensorsAreNamedThenCounted() {
    QTemporaryDir folder;
    const fs::path path = folder.path().toStdString();
    auto config = nlohmann::json::parse(text(fixture("olmoe") / "config.json"));
    config["num_experts"] = 32;
    write(path / "config.json", config.dump());
    fs::copy_file(fixture("olmoe") / "model.safetensors", path / "model.safetensors");
    const auto opened = Checkpoint::open(path);
    QVERIFY(!opened.has_value());
    // The router's shape, then 24 experts x 3 matrices x 3 layers and two more routers.
    QCOMPARE(opened.error().kind, std::string("tensor.wrong_shape"));
    QVERIFY2(opened.error().message.find("and 199 more") != std::string::npos, opened.error().message.c_str());
  }

  void tiedHeadWithAnotherHeadInTheFileWarns() {
    QTemporaryDir folder;
    const fs::path path = folder.path().toStdString();
    auto config = nlohmann::json::parse(text(fixture("olmoe") / "config.json"));
    config["tie_word_embeddings"] = true;
    write(path / "config.json", config.dump());
    fs::copy_file(fixture("olmoe") / "model.safetensors", path / "model.safetensors");
    const auto opened = Checkpoint::open(path);
    QVERIFY(opened.has_value());
    QCOMPARE((*opened)->description().warnings.size(), std::size_t{1});
    QCOMPARE((*opened)->weights().head.name, std::string("lm_head.weight"));
  }

  void fingerprintFollowsTheBytes() {
    QTemporaryDir folder;
    const fs::path path = folder.path().toStdString();
    fs::copy_file(fixture("olmoe") / "config.json", path / "config.json");
    std::string bytes = text(fixture("olmoe") / "model.safetensors");
    write(path / "model.safetensors", bytes);
    const auto before = (*Checkpoint::open(path))->fingerprint();
    QCOMPARE(before, (*Checkpoint::open(fixture("olmoe")))->fingerprint());
    bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
    write(path / "model.safetensors", bytes);
    QVERIFY((*Checkpoint::open(path))->fingerprint() != before);
  }

  void cacheFoldersOpenAndLinksMayNotEscape() {
    QTemporaryDir folder;
    const fs::path hub = folder.path().toStdString();
    const fs::path repository = hub / "models--org--tiny";
    const fs::path snapshot = repository / "snapshots" / "abc";
    fs::create_directories(snapshot);
    write(repository / "refs" / "main", "abc\n");
    fs::create_directories(repository / "blobs");
    for (const char* name : {"config.json", "model.safetensors"}) {
      fs::copy_file(fixture("olmoe") / name, repository / "blobs" / name);
      fs::create_symlink(fs::path("../../blobs") / name, snapshot / name);
    }
    const auto models = listHuggingFaceCache(hub);
    QCOMPARE(models.size(), std::size_t{1});
    QCOMPARE(models[0].repository, std::string("org/tiny"));
    QVERIFY(models[0].supported);
    QCOMPARE(models[0].experts, 8);
    QCOMPARE(models[0].weightBytes, static_cast<std::int64_t>(fs::file_size(fixture("olmoe") / "model.safetensors")));
    const auto opened = Checkpoint::open(models[0].snapshot);
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    QCOMPARE((*opened)->displayName(), std::string("org/tiny"));

    fs::remove(snapshot / "model.safetensors");
    fs::create_symlink(fixture("olmoe") / "model.safetensors", snapshot / "model.safetensors");
    const auto escaped = Checkpoint::open(snapshot);
    QVERIFY(!escaped.has_value());
    QCOMPARE(escaped.error().kind, std::string("index.path_escape"));
  }

  void namesWhatIsNotThere() {
    QTemporaryDir folder;
    QCOMPARE(Checkpoint::open(folder.path().toStdString() + "/none").error().kind, std::string("file.not_found"));
    QCOMPARE(Checkpoint::open(folder.path().toStdString()).error().kind, std::string("config.missing"));
  }
};

QTEST_APPLESS_MAIN(TestCheckpoint)
#include "tst_checkpoint.moc"
