// findCheckpoints: names, folders, indexes and Hugging Face caches; nothing is loaded.
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>
#include <fstream>

#include "core/engine/generation/checkpoint_series.h"

using namespace moescope;
using namespace moescope::engine;
namespace fs = std::filesystem;

namespace {

struct Folder {
  QTemporaryDir temporary;
  fs::path root = temporary.path().toStdString();

  void write(const fs::path& file, const std::string& text = "{}") const {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file, std::ios::binary) << text;
  }
  void step(const fs::path& folder, bool config = true) const {
    write(folder / "model.safetensors", "weights");
    if (config) write(folder / "config.json");
  }
};

std::string kindOf(const fs::path& path) {
  const auto found = findCheckpoints(path);
  return found ? "none" : found.error().kind;
}

using Steps = std::vector<std::int64_t>;
Steps stepsOf(const Result<CheckpointSeries>& series) {
  Steps steps;
  if (series) {
    for (const auto& checkpoint : series->checkpoints) steps.push_back(checkpoint.step);
  }
  return steps;
}

}  // namespace

class TestCheckpointSeries : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void namesSayStepAndTokens_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<qlonglong>("step");
    QTest::addColumn<qlonglong>("tokens");
    QTest::newRow("OLMoE") << "step10000-tokens41B" << 10'000LL << 41'000'000'000LL;
    QTest::newRow("OLMo 2") << "stage1-step1000-tokens5B" << 1'000LL << 5'000'000'000LL;
    QTest::newRow("padded") << "step-000512" << 512LL << -1LL;
    QTest::newRow("Trainer") << "checkpoint-500" << 500LL << -1LL;
    QTest::newRow("DeepSpeed") << "global_step1000" << 1'000LL << -1LL;
    QTest::newRow("Megatron") << "iter_0001000" << 1'000LL << -1LL;
    QTest::newRow("Pythia") << "step0" << 0LL << -1LL;
    QTest::newRow("number") << "2048" << 2'048LL << -1LL;
    QTest::newRow("capitals") << "Step_7-Tokens_1.5T" << 7LL << 1'500'000'000'000LL;
    QTest::newRow("plain tokens") << "step4-tokens32768" << 4LL << 32'768LL;
    QTest::newRow("main") << "main" << -1LL << -1LL;
    QTest::newRow("final") << "final-step" << -1LL << -1LL;
    QTest::newRow("too large") << "step99999999999999999999" << -1LL << -1LL;
    QTest::newRow("negative") << "-5" << -1LL << -1LL;
    QTest::newRow("empty") << "" << -1LL << -1LL;
  }

  void namesSayStepAndTokens() {
    QFETCH(QString, name);
    QFETCH(qlonglong, step);
    QFETCH(qlonglong, tokens);
    const auto point = trainingPoint(name.toStdString());
    QCOMPARE(qlonglong(point.step.value_or(-1)), step);
    QCOMPARE(qlonglong(point.tokens.value_or(-1)), tokens);
  }

  void foldersAreSortedByStep() {
    const Folder folder;
    for (const char* name : {"step-1000", "step-200", "step-30-tokens2M"}) folder.step(name);
    folder.step("step-4", false);  // nothing above to share
    folder.write("logs/events.txt");
    folder.write("notes.txt");
    folder.step(".step-5");
    const auto series = findCheckpoints(folder.root);
    QCOMPARE(stepsOf(series), (Steps{4, 30, 200, 1000}));
    QCOMPARE(series->name, folder.root.filename().string());
    QCOMPARE(series->checkpoints[1].label, std::string("step-30-tokens2M"));
    QCOMPARE(series->checkpoints[1].tokens, std::optional<std::int64_t>(2'000'000));
    QVERIFY(series->checkpoints[0].sharedFolder.empty());
  }

  void stepsMayShareTheirConfig() {
    const Folder folder;
    folder.write("config.json");
    folder.step("step-1", false);
    folder.step("step-2", true);
    const auto series = findCheckpoints(folder.root);
    QCOMPARE(stepsOf(series), (Steps{1, 2}));
    QCOMPARE(series->checkpoints[0].sharedFolder, folder.root);
    QVERIFY(series->checkpoints[1].sharedFolder.empty());
  }

  void ggufFilesAreSteps() {
    const Folder folder;
    folder.write("config.json");
    folder.write("olmoe-step10.gguf", "weights");
    folder.write("step-5-tokens2M.gguf", "weights");
    folder.write("step-7/model.gguf", "weights");
    folder.write("step-8/README.md");
    fs::create_directories(folder.root / "step-9.gguf");
    auto series = findCheckpoints(folder.root);
    QCOMPARE(stepsOf(series), (Steps{5, 7, 10}));
    QCOMPARE(series->checkpoints[0].label, std::string("step-5-tokens2M"));
    QCOMPARE(series->checkpoints[0].tokens, std::optional<std::int64_t>(2'000'000));
    QCOMPARE(series->checkpoints[0].folder, folder.root / "step-5-tokens2M.gguf");
    QVERIFY(series->checkpoints[0].sharedFolder.empty());
    folder.write("index.json",
                 R"({"checkpoints": [{"folder": "olmoe-step10.gguf", "step": 3}, {"folder": "step-7"}]})");
    series = findCheckpoints(folder.root / "index.json");
    QVERIFY2(series, series ? "" : series.error().text().c_str());
    QCOMPARE(stepsOf(series), (Steps{3, 7}));
    QCOMPARE(series->checkpoints[0].label, std::string("olmoe-step10"));
    folder.write("mmproj.gguf");
    fs::remove(folder.root / "index.json");
    QCOMPARE(kindOf(folder.root), std::string("series.no_step"));
  }

  void whatIsWrongWithAFolder() {
    const Folder folder;
    QCOMPARE(kindOf(folder.root / "none"), std::string("series.not_found"));
    QCOMPARE(kindOf(folder.root), std::string("series.no_checkpoints"));
    folder.step("step-1");
    QCOMPARE(kindOf(folder.root), std::string("series.one_checkpoint"));
    folder.step("step-0001");
    auto found = findCheckpoints(folder.root);
    QCOMPARE(found.error().kind, std::string("series.equal_steps"));
    QVERIFY(found.error().message.find("step-0001 and step-1") != std::string::npos);
    folder.step("best");
    found = findCheckpoints(folder.root);
    QCOMPARE(found.error().kind, std::string("series.no_step"));
    QCOMPARE(found.error().where, std::string("best"));
  }

  void anIndexKnowsMore() {
    const Folder folder;
    for (const char* name : {"a", "b", "step-9"}) folder.step(name, false);
    folder.write("config.json");
    folder.write("index.json", R"({"about": 1, "snapshots": [
      {"folder": "b", "step": 20, "tokens_seen": 64, "train_loss": null},
      {"folder": "a", "step": 10.0, "tokens_seen": null, "label": "first"},
      {"folder": "step-9"}]})");
    for (const fs::path& path : {folder.root, folder.root / "index.json"}) {
      const auto series = findCheckpoints(path);
      QVERIFY2(series, series ? "" : series.error().text().c_str());
      QCOMPARE(stepsOf(series), (Steps{9, 10, 20}));
      QCOMPARE(series->checkpoints[1].label, std::string("first"));
      QCOMPARE(series->checkpoints[2].tokens, std::optional<std::int64_t>(64));
      QVERIFY(!series->checkpoints[1].tokens);
      QCOMPARE(series->checkpoints[0].sharedFolder, folder.root);
    }
    // An index.json about something else does not stand in the way.
    folder.write("index.json", R"({"weight_map": {}})");
    QCOMPARE(kindOf(folder.root), std::string("series.no_step"));
    folder.write("list.csv", "folder,step,tokens\r\nb,2,\r\n\"a\", 1, 500\r\n");
    const auto series = findCheckpoints(folder.root / "list.csv");
    QCOMPARE(stepsOf(series), (Steps{1, 2}));
    QCOMPARE(series->checkpoints[0].tokens, std::optional<std::int64_t>(500));
  }

  void badIndexes_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("kind");
    const auto row = [](const char* name, const char* file, const char* text,
                        const char* kind = "series.bad_index") {
      QTest::newRow(name) << file << text << kind;
    };
    row("no JSON", "i.json", "{");
    row("no list", "i.json", R"({"checkpoints": {}})");
    row("a list", "i.json", R"([{"folder": "a"}])");
    row("no object", "i.json", R"({"checkpoints": [1]})");
    row("no folder", "i.json", R"({"checkpoints": [{"step": 1}]})");
    row("bad step", "i.json", R"({"checkpoints": [{"folder": "a", "step": "x"}]})");
    row("half step", "i.json", R"({"checkpoints": [{"folder": "a", "step": 1.5}]})");
    row("negative step", "i.json", R"({"checkpoints": [{"folder": "a", "step": -1}]})");
    row("huge step", "i.json", R"({"checkpoints": [{"folder": "a", "step": 1e300}]})");
    row("upwards", "i.json", R"({"checkpoints": [{"folder": "../a", "step": 1}]})");
    row("absolute", "i.json", R"({"checkpoints": [{"folder": "/a", "step": 1}]})");
    row("missing", "i.json", R"({"checkpoints": [{"folder": "c", "step": 1}]})", "series.missing_checkpoint");
    row("no step", "i.json", R"({"checkpoints": [{"folder": "a"}]})", "series.no_step");
    row("empty", "i.json", R"({"checkpoints": []})", "series.no_checkpoints");
    row("short line", "i.csv", "folder,step\na\n");
    row("words", "i.csv", "folder,step\na,first\n");
    row("empty CSV", "i.csv", "", "series.no_checkpoints");
    row("not UTF-8", "i.csv", "folder,step\n\xff,1\n");
  }

  void badIndexes() {
    QFETCH(QString, file);
    QFETCH(QString, text);
    QFETCH(QString, kind);
    const Folder folder;
    folder.step("a");
    // A QString holds text only; the one row that is no text is put together here.
    folder.write(file.toStdString(), QTest::currentDataTag() == std::string("not UTF-8")
                                         ? "folder,step\n\xff,1\n"
                                         : text.toStdString());
    QCOMPARE(kindOf(folder.root / file.toStdString()), kind.toStdString());
  }

  void revisionsOfACache() {
    const Folder folder;
    const fs::path repository = "models--org--model";
    folder.step(repository / "snapshots/aaa");
    folder.step(repository / "snapshots/bbb");
    folder.step(repository / "snapshots/ccc");
    folder.write(repository / "refs/main", "ccc\n");
    folder.write(repository / "refs/step2000-tokens8B", "bbb\n");
    folder.write(repository / "refs/step500-tokens2B", "aaa");
    folder.write(repository / "refs/step9000-tokens37B", "ddd");  // was not fetched
    folder.write(repository / "refs/step9-tokens1B", "../aaa");
    const auto series = findCheckpoints(folder.root / repository);
    QCOMPARE(stepsOf(series), (Steps{500, 2000}));
    QCOMPARE(series->name, std::string("org/model"));
    QCOMPARE(series->checkpoints[0].folder, folder.root / repository / "snapshots/aaa");
    QCOMPARE(series->checkpoints[0].label, std::string("step500-tokens2B"));
    QCOMPARE(series->checkpoints[1].tokens, std::optional<std::int64_t>(8'000'000'000));
    // With a slash at the end it is the same folder.
    QCOMPARE(stepsOf(findCheckpoints((folder.root / repository).string() + "/")), (Steps{500, 2000}));
  }
};

QTEST_APPLESS_MAIN(TestCheckpointSeries)
#include "tst_checkpoint_series.moc"
