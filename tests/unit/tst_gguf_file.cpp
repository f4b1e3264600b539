// The container of GGUF: files of the PyPI package gguf are read, and everything that is wrong with a file is
// an error with its name, never a crash.
#include <QTemporaryDir>
#include <QTest>

#include <cstring>
#include <limits>

#include "core/checkpoint/gguf_file.h"
#include "tests/support/gguf_bytes.h"

using namespace moescope;
using namespace moescope::checkpoint;
using namespace moescope::tests;

namespace {

const std::filesystem::path kMixed = MOESCOPE_TEST_DATA "/gguf/olmoe_mixed.gguf";
constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

std::span<const std::byte> spanOf(const std::string& bytes) { return std::as_bytes(std::span(bytes)); }

GgufBytes file(std::uint64_t tensors, std::uint64_t keys) { return GgufBytes().start(tensors, keys); }

}  // namespace

class TestGgufFile : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void readsWhatGgufWrites() {
    const auto opened = openGgufFile(kMixed, "mixed");
    QVERIFY2(opened, opened ? "" : opened.error().text().c_str());
    QCOMPARE(std::get<std::string_view>(opened->metadata.at("general.architecture")), "olmoe");
    QCOMPARE(std::get<std::uint64_t>(opened->metadata.at("olmoe.expert_count")), 8U);
    QCOMPARE(
        static_cast<float>(std::get<double>(opened->metadata.at("olmoe.attention.layer_norm_rms_epsilon"))),
        1e-5F);
    const auto& tokens = std::get<GgufArray>(opened->metadata.at("tokenizer.ggml.tokens"));
    QCOMPARE(tokens.count, 128U);
    QVERIFY(tokens.type == GgufType::String);
    const TensorView& gate = opened->tensors.at("blk.0.ffn_gate_exps.weight");
    QCOMPARE(gate.shape, (std::vector<std::int64_t>{8, 12, 32}));
    QCOMPARE(name(gate.dtype), "Q4_0");
    QCOMPARE(gate.bytes.size(), 8U * 12U * 18U);
  }

  void namesWhatIsWrong_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("kind");
    const auto row = [](const char* what, const GgufBytes& bytes, const char* kind) {
      QTest::newRow(what) << QByteArray::fromStdString(bytes.bytes()) << QString(kind);
    };
    row("empty", GgufBytes(), "gguf.truncated");
    row("other magic", GgufBytes().raw("GGML").number<std::uint32_t>(3).data(64), "gguf.not_gguf");
    row("version 2", GgufBytes().start(0, 0, 2), "gguf.unsupported_version");
    row("big-endian", GgufBytes().start(0, 0, 3U << 24U), "gguf.unsupported_version");
    row("too many tensors", file(kHuge, 0), "gguf.bad_count");
    row("too many keys", file(0, kHuge), "gguf.bad_count");
    row("more keys than bytes", file(0, 3).key("a", 1U), "gguf.bad_count");
    row("key longer than the file", file(0, 1).number(kHuge).data(64), "gguf.truncated");
    row("empty key", file(0, 1).key("", 1U), "gguf.bad_name");
    row("key not UTF-8", file(0, 1).key("\xFF", 1U), "gguf.bad_name");
    row("key twice", file(0, 2).key("a", 1U).key("a", 2U), "gguf.duplicate_key");
    row("unknown value type", file(0, 1).string("a").number<std::uint32_t>(13).data(8),
        "gguf.bad_value_type");
    row("bool of two", file(0, 1).string("a").number<std::uint32_t>(7).raw("\x02"), "gguf.bad_value_type");
    row("string past the end", file(0, 1).string("a").number<std::uint32_t>(8).number(kHuge),
        "gguf.truncated");
    const auto list = [](std::uint32_t type, std::uint64_t count) {
      return file(0, 1).string("a").number<std::uint32_t>(9).number(type).number(count);
    };
    row("list past the end", list(6, kHuge / 4).data(8), "gguf.bad_count");
    row("list of strings past the end", list(8, 1ULL << 60U).data(8), "gguf.bad_count");
    row("list of an unknown type", list(99, 1).data(8), "gguf.bad_value_type");
    row("list whose string is cut", list(8, 1).number<std::uint64_t>(9).raw("short"), "gguf.truncated");
    GgufBytes nested = list(9, 1);
    for (int i = 0; i < 64; ++i) nested.number<std::uint32_t>(9).number<std::uint64_t>(1);
    row("lists in lists", nested, "gguf.nesting_too_deep");
    row("alignment 0", file(0, 1).key("general.alignment", 0U), "gguf.bad_alignment");
    row("alignment 12", file(0, 1).key("general.alignment", 12U), "gguf.bad_alignment");
    row("alignment of a text", file(0, 1).key("general.alignment", "32"), "gguf.bad_alignment");
    row("no axes", file(1, 0).tensor("a", {}, 0, 0).data(64), "gguf.bad_shape");
    row("five axes", file(1, 0).tensor("a", {1, 1, 1, 1, 1}, 0, 0).data(64), "gguf.bad_shape");
    row("an empty axis", file(1, 0).tensor("a", {0, 4}, 0, 0).data(64), "gguf.bad_shape");
    row("a shape that overflows", file(1, 0).tensor("a", {kHuge / 2, 4}, 0, 0).data(64), "gguf.bad_shape");
    row("a huge shape", file(1, 0).tensor("a", {1ULL << 59U}, 0, 0).pad().data(64), "gguf.truncated");
    row("rows that blocks do not divide", file(1, 0).tensor("a", {48}, 8, 0).pad().data(64),
        "gguf.bad_shape");
    row("a removed type", file(1, 0).tensor("a", {32}, 4, 0).data(64), "gguf.unsupported_type");
    row("a type that is not read", file(1, 0).tensor("a", {256}, 10, 0).data(128), "gguf.unsupported_type");
    row("a type of the future", file(1, 0).tensor("a", {32}, 4000, 0).data(64), "gguf.unsupported_type");
    row("an offset between", file(1, 0).tensor("a", {8}, 0, 4).pad().data(64), "gguf.bad_offset");
    row("an offset outside", file(1, 0).tensor("a", {8}, 0, 1ULL << 62U).pad().data(64), "gguf.truncated");
    row("one byte short", file(1, 0).tensor("a", {8}, 0, 0).pad().data(31), "gguf.truncated");
    row("bytes after the end", file(1, 0).tensor("a", {8}, 0, 0).pad().data(33), "gguf.trailing_bytes");
    row("a hole", file(1, 0).tensor("a", {8}, 0, 32).pad().data(64), "gguf.hole");
    row("an overlap", file(2, 0).tensor("a", {8}, 0, 0).tensor("b", {8}, 0, 0).pad().data(64),
        "gguf.overlap");
    row("a name twice", file(2, 0).tensor("a", {8}, 0, 0).tensor("a", {8}, 0, 32).pad().data(64),
        "gguf.duplicate_tensor");
    row("a long name", file(1, 0).tensor(std::string(65, 'a'), {8}, 0, 0).pad().data(32), "gguf.bad_name");
  }
  void namesWhatIsWrong() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, kind);
    const auto path = pathOf("wrong.gguf");
    writeBytes(path, {bytes.constData(), static_cast<std::size_t>(bytes.size())});
    const auto opened = openGgufFile(path, "wrong.gguf");
    QVERIFY(!opened);
    QCOMPARE(QString::fromStdString(opened.error().kind), kind);
    QCOMPARE(opened.error().file, "wrong.gguf");
    QVERIFY(!opened.error().message.empty() && !opened.error().advice.empty());
  }

  void readsPaddedFilesOfEveryAlignment() {
    const auto path = pathOf("small.gguf");
    for (const std::uint32_t alignment : {8U, 32U, 64U}) {
      GgufBytes bytes = file(2, 1).key("general.alignment", alignment);
      bytes.tensor("a", {3}, 0, 0).tensor("b", {32, 2}, 8, (12 + alignment - 1) / alignment * alignment);
      bytes.pad(alignment).data(12).pad(alignment).data(68);
      writeBytes(path, bytes.bytes());
      const auto opened = openGgufFile(path, "small");
      QVERIFY2(opened, opened ? "" : opened.error().text().c_str());
      QCOMPARE(opened->tensors.at("b").shape, (std::vector<std::int64_t>{2, 32}));
      QCOMPARE(opened->tensors.at("b").bytes.size(), 68U);
    }
  }

  void refusesFilesThatEndAtAnyByteOfTheHeader() {
    const std::string bytes = readBytes(kMixed);
    const auto whole = readGguf(spanOf(bytes), "mixed");
    QVERIFY(whole);
    for (std::size_t size = 0; size <= whole->headerBytes; ++size) {
      // A copy of its own, so that a sanitizer sees a read beyond the end.
      const std::string cut = bytes.substr(0, size);
      const auto opened = readGguf(spanOf(cut), "cut");
      QVERIFY2(!opened, qPrintable(QString("%1 bytes").arg(size)));
      QVERIFY2(opened.error().kind.starts_with("gguf."), opened.error().text().c_str());
    }
  }

  void survivesAnyByteOfTheHeader() {
    const std::string bytes = readBytes(kMixed);
    const auto whole = readGguf(spanOf(bytes), "mixed");
    QVERIFY(whole);
    std::size_t refused = 0;
    std::string changed = bytes;
    for (std::size_t at = 0; at < whole->headerBytes; ++at) {
      changed[at] = static_cast<char>(bytes[at] ^ (at % 2 == 0 ? 0xFF : 1 << at % 8));
      const auto opened = readGguf(spanOf(changed), "changed");
      changed[at] = bytes[at];
      if (!opened) {
        ++refused;
        QVERIFY2(opened.error().kind.starts_with("gguf."), opened.error().text().c_str());
        continue;
      }
      for (const auto& [name, tensor] : opened->tensors) {
        const std::byte* end = spanOf(changed).data() + changed.size();
        QVERIFY(tensor.bytes.empty() || tensor.bytes.data() + tensor.bytes.size() <= end);
      }
    }
    QVERIFY(refused > 100);
  }

 private:
  [[nodiscard]] std::filesystem::path pathOf(const char* name) const {
    return m_folder.filePath(name).toStdString();
  }

  QTemporaryDir m_folder;
};

QTEST_APPLESS_MAIN(TestGgufFile)
#include "tst_gguf_file.moc"
