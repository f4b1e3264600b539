// recordCorpus on the fake engine: windows, labels, stopping, killing, resuming.
#include <QTest>

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <fstream>

#include "core/engine/generation/corpus_run.h"
#include "core/engine/generation/prompt_tokens.h"
#include "tests/support/generation_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

struct Corpus {
  QTemporaryDir folder;

  Corpus() {
    add("english.txt",
        "<|endoftext|>The captain looked for a wind that did not come before the evening."
        "<|endoftext|>A second text, shorter.");
    add("german.txt",
        "<|endoftext|>Die Datei konnte nicht gelesen werden, weil sie nicht da ist. Wählen Sie eine andere."
        "<|endoftext|>Noch ein Text.");
    add("python.txt",
        "<|endoftext|>def main(argv):\n    for line in argv:\n        print(line)\n    return 0\n");
  }
  void add(const char* name, const std::string& text) const {
    std::ofstream(folder.filePath(name).toStdString(), std::ios::binary) << text;
  }
  [[nodiscard]] CorpusSettings settings() const {
    CorpusSettings settings;
    settings.corpus = folder.path().toStdString();
    settings.contextTokens = 20;
    settings.capture = trace::CaptureLevel::Full;
    return settings;
  }
};

Result<CorpusOutcome> record(trace::TraceStore& store, const CorpusSettings& settings,
                             std::shared_ptr<Model> model = fakeModel(demoFolder()),
                             std::stop_token stop = {}) {
  return recordCorpus(model, demoTokenizer(), store, settings, {}, std::move(stop));
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

std::string label(const trace::SequenceRecord& sequence, const std::string& key) {
  for (const auto& [name, value] : sequence.labels) {
    if (name == key) return value;
  }
  return {};
}

}  // namespace

