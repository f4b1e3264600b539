// Which files of a folder are opened, and every rule of the safetensors layout that the broken fixtures leave
// out.
#include <QTemporaryDir>
#include <QTest>

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/hf_cache.h"
#include "core/checkpoint/safetensors.h"
#include "tests/support/safetensors_file.h"

using namespace moescope;
using namespace moescope::checkpoint;
using tests::writeFile;
namespace fs = std::filesystem;

namespace {

const fs::path kOlmoe = fs::path(MOESCOPE_TEST_DATA) / "checkpoints" / "olmoe";
const fs::path kSharded = fs::path(MOESCOPE_TEST_DATA) / "malformed" / "valid_sharded";

/// Whether a file was opened since the object was made, as the kernel saw it.
class OpenWatch {
 public:
  explicit OpenWatch(const fs::path& file) : m_queue(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (::inotify_add_watch(m_queue, file.c_str(), IN_OPEN) < 0) qFatal("inotify is not available");
  }
  ~OpenWatch() { ::close(m_queue); }
  Q_DISABLE_COPY(OpenWatch)

  [[nodiscard]] bool opened() const {
    char buffer[4096];
    return ::read(m_queue, buffer, sizeof buffer) > 0;
  }

 private:
  int m_queue;
};

std::string openedKind(const fs::path& folder) {
  const auto opened = Checkpoint::open(folder);
  return opened ? "ok" : opened.error().kind;
}

std::string indexOf(const std::map<std::string, std::string>& map) {
  return nlohmann::json{{"weight_map", map}}.dump();
}

/// models--org--tiny/{refs,blobs,snapshots/abc} with links, as huggingface_hub lays it out.
fs::path makeCacheEntry(const fs::path& hub, const std::string& repository, const fs::path& checkpoint) {
  const fs::path folder = hub / repository;
  const fs::path snapshot = folder / "snapshots" / "abc";
  writeFile(folder / "refs" / "main", "abc\n");
  fs::create_directories(folder / "blobs");
  fs::create_directories(snapshot);
  for (const char* name : {"config.json", "model.safetensors"}) {
    fs::copy_file(checkpoint / name, folder / "blobs" / name);
    fs::create_symlink(fs::path("../../blobs") / name, snapshot / name);
  }
  return snapshot;
}

}  // namespace

