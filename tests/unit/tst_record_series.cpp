// recordSeries on the fake engine: one run a checkpoint, stopping, going on, and what it refuses.
#include <QTest>

#include <cmath>
#include <fstream>

#include "core/engine/generation/record_series.h"
#include "tests/support/generation_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// The demo's weights with one byte changed, so that each step has its own.
void copyWeights(const fs::path& to, char mark) {
  fs::create_directories(to);
  fs::copy_file(demoFolder() / "model.safetensors", to / "model.safetensors");
  fs::permissions(to / "model.safetensors", fs::perms::owner_write, fs::perm_options::add);
  std::fstream file(to / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-2, std::ios::end);
  file.put(mark);
}

/// Three steps that share config and tokenizer, and a corpus.
struct Training {
  QTemporaryDir temporary;
  fs::path root = temporary.path().toStdString();
  fs::path steps = root / "training";

  Training() {
    for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
      fs::create_directories(steps);
      fs::copy_file(demoFolder() / name, steps / name);
    }
    copyWeights(steps / "step-0", 1);
    copyWeights(steps / "step-16-tokens131K", 2);
    copyWeights(steps / "step-4", 3);
    write(root / "corpus/english.txt", "The captain looked for a wind that did not come before the evening.");
    write(root / "corpus/german.txt", "Die Datei konnte nicht gelesen werden.<|endoftext|>Noch ein Text.");
  }
  [[nodiscard]] SeriesSettings settings() const {
    SeriesSettings settings;
    settings.checkpoints = steps;
    settings.corpus.corpus = root / "corpus";
    settings.corpus.contextTokens = 8;
    settings.corpus.capture = trace::CaptureLevel::Ids;
    return settings;
  }
};

Result<SeriesOutcome> record(trace::TraceStore& store, const SeriesSettings& settings,
                             std::shared_ptr<FakeBehaviour> behaviour = std::make_shared<FakeBehaviour>(),
                             std::stop_token stop = {}, const ProgressCallback& progress = {}) {
  FakeEngine engine(std::move(behaviour));
  return recordSeries(engine, store, settings, progress, std::move(stop));
}

/// A behaviour that calls `action` before the n-th block (from 1).
std::shared_ptr<FakeBehaviour> atBlock(int number, std::function<void()> action) {
  auto behaviour = std::make_shared<FakeBehaviour>();
  behaviour->beforeBlock = [behaviour = behaviour.get(), number, action = std::move(action)](std::int64_t,
                                                                                             int) {
    if (behaviour->forwards == number - 1) action();
  };
  return behaviour;
}

std::string kindOf(const Training& training) {
  TemporaryTrace trace;
  const auto outcome = record(*trace.store, training.settings());
  if (outcome) return "none";
  return trace.store->runs().empty() && trace.store->allSeries().empty() ? outcome.error().kind : "left runs";
}

}  // namespace

