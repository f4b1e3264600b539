// GGUF twins of the test checkpoints: the same description, the same weights in the same roles; and the block
// formats against what the PyPI package gguf makes of them. tests/support/make_gguf.py writes the files.
#include <QTemporaryDir>
#include <QTest>

#include "core/checkpoint/block_formats.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/float_values.h"
#include "core/checkpoint/safetensors.h"
#include "tests/support/gguf_bytes.h"

using namespace moescope;
using namespace moescope::checkpoint;
using namespace moescope::tests;
namespace fs = std::filesystem;

namespace {

const fs::path kFolder = MOESCOPE_TEST_DATA "/gguf";

std::shared_ptr<const Checkpoint> openOrDie(const fs::path& path) {
  auto opened = Checkpoint::open(path);
  if (!opened) qFatal("%s", opened.error().text().c_str());
  return *opened;
}

/// All vectors and matrices of a layer but query and key, as numbers.
std::vector<std::vector<float>> valuesOf(const LayerWeights& layer) {
  struct Nothing {};
  std::vector<std::vector<float>> values;
  LayerRoles<Nothing, Nothing> nowhere;
  const auto add = [&](const TensorView& view, Nothing&) {
    if (&view != &layer.query && &view != &layer.key) values.push_back(floatsOf(view));
  };
  forEachRole(layer, nowhere, add, add);
  return values;
}

std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  for (auto at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + to.size()))
    bytes.replace(at, from.size(), to);
  return bytes;
}

std::string kindOf(const Result<std::shared_ptr<const Checkpoint>>& opened) {
  return opened ? "none" : opened.error().kind;
}

}  // namespace