class TestCheckpointFiles : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void safetensorsRules_data() {
    QTest::addColumn<QByteArray>("header");
    QTest::addColumn<int>("dataBytes");
    QTest::addColumn<QString>("kind");
    const auto row = [](const char* name, const QByteArray& header, int bytes, const char* kind) {
      QTest::newRow(name) << header << bytes << kind;
    };
    row("no tensors", "{}", 0, "ok");
    row("padded with spaces", R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}   )", 3, "ok");
    row("scalar", R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4, "ok");
    row("zero size", R"({"a":{"dtype":"F32","shape":[0,9],"data_offsets":[0,0]}})", 0, "ok");
    row("metadata", R"({"__metadata__":{"format":"pt"}})", 0, "ok");
    row("empty header", "", 0, "safetensors.header_not_json");
    row("leading space", " {}", 0, "safetensors.header_not_object");
    row("metadata not text", R"({"__metadata__":{"format":1}})", 0, "safetensors.bad_metadata");
    row("metadata not an object", R"({"__metadata__":[]})", 0, "safetensors.bad_metadata");
    row("no name", R"({"":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0, "safetensors.bad_entry");
    row("NUL in a name", R"({"a\u0000b":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0,
        "safetensors.bad_entry");
    row("field missing", R"({"a":{"dtype":"U8","shape":[0]}})", 0, "safetensors.bad_entry");
    row("field too many", R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}})", 0,
        "safetensors.bad_entry");
    row("three offsets", R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}})", 0,
        "safetensors.bad_entry");
    row("entry is a list", R"({"a":[]})", 0, "safetensors.bad_entry");
    row("field twice", R"({"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0,
        "safetensors.duplicate_key");
    row("float size", R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", 1,
        "safetensors.bad_number");
    row("exponent", R"({"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}})", 1,
        "safetensors.bad_number");
    row("minus zero", R"({"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}})", 0,
        "safetensors.bad_number");
    row("text as size", R"({"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}})", 1,
        "safetensors.bad_number");
    row("rank 9", R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1,
        "safetensors.rank_too_high");
    row("rank 8", R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", 1, "ok");
    row("type of another width", R"({"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}})", 1,
        "safetensors.unknown_dtype");
    row("ends before it begins", R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[1,0]}})", 1,
        "safetensors.offset_out_of_range");
    row("starts late", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2, "safetensors.hole");
    row("product of 2^64", R"({"a":{"dtype":"F32","shape":[4294967296,1073741824],"data_offsets":[0,0]}})", 0,
        "safetensors.shape_overflow");
    row("product of 2^63", R"({"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]}})", 0,
        "safetensors.shape_overflow");
    row("ends at 2^64 - 1",
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551614,18446744073709551615]}})", 1,
        "safetensors.hole");
    row("comment", R"({/**/})", 0, "safetensors.header_not_json");
    row("two documents", R"({}{})", 0, "safetensors.header_not_json");
  }

  void safetensorsRules() {
    QFETCH(QByteArray, header);
    QFETCH(int, dataBytes);
    QFETCH(QString, kind);
    const QTemporaryDir folder;
    const fs::path path = folder.filePath("t.safetensors").toStdString();
    writeFile(path, tests::rawSafetensors(header.toStdString(),
                                          std::string(static_cast<std::size_t>(dataBytes), 'x')));
    const auto file = openSafetensors(path, "t.safetensors");
    QCOMPARE(file ? "ok" : QString::fromStdString(file.error().kind), kind);
    if (!file) QCOMPARE(file.error().file, std::string("t.safetensors"));
  }

  void theLengthFieldCannotWrapAround() {
    const QTemporaryDir folder;
    const fs::path path = folder.filePath("t.safetensors").toStdString();
    for (const std::string& length :
         {std::string(8, '\xFF'), std::string("\xF8\xFF\xFF\xFF\xFF\xFF\xFF\xFF")}) {
      writeFile(path, length + "{}");
      QCOMPARE(openSafetensors(path, "t").error().kind, std::string("safetensors.header_too_large"));
    }
    writeFile(path, "1234567");
    QCOMPARE(openSafetensors(path, "t").error().kind, std::string("safetensors.too_short"));
  }

  void pathsInTheIndexOpenNothingOutside() {
    const QTemporaryDir parent;
    const fs::path root = parent.path().toStdString();
    const fs::path folder = root / "model";
    fs::create_directories(folder);
    fs::copy_file(kOlmoe / "config.json", folder / "config.json");
    fs::copy_file(kOlmoe / "model.safetensors", root / "outside.safetensors");
    const OpenWatch watch(root / "outside.safetensors");
    QVERIFY(!watch.opened());
    for (const std::string& name :
         {std::string("../outside.safetensors"), (root / "outside.safetensors").string(), std::string(".."),
          std::string("."), std::string(), std::string("..\\outside.safetensors"),
          std::string("sub/x.safetensors"), std::string("a\0b", 3)}) {
      writeFile(folder / "model.safetensors.index.json", indexOf({{"lm_head.weight", name}}));
      QCOMPARE(openedKind(folder), std::string("index.path_escape"));
    }
    QVERIFY2(!watch.opened(), "a file outside the folder was opened");
    tests::readFile(root / "outside.safetensors");
    QVERIFY2(watch.opened(), "the watch must notice an opened file");
  }

  void linksLeadNowhereOutside_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("kind");
    QTest::newRow("weights") << "model.safetensors"
                             << "index.path_escape";
    QTest::newRow("config") << "config.json"
                            << "config.path_escape";
    QTest::newRow("generation config") << "generation_config.json"
                                       << "config.path_escape";
    QTest::newRow("tokenizer") << "tokenizer.json"
                               << "config.path_escape";
    QTest::newRow("index") << "model.safetensors.index.json"
                           << "index.path_escape";
    QTest::newRow("shard") << "model-00002-of-00002.safetensors"
                           << "index.path_escape";
  }

  void linksLeadNowhereOutside() {
    QFETCH(QString, name);
    QFETCH(QString, kind);
    const QTemporaryDir parent;
    const fs::path root = parent.path().toStdString();
    const bool sharded = name.startsWith("model") && name != "model.safetensors";
    fs::copy(sharded ? kSharded : kOlmoe, root / "model");
    QCOMPARE(openedKind(root / "model"), std::string("ok"));
    const fs::path file = root / "model" / name.toStdString();
    const fs::path outside = root / "outside";
    writeFile(outside, fs::exists(file) ? tests::readFile(file) : "{}");
    fs::remove(file);
    fs::create_symlink("../outside", file);
    const OpenWatch watch(outside);
    QCOMPARE(QString::fromStdString(openedKind(root / "model")), kind);
    QVERIFY2(!watch.opened(), "a file outside the folder was opened");
    // A link inside the folder is nobody's business.
    fs::remove(file);
    fs::rename(outside, root / "model" / "elsewhere");
    fs::create_symlink("elsewhere", file);
    QCOMPARE(openedKind(root / "model"), std::string("ok"));
  }

  void namesThatNoFileCanHave() {
    const QTemporaryDir parent;
    const fs::path folder = parent.path().toStdString();
    fs::copy_file(kOlmoe / "config.json", folder / "config.json");
    const fs::path index = folder / "model.safetensors.index.json";
    writeFile(index, indexOf({{"lm_head.weight", std::string(5000, 'x')}}));
    QCOMPARE(openedKind(folder), std::string("index.missing_shard"));
    fs::create_symlink("loop.safetensors", folder / "loop.safetensors");
    writeFile(index, indexOf({{"lm_head.weight", "loop.safetensors"}}));
    QCOMPARE(openedKind(folder), std::string("index.missing_shard"));
    fs::create_directories(folder / "folder.safetensors");
    writeFile(index, indexOf({{"lm_head.weight", "folder.safetensors"}}));
    QCOMPARE(openedKind(folder), std::string("file.unreadable"));
    QCOMPARE(::mkfifo((folder / "pipe.safetensors").c_str(), 0600), 0);
    writeFile(index, indexOf({{"lm_head.weight", "pipe.safetensors"}}));
    QCOMPARE(openedKind(folder), std::string("file.unreadable"));  // and does not wait for a writer
  }

  void brokenIndexes() {
    const QTemporaryDir parent;
    const fs::path folder = fs::path(parent.path().toStdString()) / "model";
    fs::copy(kSharded, folder);
    const fs::path index = folder / "model.safetensors.index.json";
    for (const auto& [content, kind] :
         std::map<std::string, std::string>{{"", "index.not_json"},
                                            {"[]", "index.bad_format"},
                                            {"{}", "index.bad_format"},
                                            {R"({"weight_map":[]})", "index.bad_format"},
                                            {R"({"weight_map":{"a":1}})", "index.bad_format"},
                                            {R"({"weight_map":{"a":"x","a":"y"}})", "index.not_json"},
                                            {R"({"weight_map":{}})", "tensor.missing"}}) {
      writeFile(index, content);
      QCOMPARE(openedKind(folder), kind);
    }
  }

  void aTensorInTwoShards() {
    const QTemporaryDir parent;
    const fs::path folder = fs::path(parent.path().toStdString()) / "model";
    fs::copy(kSharded, folder);
    fs::copy_file(folder / "model-00001-of-00002.safetensors", folder / "model-00002-of-00002.safetensors",
                  fs::copy_options::overwrite_existing);
    QCOMPARE(openedKind(folder), std::string("index.duplicate_tensor"));
  }

  void theSingleFileComesBeforeTheIndex() {  // as transformers chooses
    const QTemporaryDir parent;
    const fs::path folder = fs::path(parent.path().toStdString()) / "model";
    fs::copy(kOlmoe, folder);
    writeFile(folder / "model.safetensors.index.json", "left over");
    QCOMPARE(openedKind(folder), std::string("ok"));
  }

  void cacheEntriesAreListedAndOpened() {
    const QTemporaryDir folder;
    const fs::path hub = folder.path().toStdString();
    const fs::path snapshot = makeCacheEntry(hub, "models--org--tiny--moe", kOlmoe);
    makeCacheEntry(hub, "models--other", kOlmoe);
    writeFile(hub / "models--other" / "snapshots" / "abc" / "config.json", R"({"model_type":"gpt2"})");
    makeCacheEntry(hub, "models--bad--json", kOlmoe);
    writeFile(hub / "models--bad--json" / "snapshots" / "abc" / "config.json", "{");
    fs::create_directories(hub / "models--bad--empty");
    fs::create_directories(hub / "datasets--org--x");
    writeFile(hub / "version.txt", "1");

    const auto models = listHuggingFaceCache(hub);
    QCOMPARE(models.size(), std::size_t{2});
    QCOMPARE(models[0].repository, std::string("org/tiny--moe"));
    QCOMPARE(models[0].family, std::string("olmoe"));
    QCOMPARE(models[0].revision, std::string("abc"));
    QVERIFY(models[0].supported);
    QCOMPARE(models[0].layers, 3);
    QCOMPARE(models[0].experts, 8);
    QCOMPARE(models[0].weightBytes, static_cast<std::int64_t>(fs::file_size(kOlmoe / "model.safetensors")));
    QCOMPARE(models[1].repository, std::string("other"));
    QCOMPARE(models[1].family, std::string("gpt2"));
    QVERIFY(!models[1].supported);

    const auto opened = Checkpoint::open(models[0].snapshot);
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    QCOMPARE((*opened)->displayName(), std::string("org/tiny--moe"));
    QVERIFY(listHuggingFaceCache(hub / "none").empty());
  }

  void cacheLinksStayInTheirRepository() {
    const QTemporaryDir folder;
    const fs::path hub = folder.path().toStdString();
    const fs::path snapshot = makeCacheEntry(hub, "models--org--tiny", kOlmoe);
    makeCacheEntry(hub, "models--org--twin", kOlmoe);
    const fs::path outside = hub / "models--org--twin" / "blobs";
    for (const char* name : {"model.safetensors", "config.json"}) {
      const OpenWatch watch(outside / name);
      fs::remove(snapshot / name);
      fs::create_symlink(outside / name, snapshot / name);
      const std::string kind = openedKind(snapshot);
      QVERIFY2(kind.ends_with(".path_escape"), kind.c_str());
      QVERIFY(!watch.opened());
    }
    // Its config.json leads out by now: the list neither shows it nor reads it.
    const OpenWatch watch(outside / "config.json");
    fs::remove_all(hub / "models--org--twin" / "snapshots");
    QVERIFY(listHuggingFaceCache(hub).empty());
    QVERIFY(!watch.opened());
  }

  void theNewestSnapshotCountsWithoutARef() {
    const QTemporaryDir folder;
    const fs::path hub = folder.path().toStdString();
    const fs::path repository = hub / "models--org--tiny";
    makeCacheEntry(hub, "models--org--tiny", kOlmoe);
    fs::copy(repository / "snapshots" / "abc", repository / "snapshots" / "def",
             fs::copy_options::copy_symlinks | fs::copy_options::recursive);
    fs::last_write_time(repository / "snapshots" / "abc",
                        fs::file_time_type::clock::now() - std::chrono::hours(1));
    QCOMPARE(listHuggingFaceCache(hub).at(0).revision, std::string("abc"));
    fs::remove(repository / "refs" / "main");
    QCOMPARE(listHuggingFaceCache(hub).at(0).revision, std::string("def"));
  }

  void theCacheFolderFollowsTheEnvironment() {
    for (const char* name : {"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"}) qunsetenv(name);
    qputenv("HOME", "/home/someone");
    QCOMPARE(huggingFaceCacheFolder(), fs::path("/home/someone/.cache/huggingface/hub"));
    qputenv("XDG_CACHE_HOME", "/cache");
    QCOMPARE(huggingFaceCacheFolder(), fs::path("/cache/huggingface/hub"));
    qputenv("HF_HOME", "/hf");
    QCOMPARE(huggingFaceCacheFolder(), fs::path("/hf/hub"));
    qputenv("HF_HUB_CACHE", "/hub");
    QCOMPARE(huggingFaceCacheFolder(), fs::path("/hub"));
  }
};

QTEST_APPLESS_MAIN(TestCheckpointFiles)
#include "tst_checkpoint_files.moc"