class TestRecordSeries : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // Another model takes the memory: it is asked to go once, and the series goes on from where it is.
  void roomIsMadeForACheckpoint() {
    const Training training;
    auto behaviour = std::make_shared<FakeBehaviour>();
    auto other = fakeModel(demoFolder(), behaviour);
    behaviour->freeBytes = behaviour->modelBytes;
    FakeEngine engine(behaviour);
    int asked = 0;
    bool gives = false;
    SeriesEvents events;
    events.makeRoom = [&](const checkpoint::Checkpoint& checkpoint, const LoadOptions& options) {
      ++asked;
      if (!engine.fitsInsteadOf(*other, checkpoint, options) || !gives) return false;
      other.reset();
      return true;
    };
    TemporaryTrace trace;
    const auto refused = recordSeries(engine, *trace.store, training.settings(), {}, {}, events);
    QVERIFY(!refused);
    QCOMPARE(refused.error().kind, std::string("machine.out_of_memory"));
    QVERIFY(other != nullptr);
    gives = true;
    const auto outcome = recordSeries(engine, *trace.store, training.settings(), {}, {}, events);
    QVERIFY2(outcome, outcome ? "" : outcome.error().text().c_str());
    QCOMPARE(outcome->steps.size(), std::size_t{3});
    QCOMPARE(asked, 2);
  }

  void oneRunACheckpoint() {
    const Training training;
    TemporaryTrace trace;
    std::vector<Progress> seen;
    const auto outcome = record(*trace.store, training.settings(), std::make_shared<FakeBehaviour>(), {},
                                [&](const Progress& progress) { seen.push_back(progress); });
    QVERIFY2(outcome, outcome ? "" : outcome.error().text().c_str());
    QCOMPARE(outcome->steps.size(), std::size_t{3});
    QCOMPARE(outcome->checkpoints, std::size_t{3});
    const auto series = trace.store->allSeries();
    QCOMPARE(series.size(), std::size_t{1});
    QCOMPARE(series[0].name, std::string("training"));
    QCOMPARE(series[0].runs, (std::vector<trace::RunId>{1, 2, 3}));
    const std::vector<std::int64_t> steps{0, 4, 16};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto run = *trace.store->run(series[0].runs[i]);
      QCOMPARE(run.trainStep, std::optional(steps[i]));
      QCOMPARE(run.status, trace::RunStatus::Closed);
      QCOMPARE(run.capture, trace::CaptureLevel::Ids);
      QCOMPARE(run.name, run.checkpointLabel);
      QCOMPARE(run.tokens, outcome->steps[i].outcome.tokens);
      // The same texts in the same order.
      const auto one = trace.store->sequences(run.id);
      const auto first = trace.store->sequences(1);
      QCOMPARE(one.size(), first.size());
      for (std::size_t s = 0; s < one.size(); ++s) QCOMPARE(one[s].textHash, first[s].textHash);
    }
    QCOMPARE(trace.store->run(3)->trainTokens, std::optional<std::int64_t>(131'000));
    QVERIFY(!trace.store->run(2)->trainTokens);
    // Models of their own, told apart by their weights.
    QVERIFY(trace.store->model(trace.store->run(1)->model)->weightsFingerprint !=
            trace.store->model(trace.store->run(2)->model)->weightsFingerprint);
    QCOMPARE(seen.back().done, 3 * trace.store->run(1)->tokens);
    QCOMPARE(seen.back().total, seen.back().done);
    const auto block = trace.store->tokenBlock(1, 0);
    for (const std::int32_t id : block->alternativeIds) QCOMPARE(id, -1);
    QVERIFY(trace::checkTrace(trace.file, false, {}, {})->empty());
  }

  void aStoppedSeriesGoesOn() {
    const Training training;
    TemporaryTrace whole;
    const auto expected = record(*whole.store, training.settings());
    const auto windows = static_cast<int>(whole.store->sequences(1).size());
    // Between two runs, inside the second, at its very beginning.
    for (const int block : {windows + 1, windows + 3, 2 * windows}) {
      TemporaryTrace trace;
      std::stop_source stop;
      const auto first = record(*trace.store, training.settings(),
                                atBlock(block, [&] { stop.request_stop(); }), stop.get_token());
      QVERIFY(first && first->cancelled);
      QVERIFY(trace.store->close());
      trace.store = *trace::TraceStore::open(trace.file, trace::OpenMode::ReadWrite);
      auto settings = training.settings();
      settings.corpus.resume = true;
      const auto second = record(*trace.store, settings);
      QVERIFY2(second, second ? "" : second.error().text().c_str());
      QCOMPARE(second->series, first->series);
      QCOMPARE(second->steps.size(), std::size_t{3});
      QVERIFY(second->steps[0].kept);
      QVERIFY(!second->steps[2].kept);
      QCOMPARE(trace.store->allSeries()[0].runs, (std::vector<trace::RunId>{1, 2, 3}));
      for (const trace::RunId run : {1, 2, 3})
        COMPARE_DUMPS(dumpRun(*trace.store, run), dumpRun(*whole.store, run));
    }
  }

  void nothingIsLeftOfASeriesThatNeverBegan() {
    const Training training;
    TemporaryTrace trace;
    std::stop_source stop;
    auto behaviour = std::make_shared<FakeBehaviour>();
    behaviour->whileLoading = [&](int) { stop.request_stop(); };
    const auto outcome = record(*trace.store, training.settings(), behaviour, stop.get_token());
    QVERIFY(outcome && outcome->cancelled);
    QCOMPARE(outcome->series, std::int64_t{0});
    QVERIFY(trace.store->allSeries().empty());
  }

  void aFinishedSeriesHasNothingLeftToDo() {
    const Training training;
    TemporaryTrace trace;
    QVERIFY(record(*trace.store, training.settings()));
    auto settings = training.settings();
    settings.corpus.resume = true;
    auto behaviour = std::make_shared<FakeBehaviour>();
    const auto again = record(*trace.store, settings, behaviour);
    QVERIFY(again && !again->cancelled);
    QCOMPARE(behaviour->forwards.load(), 0);
    QCOMPARE(trace.store->runs().size(), std::size_t{3});
    // Without resume it is a series of its own.
    QVERIFY(record(*trace.store, training.settings()));
    QCOMPARE(trace.store->allSeries().size(), std::size_t{2});
  }

  void resumingSaysWhatDiffers_data() {
    QTest::addColumn<QString>("what");
    for (const char* what : {"the context", "the capture level", "the texts", "the token limit of a text",
                             "the checkpoints", "the weights of step-0 are not those that were recorded"})
      QTest::newRow(what) << what;
  }

  void resumingSaysWhatDiffers() {
    QFETCH(QString, what);
    const Training training;
    TemporaryTrace trace;
    QVERIFY(record(*trace.store, training.settings()));
    auto settings = training.settings();
    settings.corpus.resume = true;
    if (what == "the context") settings.corpus.contextTokens = 9;
    if (what == "the capture level") settings.corpus.capture = trace::CaptureLevel::Weights;
    if (what == "the texts") write(training.root / "corpus/german.txt", "Etwas ganz anderes steht nun hier.");
    if (what == "the token limit of a text") settings.corpus.maxTokensPerText = 5;
    if (what == "the checkpoints") fs::rename(training.steps / "step-4", training.steps / "step-5");
    if (what.startsWith("the weights")) {
      fs::remove_all(training.steps / "step-0");
      copyWeights(training.steps / "step-0", 77);
    }
    const auto outcome = record(*trace.store, settings);
    QVERIFY(!outcome);
    QCOMPARE(outcome.error().kind, std::string("series.resume_mismatch"));
    QVERIFY2(QString::fromStdString(outcome.error().message).endsWith(what), outcome.error().message.c_str());
    QCOMPARE(trace.store->runs().size(), std::size_t{3});
  }

  void runsOfASeriesAreNotResumedAlone() {
    const Training training;
    TemporaryTrace trace;
    QVERIFY(record(*trace.store, training.settings()));
    auto settings = training.settings().corpus;
    settings.resume = true;
    const auto alone = recordCorpus(fakeModel(demoFolder()), demoTokenizer(), *trace.store, settings, {}, {});
    QVERIFY2(alone, alone ? "" : alone.error().text().c_str());
    QCOMPARE(alone->run, trace::RunId{4});
  }

  void otherTokensAreRefused() {
    const Training training;
    const fs::path step = training.steps / "step-4";
    fs::copy_file(training.steps / "config.json", step / "config.json");
    // Few merges: words are cut otherwise.
    std::ifstream file(training.steps / "tokenizer.json");
    auto tokenizer = nlohmann::json::parse(file);
    auto& merges = tokenizer["model"]["merges"];
    merges.erase(merges.begin() + 100, merges.end());
    write(step / "tokenizer.json", tokenizer.dump());
    TemporaryTrace trace;
    const auto outcome = record(*trace.store, training.settings());
    QVERIFY(!outcome);
    QCOMPARE(outcome.error().kind, std::string("series.different_tokens"));
    QVERIFY(outcome.error().message.find("step-0 and step-4") != std::string::npos);
    QVERIFY(trace.store->runs().empty());
    // A file that only looks other gives the same tokens.
    fs::remove(step / "tokenizer.json");
    std::ifstream again(training.steps / "tokenizer.json");
    write(step / "tokenizer.json", nlohmann::json::parse(again).dump(1) + "\n");
    QCOMPARE(kindOf(training), std::string("none"));
  }

  void otherModelsAreRefused() {
    const Training training;
    const fs::path step = training.steps / "step-4";
    std::ifstream file(training.steps / "config.json");
    auto config = nlohmann::json::parse(file);
    config["num_experts_per_tok"] = 2;
    write(step / "config.json", config.dump());
    fs::copy_file(training.steps / "tokenizer.json", step / "tokenizer.json");
    TemporaryTrace trace;
    const auto outcome = record(*trace.store, training.settings());
    QVERIFY(!outcome);
    QCOMPARE(outcome.error().kind, std::string("series.mixed_models"));
    QVERIFY(outcome.error().message.starts_with("the number of chosen experts is not that of step-0"));
  }

  void brokenWeightsStopBeforeAnythingRuns() {
    const Training training;
    write(training.steps / "step-4/model.safetensors", "short");
    QCOMPARE(kindOf(training), std::string("safetensors.too_short"));
  }
};

QTEST_APPLESS_MAIN(TestRecordSeries)
#include "tst_record_series.moc"