class TestCorpusRun : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void eachWindowIsASequence() {
    const Corpus corpus;
    TemporaryTrace trace;
    const auto outcome = record(*trace.store, corpus.settings());
    QVERIFY(outcome);
    const auto sequences = trace.store->sequences(outcome->run);
    QCOMPARE(static_cast<std::int64_t>(sequences.size()), outcome->sequences);
    std::int64_t rows = 0;
    std::map<std::string, std::vector<std::int32_t>> texts;  // ids of each document, windows put together
    for (const auto& sequence : sequences) {
      QVERIFY(sequence.complete);
      QVERIFY(sequence.length >= 1 && sequence.length <= 20);
      QCOMPARE(sequence.promptLength, sequence.length);
      QCOMPARE(sequence.firstToken, rows);
      const std::string document = label(sequence, "source") + "#" + label(sequence, "document");
      if (label(sequence, "window") == "0") QVERIFY(texts[document].empty());
      const auto block = trace.store->tokenBlock(outcome->run, 0);
      for (std::int64_t i = 0; i < sequence.length; ++i, ++rows) {
        texts[document].push_back(block->ids[static_cast<std::size_t>(rows)]);
        QCOMPARE(std::int64_t{block->positions[static_cast<std::size_t>(rows)]}, i);
        QCOMPARE(std::isnan(block->logProbs[static_cast<std::size_t>(rows)]), i == 0);
      }
    }
    QCOMPARE(rows, outcome->tokens);
    QCOMPARE(texts.size(), std::size_t{5});
    // The separator is a special token, so it stands before every document as it did in training.
    const auto second = textIds("A second text, shorter.", *demoTokenizer(), 0);
    QVERIFY(texts["english.txt#1"] == *second);
    QCOMPARE(label(sequences[0], "label"), std::string("english"));
    QCOMPARE(trace.store->run(outcome->run)->status, trace::RunStatus::Closed);
    QCOMPARE(trace.store->run(outcome->run)->routedTokens, rows);
    // Windows of one text share its hash, other texts have others.
    QCOMPARE(sequences[0].textHash,
             textHash("The captain looked for a wind that did not come before the evening."));
    for (const auto& other : sequences) {
      const bool sameText = label(other, "source") == "english.txt" && label(other, "document") == "0";
      QCOMPARE(other.textHash == sequences[0].textHash, sameText);
    }
  }

  void theMeanIsThatOfTheRows() {
    const Corpus corpus;
    TemporaryTrace trace;
    const auto outcome = record(*trace.store, corpus.settings());
    const auto block = trace.store->tokenBlock(outcome->run, 0);
    double sum = 0;
    int count = 0;
    for (const float logProb : block->logProbs) {
      if (std::isnan(logProb)) continue;
      sum += logProb;
      ++count;
    }
    QVERIFY(std::abs(outcome->meanLogProb - sum / count) < 1e-9);
  }

  void labelsHaveATokenLimit() {
    const Corpus corpus;
    TemporaryTrace trace;
    auto settings = corpus.settings();
    settings.maxTokensPerLabel = 25;
    const auto outcome = record(*trace.store, settings);
    std::map<std::string, std::int64_t> tokens;
    for (const auto& sequence : trace.store->sequences(outcome->run))
      tokens[label(sequence, "label")] += sequence.length;
    QCOMPARE(tokens["english"], std::int64_t{25});
    QCOMPARE(tokens["german"], std::int64_t{25});
    QCOMPARE(tokens["python"], std::int64_t{25});
  }

  void progressKnowsTheTotal() {
    const Corpus corpus;
    TemporaryTrace trace;
    std::vector<Progress> seen;
    const auto outcome =
        recordCorpus(fakeModel(demoFolder()), demoTokenizer(), *trace.store, corpus.settings(),
                     [&](const Progress& progress) { seen.push_back(progress); }, {});
    QCOMPARE(seen.back().done, outcome->tokens);
    QCOMPARE(seen.back().total, outcome->tokens);
    QCOMPARE(seen.back().unit, std::string("tokens"));
  }

  void aStoppedRunGoesOn() {
    const Corpus corpus;
    TemporaryTrace whole;
    const auto expected = record(*whole.store, corpus.settings());
    TemporaryTrace trace;
    std::stop_source stop;
    const auto model = fakeModel(demoFolder(), atBlock(6, [&] { stop.request_stop(); }));
    const auto first = record(*trace.store, corpus.settings(), model, stop.get_token());
    QVERIFY(first);
    QVERIFY(first->cancelled);
    QVERIFY(first->sequences < expected->sequences);
    QVERIFY(trace.store->run(first->run)->status != trace::RunStatus::Closed);
    auto settings = corpus.settings();
    settings.resume = true;
    const auto second = record(*trace.store, settings);
    QVERIFY2(second, second ? "" : second.error().text().c_str());
    QCOMPARE(second->run, first->run);
    QVERIFY(!second->cancelled);
    QCOMPARE(second->tokens, expected->tokens);
    QVERIFY(std::abs(second->meanLogProb - expected->meanLogProb) < 1e-9);
    COMPARE_DUMPS(dumpRun(*trace.store, second->run), dumpRun(*whole.store, expected->run));
    // Nothing is left to do.
    const auto third = record(*trace.store, settings);
    QCOMPARE(third->run, first->run);
    QCOMPARE(third->tokens, expected->tokens);
    QCOMPARE(trace.store->runs().size(), std::size_t{1});
  }

  void stoppedTwiceAndReopened() {
    const Corpus corpus;
    TemporaryTrace whole;
    const auto expected = record(*whole.store, corpus.settings());
    TemporaryTrace trace;
    auto settings = corpus.settings();
    for (const int block : {3, 4}) {
      std::stop_source stop;
      const auto model = fakeModel(demoFolder(), atBlock(block, [&] { stop.request_stop(); }));
      QVERIFY(record(*trace.store, settings, model, stop.get_token())->cancelled);
      QVERIFY(trace.store->close());
      trace.store = *trace::TraceStore::open(trace.file, trace::OpenMode::ReadWrite);
      settings.resume = true;
    }
    const auto last = record(*trace.store, settings);
    QVERIFY2(last, last ? "" : last.error().text().c_str());
    COMPARE_DUMPS(dumpRun(*trace.store, last->run), dumpRun(*whole.store, expected->run));
  }

  void aKilledRunGoesOn_data() {
    QTest::addColumn<bool>("flushed");
    QTest::newRow("after a commit") << true;
    QTest::newRow("at any time") << false;
  }

  void aKilledRunGoesOn() {
    QFETCH(bool, flushed);
    const Corpus corpus;
    const QTemporaryDir folder;
    const std::string file = folder.filePath("t.moescope").toStdString();
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = *trace::TraceStore::create(file);
      const auto model = fakeModel(demoFolder(), atBlock(7, [&] {
                                     if (flushed) (void)store->flush();
                                     ::raise(SIGKILL);
                                   }));
      (void)record(*store, corpus.settings(), model);
      ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    QVERIFY(WIFSIGNALED(status));
    TemporaryTrace whole;
    const auto expected = record(*whole.store, corpus.settings());
    auto opened = trace::TraceStore::open(file, trace::OpenMode::ReadWrite);
    QVERIFY2(opened, opened ? "" : opened.error().text().c_str());
    auto settings = corpus.settings();
    settings.resume = true;
    const auto outcome = record(**opened, settings);
    QVERIFY2(outcome, outcome ? "" : outcome.error().text().c_str());
    QCOMPARE(outcome->sequences, expected->sequences);
    COMPARE_DUMPS(dumpRun(**opened, outcome->run), dumpRun(*whole.store, expected->run));
  }

  void resumingSaysWhatDiffers_data() {
    QTest::addColumn<QString>("what");
    for (const char* what : {"the context", "the capture level", "the steering program", "the texts",
                             "the token limit of a label", "the weights fingerprint"}) {
      QTest::newRow(what) << what;
    }
  }

  void resumingSaysWhatDiffers() {
    QFETCH(QString, what);
    const Corpus corpus;
    TemporaryTrace trace;
    std::stop_source stop;
    const auto first =
        record(*trace.store, corpus.settings(),
               fakeModel(demoFolder(), atBlock(6, [&] { stop.request_stop(); })), stop.get_token());
    const auto before = dumpRun(*trace.store, first->run);
    auto settings = corpus.settings();
    settings.resume = true;
    auto model = fakeModel(demoFolder());
    const QTemporaryDir otherModel;
    if (what == "the context") settings.contextTokens = 19;
    if (what == "the capture level") settings.capture = trace::CaptureLevel::Weights;
    if (what == "the steering program") {
      settings.program.rules.push_back(banRule(settings.program, {LayerIndex{1}, ExpertIndex{2}}));
    }
    if (what == "the texts")
      corpus.add("english.txt",
                 "<|endoftext|>The captain looked for a wind that did not come "
                 "before the morning.<|endoftext|>A second text, shorter.");
    if (what == "the token limit of a label") settings.maxTokensPerLabel = 1000;
    if (what == "the weights fingerprint") model = changedModel(otherModel);
    const auto second = record(*trace.store, settings, model);
    QVERIFY(!second);
    QCOMPARE(second.error().kind, std::string("corpus.resume_mismatch"));
    QVERIFY2(QString::fromStdString(second.error().message).endsWith("these differ: " + what),
             second.error().message.c_str());
    QCOMPARE(dumpRun(*trace.store, first->run), before);  // nothing was cut
  }

  void badSettingsStartNoRun() {
    const Corpus corpus;
    TemporaryTrace trace;
    auto settings = corpus.settings();
    settings.contextTokens = 5000;
    QCOMPARE(record(*trace.store, settings).error().kind, std::string("corpus.context_too_long"));
    settings.contextTokens = 50;
    QCOMPARE(record(*trace.store, settings, fakeModel(demoFolder(), {}, 30)).error().kind,
             std::string("corpus.context_too_long"));
    settings.program.rules.push_back(banRule(settings.program, {LayerIndex{1}, ExpertIndex{200}}));
    QCOMPARE(record(*trace.store, settings).error().kind, std::string("steering.no_such_expert"));
    corpus.add("bad.txt", "caf\xe9");
    QCOMPARE(record(*trace.store, corpus.settings()).error().kind, std::string("corpus.not_utf8"));
    QVERIFY(trace.store->runs().empty());
  }

  void aSteeredRunSaysSo() {
    const Corpus corpus;
    TemporaryTrace trace;
    auto settings = corpus.settings();
    settings.program.rules.push_back(banRule(settings.program, {LayerIndex{2}, ExpertIndex{4}}));
    const auto outcome = record(*trace.store, settings);
    QCOMPARE(trace.store->steeringEvents(outcome->run).size(), std::size_t{1});
    QCOMPARE(trace.store->load(outcome->run, 2, {0, outcome->tokens}).counts[4], std::int64_t{0});
  }

  void aFullDiskEndsTheRun() {
    const Corpus corpus;
    trace::StoreOptions options;
    options.maxPages = 60;
    options.commitIntervalMs = 1;
    TemporaryTrace trace(options);
    std::string text;
    for (int i = 0; i < 3000; ++i) text += "word" + std::to_string(i) + " ";
    corpus.add("english.txt", text);
    const auto behaviour = std::make_shared<FakeBehaviour>();
    behaviour->beforeBlock = [&](std::int64_t, int) {
      if (behaviour->forwards % 64 == 0) (void)trace.store->flush();
    };
    const auto outcome = record(*trace.store, corpus.settings(), fakeModel(demoFolder(), behaviour));
    QVERIFY(!outcome);
    QCOMPARE(outcome.error().kind, std::string("machine.disk_full"));
  }

 private:
  /// The demo with other last bits in its weights.
  static std::shared_ptr<Model> changedModel(const QTemporaryDir& folder) {
    namespace fs = std::filesystem;
    const fs::path target = folder.path().toStdString();
    fs::copy(demoFolder(), target, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    const auto size = static_cast<std::streamoff>(fs::file_size(target / "model.safetensors"));
    std::fstream file(target / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    file.read(bytes.data(), size);
    std::int64_t header = 0;
    for (int i = 7; i >= 0; --i)
      header = header * 256 + static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    for (auto i = static_cast<std::size_t>(8 + header); i < bytes.size(); i += 2)
      bytes[i] = static_cast<char>(bytes[i] ^ 1);
    file.seekp(0);
    file.write(bytes.data(), size);
    file.close();
    return fakeModel(target);
  }
};

QTEST_APPLESS_MAIN(TestCorpusRun)
#include "tst_corpus_run.moc"