class TestGgufModel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void widensBlocksAsGgufDoes_data() {
    QTest::addColumn<QString>("type");
    QTest::addColumn<int>("dtype");
    for (const DType dtype :
         {DType::Q4_0, DType::Q5_0, DType::Q8_0, DType::Q4_K, DType::Q5_K, DType::Q6_K, DType::BlockMxfp4}) {
      const QString type = QString::fromStdString(std::string(name(dtype)));
      QTest::addRow("%s", qPrintable(type)) << type << static_cast<int>(dtype);
    }
  }
  void widensBlocksAsGgufDoes() {
    QFETCH(QString, type);
    QFETCH(int, dtype);
    const auto stored = openSafetensors(kFolder / "blocks.safetensors", "blocks");
    QVERIFY(stored);
    const TensorView& bytes = stored->tensors.at(type.toStdString() + ".bytes");
    const std::vector<float> expected = floatsOf(stored->tensors.at(type.toStdString() + ".values"));
    TensorView blocks;
    blocks.name = "blocks";
    blocks.dtype = static_cast<DType>(dtype);
    blocks.shape = {2, static_cast<std::int64_t>(expected.size()) / 2};
    blocks.bytes = bytes.bytes;
    QVERIFY(blocks.isQuantised());
    QCOMPARE(floatsOf(blocks), expected);
    const std::vector<float> second = floatsOf(part(blocks, 1));
    QCOMPARE(second, std::vector<float>(expected.begin() + blocks.shape[1], expected.end()));
    QCOMPARE(floatsOf(slice(blocks, 0, 1, 1)), second);
  }

  void isTheTwinOfTheCheckpoint_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("checkpoint");
    for (const char* name :
         {"mixtral", "olmoe", "qwen2_moe", "qwen3_moe", "deepseek_v2_lite", "glm4_moe", "gpt_oss",
          "gpt_oss_mxfp4", "mixtral.old_experts", "deepseek_v2_lite.split", "deepseek_v3.split"}) {
      QTest::addRow("%s", name) << QString(name) + ".gguf" << QString(name).section('.', 0, 0);
    }
  }
  void isTheTwinOfTheCheckpoint() {
    QFETCH(QString, file);
    QFETCH(QString, checkpoint);
    const auto gguf = openOrDie(kFolder / file.toStdString());
    const auto twin = openOrDie(fs::path(MOESCOPE_TEST_DATA "/checkpoints") / checkpoint.toStdString());
    const ModelDescription& a = gguf->description();
    const ModelDescription& b = twin->description();
    QCOMPARE(a.family, b.family);
    QCOMPARE(a.hiddenSize, b.hiddenSize);
    QCOMPARE(a.layers, b.layers);
    QCOMPARE(a.vocabularySize, b.vocabularySize);
    QCOMPARE(a.maxPositions, b.maxPositions);
    QCOMPARE(a.tiedHead, b.tiedHead);
    QCOMPARE(static_cast<float>(a.normEps), static_cast<float>(b.normEps));
    QCOMPARE(a.attention.heads, b.attention.heads);
    QCOMPARE(a.attention.headDim, b.attention.headDim);
    QCOMPARE(a.attention.valueDim, b.attention.valueDim);
    QCOMPARE(a.attention.keyValueHeads, b.attention.keyValueHeads);
    QVERIFY(std::abs(a.attention.scale - b.attention.scale) < 1e-7);
    QCOMPARE(a.attention.rope.rotaryDim, b.attention.rope.rotaryDim);
    QVERIFY(a.attention.rope.scaling == b.attention.rope.scaling);
    QVERIFY(std::abs(a.attention.rope.attentionFactor - b.attention.rope.attentionFactor) < 1e-7);
    QCOMPARE(a.attention.rope.truncate, b.attention.rope.truncate);
    QVERIFY(a.experts.activation == b.experts.activation);
    QCOMPARE(a.experts.limit, b.experts.limit);
    QVERIFY(a.routers == b.routers);
    QCOMPARE(a.endTokens, b.endTokens);
    const bool hasBegin = file != "qwen3_moe.gguf";  // add_bos_token is false there
    QVERIFY(a.beginToken == (hasBegin ? b.beginToken : std::nullopt));
    QCOMPARE(a.parametersTotal, b.parametersTotal);
    QCOMPARE(a.parametersActive, b.parametersActive);
    for (int layer = 0; layer < a.layers; ++layer) {
      const auto index = static_cast<std::size_t>(layer);
      QCOMPARE(a.layerSpecs[index].window, b.layerSpecs[index].window);
      QCOMPARE(a.layerSpecs[index].router, b.layerSpecs[index].router);
      QVERIFY(valuesOf(gguf->weights().layers[index]) == valuesOf(twin->weights().layers[index]));
    }
    QCOMPARE(floatsOf(gguf->weights().head), floatsOf(twin->weights().head));
    QVERIFY(gguf->ggufFile() == kFolder / file.toStdString());
    QCOMPARE(gguf->displayName(), file.toStdString());
    QVERIFY(gguf->fingerprint() != twin->fingerprint() && gguf->fingerprint().size() == 32);
  }

  void holdsTheValuesOfItsDequantisedTwin() {
    const auto gguf = openOrDie(kFolder / "olmoe_mixed.gguf");
    const auto twin = openOrDie(kFolder / "olmoe_mixed");
    for (std::size_t layer = 0; layer < gguf->weights().layers.size(); ++layer) {
      const LayerWeights& a = gguf->weights().layers[layer];
      const LayerWeights& b = twin->weights().layers[layer];
      QVERIFY(valuesOf(a) == valuesOf(b));
      QVERIFY(floatsOf(a.query) == floatsOf(b.query) && floatsOf(a.key) == floatsOf(b.key));
    }
    const auto types = gguf->bytesByDType();
    for (const char* type : {"F32", "F16", "BF16", "Q4_0", "Q5_0", "Q8_0", "MXFP4"})
      QVERIFY2(types.contains(type), type);
  }

  void takesTheOnlyFileOfAFolder() {
    const fs::path folder = m_folder.filePath("only").toStdString();
    fs::create_directories(folder);
    QCOMPARE(kindOf(Checkpoint::open(folder)), "config.missing");
    fs::copy_file(kFolder / "olmoe.gguf", folder / "a.gguf");
    QCOMPARE(openOrDie(folder)->ggufFile(), folder / "a.gguf");
    QCOMPARE(openOrDie(folder)->tokenizerFile(), folder / "tokenizer.json");
    fs::copy_file(kFolder / "mixtral.gguf", folder / "b.gguf");
    const auto opened = Checkpoint::open(folder);
    QCOMPARE(kindOf(opened), "gguf.several");
    QVERIFY(opened.error().message.find("a.gguf, b.gguf") != std::string::npos);
    QCOMPARE(openOrDie(folder / "b.gguf")->description().family, "mixtral");
    // With safetensors beside them it is a folder in the Hugging Face format.
    for (const char* name : {"config.json", "model.safetensors"})
      fs::copy_file(kFolder / "olmoe_mixed" / name, folder / name);
    QVERIFY(openOrDie(folder)->ggufFile().empty());
  }

  void doesNotFollowALinkOutOfAFolder() {
    const fs::path folder = m_folder.filePath("linked").toStdString();
    fs::create_directories(folder);
    fs::create_symlink(kFolder / "olmoe.gguf", folder / "model.gguf");
    QCOMPARE(kindOf(Checkpoint::open(folder)), "config.missing");
    QCOMPARE(openOrDie(folder / "model.gguf")->description().family, "olmoe");  // a file that was named
  }

  void saysWhatIsNotRead() {
    const auto warnings = openOrDie(kFolder / "deepseek_v2_lite.gguf")->description().warnings;
    QCOMPARE(warnings.size(), 1U);
    QVERIFY(warnings[0].find("groups") != std::string::npos);
    QVERIFY(openOrDie(kFolder / "olmoe.gguf")->description().warnings.empty());
  }

  void namesWhatIsWrong_data() {
    QTest::addColumn<QString>("from");
    QTest::addColumn<QString>("to");
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("where");
    QTest::newRow("another architecture") << "olmoe"
                                          << "bertx"
                                          << "gguf.unsupported_architecture"
                                          << "";
    QTest::newRow("no architecture") << "general.architecture"
                                     << "general.architectura"
                                     << "gguf.missing_key"
                                     << "general.architecture";
    QTest::newRow("a required key") << "olmoe.embedding_length"
                                    << "olmoe.embedding_lengtX"
                                    << "gguf.missing_key"
                                    << "olmoe.embedding_length";
    QTest::newRow("no experts") << "olmoe.expert_count"
                                << "olmoe.expert_counX"
                                << "gguf.no_experts"
                                << "olmoe.expert_count";
    QTest::newRow("one of several files") << "general.name"
                                          << "split.count "
                                          << "none"
                                          << "";
    QTest::newRow("a tensor is missing") << "blk.1.ffn_gate_inp.weight"
                                         << "blk.1.ffn_gate_inX.weight"
                                         << "tensor.missing"
                                         << "";
    QTest::newRow("experts of another shape") << "blk.1.ffn_up_exps.weight"
                                              << "blk.1.ffn_upXexps.weight"
                                              << "tensor.missing"
                                              << "";
  }
  void namesWhatIsWrong() {
    QFETCH(QString, from);
    QFETCH(QString, to);
    QFETCH(QString, kind);
    QFETCH(QString, where);
    const fs::path path = m_folder.filePath("changed.gguf").toStdString();
    writeBytes(path, replaced(readBytes(kFolder / "olmoe.gguf"), from.toStdString(), to.toStdString()));
    const auto opened = Checkpoint::open(path);
    QCOMPARE(QString::fromStdString(kindOf(opened)), kind);
    if (!opened)
      QVERIFY2(QString::fromStdString(opened.error().where).contains(where), opened.error().text().c_str());
  }

  void namesTheKeyOfTheFile() {
    // topK above the number of experts: config.json has other names for both.
    std::string bytes = readBytes(kFolder / "olmoe.gguf");
    const std::string key = "olmoe.expert_used_count";
    bytes[bytes.find(key) + key.size() + 4] = 99;
    const fs::path path = m_folder.filePath("topk.gguf").toStdString();
    writeBytes(path, bytes);
    const auto opened = Checkpoint::open(path);
    QCOMPARE(kindOf(opened), "config.bad_value");
    QCOMPARE(opened.error().file, "topk.gguf");
    QCOMPARE(opened.error().where, "key " + key);
  }

  void refusesPartsAndOtherRouters_data() {
    QTest::addColumn<QString>("key");
    QTest::addColumn<unsigned>("value");
    QTest::addColumn<QString>("kind");
    QTest::newRow("split") << "split.count" << 3U << "gguf.split";
    QTest::newRow("gating") << "llama.expert_gating_func" << 2U << "gguf.unsupported_value";
    QTest::newRow("odd rotation") << "llama.rope.dimension_count" << 7U << "gguf.unsupported_value";
    QTest::newRow("no layers") << "llama.block_count" << 0U << "config.bad_value";
    QTest::newRow("too many layers") << "llama.block_count" << 4000000U << "config.bad_value";
  }
  void refusesPartsAndOtherRouters() {
    QFETCH(QString, key);
    QFETCH(unsigned, value);
    QFETCH(QString, kind);
    std::map<std::string, std::uint32_t> keys{
        {"llama.embedding_length", 32}, {"llama.attention.head_count", 4}, {"llama.context_length", 64},
        {"llama.block_count", 2},       {"llama.feed_forward_length", 12}, {"llama.expert_count", 4},
        {"llama.expert_used_count", 2}, {"llama.vocab_size", 16}};
    keys[key.toStdString()] = value;
    GgufBytes bytes;
    bytes.start(0, keys.size() + 2).key("general.architecture", "llama");
    bytes.string("llama.attention.layer_norm_rms_epsilon").number<std::uint32_t>(6).number(1e-5F);
    for (const auto& [name, number] : keys) bytes.key(name, number);
    const fs::path path = m_folder.filePath("keys.gguf").toStdString();
    writeBytes(path, bytes.bytes());
    const auto opened = Checkpoint::open(path);
    QCOMPARE(QString::fromStdString(kindOf(opened)), kind);
    QCOMPARE(opened.error().file, "keys.gguf");
  }

 private:
  QTemporaryDir m_folder;
};

QTEST_APPLESS_MAIN(TestGgufModel)
#include "tst_gguf_model.moc"
