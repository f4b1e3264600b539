// What an opened checkpoint says about itself, against values read by other means.
#include <QTemporaryDir>
#include <QTest>

#include <cstring>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "core/base/half.h"
#include "core/checkpoint/checkpoint.h"
#include "tests/support/safetensors_file.h"

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

/// The olmoe fixture, to be changed and opened.
struct Copy {
  Result<std::shared_ptr<const Checkpoint>> open() {
    const fs::path path = folder.path().toStdString();
    tests::writeFile(path / "config.json", config.dump());
    tests::writeFile(path / "model.safetensors", tests::safetensorsOf(tensors));
    return Checkpoint::open(path);
  }

  QTemporaryDir folder;
  nlohmann::json config = nlohmann::json::parse(tests::readFile(fixture("olmoe") / "config.json"));
  tests::StoredTensors tensors = tests::copyOf((*Checkpoint::open(fixture("olmoe")))->tensors());
};

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
    // Python: t = safetensors.torch.load_file(...); g = t["model.layers.1.mlp.experts.gate_up_proj"].float(),
    // d = ...down_proj.float(); g[e,:12][0,5], g[e,12:][0,7], g[e,12:][11,31], d[e][31,11].
    struct Expected {
      std::size_t expert;
      float gate, upFirst, upLast, down;
    };
    const Expected expected[] = {
        {0, 0.0279541015625F, 0.453125F, 0.06494140625F, -0.466796875F},
        {7, 0.345703125F, 0.01031494140625F, 0.1982421875F, 0.494140625F},
    };
    for (const auto& value : expected) {
      const auto& expert = layer.moe.experts.at(value.expert);
      QCOMPARE(element(expert.gate, 5), value.gate);
      QCOMPARE(element(expert.up, 7), value.upFirst);
      QCOMPARE(element(expert.up, 11 * 32 + 31), value.upLast);
      QCOMPARE(element(expert.down, 31 * 12 + 11), value.down);
    }
  }

  void bothLayoutsGiveTheSameShapes() {
    // Both fixtures have H = 32, I = 12, E = 8.
    const auto perExpert = Checkpoint::open(fixture("olmoe"));
    const auto fused = Checkpoint::open(fixture("olmoe_fused"));
    QVERIFY(perExpert.has_value() && fused.has_value());
    QVERIFY((*perExpert)->description().experts.store == ExpertStore::PerExpert);
    for (const auto& checkpoint : {*perExpert, *fused}) {
      for (const auto& layer : checkpoint->weights().layers) {
        QCOMPARE(layer.moe.router.shape, (std::vector<std::int64_t>{8, 32}));
        QCOMPARE(layer.moe.experts.size(), std::size_t{8});
        for (const auto& expert : layer.moe.experts) {
          QCOMPARE(expert.gate.shape, (std::vector<std::int64_t>{12, 32}));
          QCOMPARE(expert.up.shape, (std::vector<std::int64_t>{12, 32}));
          QCOMPARE(expert.down.shape, (std::vector<std::int64_t>{32, 12}));
          for (const auto* view : {&expert.gate, &expert.up, &expert.down}) {
            QCOMPARE(view->bytes.size(), std::size_t{12 * 32} * bytesPerElement(view->dtype));
          }
        }
      }
    }
  }

  void manyMissingTensorsAreNamedThenCounted() {
    Copy copy;
    copy.config["num_experts"] = 32;
    const auto opened = copy.open();
    QVERIFY(!opened.has_value());
    // The router's shape, then 24 experts x 3 matrices x 3 layers and two more routers.
    QCOMPARE(opened.error().kind, std::string("tensor.wrong_shape"));
    QVERIFY2(opened.error().message.find("and 199 more") != std::string::npos,
             opened.error().message.c_str());
  }

  void aTiedHeadThatRepeatsTheEmbeddingCountsOnce() {
    Copy copy;
    copy.config["tie_word_embeddings"] = true;
    copy.tensors["lm_head.weight"] = copy.tensors["model.embed_tokens.weight"];
    const auto opened = copy.open();
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    QVERIFY((*opened)->description().warnings.empty());
    QVERIFY((*opened)->description().tiedHead);
    QCOMPARE((*opened)->weights().head.name, std::string("model.embed_tokens.weight"));
    copy.tensors.erase("lm_head.weight");
    const auto without = copy.open();
    QVERIFY2(without.has_value(), without ? "" : without.error().text().c_str());
    QCOMPARE((*opened)->description().parametersTotal, (*without)->description().parametersTotal);
  }

  void tensorsOfNoUseAreNamedButNotThoseOfLayersPastTheLast() {
    Copy copy;
    copy.config["num_hidden_layers"] = 2;  // the file's layer 2 is now one past the last
    copy.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = {"F32", {1}, "1234"};
    auto opened = copy.open();
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    QCOMPARE((*opened)->description().layers, 2);
    QVERIFY((*opened)->description().warnings.empty());
    copy.tensors["model.stray\x1b[31m"] = {"I64", {}, "12345678"};
    opened = copy.open();
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    QCOMPARE((*opened)->description().warnings,
             std::vector<std::string>{"1 tensors are not used: model.stray\\u001b[31m"});
  }

  void weightsOfOtherTypesAreRefused() {
    Copy copy;
    copy.tensors["model.norm.weight"].dtype = "I32";
    QCOMPARE(copy.open().error().kind, std::string("tensor.unsupported_dtype"));
  }

  void tiedHeadWithAnotherHeadInTheFileWarns() {
    Copy copy;
    copy.config["tie_word_embeddings"] = true;
    const auto opened = copy.open();
    QVERIFY(opened.has_value());
    QCOMPARE((*opened)->description().warnings.size(), std::size_t{1});
    QCOMPARE((*opened)->weights().head.name, std::string("lm_head.weight"));
  }

  void fingerprintFollowsTheBytes() {
    Copy copy;
    const auto before = (*copy.open())->fingerprint();
    QCOMPARE(before, (*copy.open())->fingerprint());
    char& byte = copy.tensors["model.norm.weight"].bytes[5];
    byte = static_cast<char>(byte ^ 1);
    QVERIFY((*copy.open())->fingerprint() != before);
    // Not of where the file lies.
    QTemporaryDir folder;
    const fs::path path = folder.path().toStdString();
    for (const char* name : {"config.json", "model.safetensors"})
      fs::copy_file(fixture("olmoe") / name, path / name);
    QCOMPARE((*Checkpoint::open(path))->fingerprint(), (*Checkpoint::open(fixture("olmoe")))->fingerprint());
  }

  void namesWhatIsNotThere() {
    QTemporaryDir folder;
    QCOMPARE(Checkpoint::open(folder.path().toStdString() + "/none").error().kind,
             std::string("file.not_found"));
    QCOMPARE(Checkpoint::open(folder.path().toStdString()).error().kind, std::string("config.missing"));
  }
};

QTEST_APPLESS_MAIN(TestCheckpoint)
#include "tst_checkpoint.moc"
