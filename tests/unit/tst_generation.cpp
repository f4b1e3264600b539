// Generation on the fake engine: text, finish reasons, bad input.
#include <QTest>

#include <fstream>

#include "core/base/strict_json.h"
#include "core/engine/generation/prompt_tokens.h"
#include "tests/support/generation_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

/// A checkpoint folder with another tokenizer_config.json.
std::shared_ptr<Model> modelWithConfig(const QTemporaryDir& folder, const std::string& tokenizerConfig) {
  namespace fs = std::filesystem;
  const fs::path target = folder.path().toStdString();
  for (const char* file : {"config.json", "model.safetensors", "generation_config.json"}) {
    fs::copy_file(demoFolder() / file, target / file, fs::copy_options::overwrite_existing);
  }
  std::ofstream(target / "tokenizer_config.json") << tokenizerConfig;
  return fakeModel(target);
}

}  // namespace

class TestGeneration : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void beginTokenFollowsTheTokenizerConfig() {
    const QTemporaryDir folder;
    const auto begin = [&](const std::string& config) {
      return beginToken(modelWithConfig(folder, config)->checkpoint(), *demoTokenizer());
    };
    QCOMPARE(begin(R"({"add_bos_token": true, "bos_token": "<|endoftext|>"})"), std::optional(0));
    QCOMPARE(begin(R"({"add_bos_token": true, "bos_token": {"content": "<|pad|>"}})"), std::optional(1));
    QVERIFY(!begin(R"({"add_bos_token": false, "bos_token": "<|endoftext|>"})"));
  }

  void beginTokenIsNotDoubled() {
    std::vector<std::int32_t> expected{0};
    const auto plain = demoTokenizer()->encode("one two", false);
    for (const auto& token : *plain) expected.push_back(token.id);
    QCOMPARE(*textIds("one two", *demoTokenizer(), 0), expected);
    // The tokenizer puts it there already, and so may the user.
    QCOMPARE(*textIds("one two", *demoTokenizer(), std::nullopt), expected);
    QCOMPARE(*textIds("<|endoftext|>one two", *demoTokenizer(), 0), expected);
  }

  void sameSeedSameText() {
    const auto model = fakeModel(demoFolder());
    auto settings = prompt("Our relations with", 40);
    std::vector<std::string> texts;
    for (const std::uint64_t seed : {5U, 5U, 6U}) {
      settings.sampler.seed = seed;
      const auto generation = startOrDie(model, nullptr, settings);
      write(*generation);
      texts.push_back(dumpTokens(*generation));
      QCOMPARE(generation->tokens().size() - static_cast<std::size_t>(generation->promptTokens()),
               std::size_t{40});
    }
    QCOMPARE(texts[0], texts[1]);
    QVERIFY(texts[0] != texts[2]);
  }

  void stopStringsAcrossTokens() {
    const auto model = fakeModel(demoFolder());
    const auto free = startOrDie(model, nullptr, greedy("one two", 40));
    write(*free);
    const std::string whole = free->text();
    const auto first = static_cast<std::size_t>(free->promptTokens());
    // Three bytes over the border between two tokens, where both are plain text.
    std::size_t border = 0;
    std::size_t at = 0;
    for (std::size_t i = first; i + 1 < free->tokens().size() && at == 0; ++i) {
      border += free->tokens()[i].text.size();
      const bool plain = free->tokens()[i].text.size() >= 2 && free->tokens()[i + 1].text.size() >= 2;
      if (plain && i > first + 5) at = border - 1;
    }
    QVERIFY(at > 0);
    auto settings = greedy("one two", 40);
    settings.stopStrings = {whole.substr(at, 3)};
    const auto stopped = startOrDie(model, nullptr, settings);
    std::string shown;
    while (stopped->finished() == FinishReason::Running) shown += stopped->step({})->text;
    QCOMPARE(stopped->finished(), FinishReason::StopString);
    const std::string expected = whole.substr(0, whole.find(settings.stopStrings[0]));
    QCOMPARE(stopped->text(), expected);
    QCOMPARE(shown, expected);
    // The token that completed it stays.
    std::vector<std::int32_t> ids;
    for (const auto& token : stopped->tokens()) ids.push_back(token.id);
    QVERIFY(demoTokenizer()->decode(ids, true).find(settings.stopStrings[0]) != std::string::npos);
  }

  void streamedTextNeverSplitsACharacter() {
    auto behaviour = std::make_shared<FakeBehaviour>();
    const std::string chinese = "天地玄黃,宇宙洪荒。龘😀é";
    const auto ids = textIds(chinese, *demoTokenizer(), std::nullopt);
    QVERIFY(ids->size() > 8);
    for (std::size_t i = 0; i < ids->size(); ++i) behaviour->forced[static_cast<std::int64_t>(i)] = (*ids)[i];
    auto settings = greedy("", static_cast<int>(ids->size()));
    settings.promptIds = {42};
    const auto generation = startOrDie(fakeModel(demoFolder(), behaviour), nullptr, settings);
    std::string text;
    int empty = 0;
    while (generation->finished() == FinishReason::Running) {
      const auto piece = generation->step({})->text;
      QVERIFY(isValidUtf8(piece));
      empty += piece.empty() ? 1 : 0;
      text += piece;
    }
    QCOMPARE(text, chinese);
    QCOMPARE(generation->text(), chinese);
    QVERIFY(empty > 0);  // some token was part of a character
  }

  void endsAtTheEndToken() {
    auto behaviour = std::make_shared<FakeBehaviour>();
    behaviour->forced[9] = 0;
    auto settings = greedy("", 40);
    settings.promptIds = {5, 6, 7, 8};
    settings.ignoreEndTokens = false;
    const auto model = fakeModel(demoFolder(), behaviour);
    const auto generation = startOrDie(model, nullptr, settings);
    write(*generation);
    QCOMPARE(generation->finished(), FinishReason::EndToken);
    QCOMPARE(generation->tokens().size(), std::size_t{11});
    QCOMPARE(generation->step({}).error().kind, std::string("generate.finished"));
    settings.ignoreEndTokens = true;
    const auto longer = startOrDie(model, nullptr, settings);
    write(*longer);
    QCOMPARE(longer->finished(), FinishReason::MaxTokens);
  }

  void continuesAfterTheTokenLimit() {
    const auto model = fakeModel(demoFolder());
    const auto whole = startOrDie(model, nullptr, prompt("one two", 25));
    write(*whole);
    const auto parts = startOrDie(model, nullptr, prompt("one two", 10));
    write(*parts);
    QCOMPARE(parts->finished(), FinishReason::MaxTokens);
    parts->extend(15);
    QCOMPARE(parts->finished(), FinishReason::Running);
    write(*parts);
    QCOMPARE(dumpTokens(*parts), dumpTokens(*whole));
    QCOMPARE(parts->text(), whole->text());
  }

  void aFullContextIsAnEndAndNoError() {
    auto settings = greedy("", 100);
    settings.promptIds = {5, 6, 7, 8};
    const auto generation = startOrDie(fakeModel(demoFolder(), {}, 12), nullptr, settings);
    write(*generation);
    QCOMPARE(generation->finished(), FinishReason::ContextFull);
    QCOMPARE(generation->tokens().size(), std::size_t{13});  // the last one has no place any more
    settings.promptIds.assign(12, 5);
    const auto exact = startOrDie(fakeModel(demoFolder(), {}, 12), nullptr, settings);
    write(*exact);
    QCOMPARE(exact->tokens().size(), std::size_t{13});
  }

  void badInputIsRefused_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QList<int>>("ids");
    QTest::addColumn<int>("maxTokens");
    QTest::addColumn<double>("temperature");
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("says");
    QTest::newRow("empty") << "" << QList<int>{} << 5 << 1.0 << "generate.empty_prompt"
                           << "empty";
    QTest::newRow("too long") << "" << QList<int>(13, 5) << 5 << 1.0 << "generate.prompt_too_long"
                              << "13 tokens, the context holds 12";
    QTest::newRow("id") << "" << QList<int>{4096} << 5 << 1.0 << "generate.bad_token"
                        << "4096";
    QTest::newRow("negative id") << "" << QList<int>{-1} << 5 << 1.0 << "generate.bad_token"
                                 << "token ids";
    QTest::newRow("length") << "x" << QList<int>{} << 0 << 1.0 << "generate.bad_length"
                            << "0 tokens";
    QTest::newRow("sampler") << "x" << QList<int>{} << 5 << -1.0 << "sampler.bad_value"
                             << "temperature";
    QTest::newRow("not UTF-8") << "latin1" << QList<int>{} << 5 << 1.0 << "tokenizer.not_utf8"
                               << "";
  }
  void badInputIsRefused() {
    QFETCH(QString, text);
    QFETCH(QList<int>, ids);
    QFETCH(int, maxTokens);
    QFETCH(double, temperature);
    QFETCH(QString, kind);
    QFETCH(QString, says);
    TemporaryTrace trace;
    GenerationSettings settings;
    settings.prompt = text == "latin1" ? "caf\xe9" : text.toStdString();
    settings.promptIds.assign(ids.begin(), ids.end());
    settings.maxTokens = maxTokens;
    settings.sampler.temperature = temperature;
    const auto result =
        Generation::start(fakeModel(demoFolder(), {}, 12), demoTokenizer(), trace.store, settings);
    QVERIFY(!result);
    QCOMPARE(QString::fromStdString(result.error().kind), kind);
    QVERIFY(QString::fromStdString(result.error().text()).contains(says));
    QVERIFY(trace.store->runs().empty());
  }

  void tokenisingALongPromptCanBeStopped() {
    TemporaryTrace trace;
    std::stop_source source;
    source.request_stop();
    const auto result = Generation::start(fakeModel(demoFolder()), demoTokenizer(), trace.store,
                                          prompt(std::string(4'000'000, 'x'), 1), source.get_token());
    QVERIFY(!result);
    QCOMPARE(result.error().kind, std::string("cancelled"));
    QVERIFY(trace.store->runs().empty());
  }

  void anErrorOfTheEngineLeavesTheTextUsable() {
    auto behaviour = std::make_shared<FakeBehaviour>();
    const auto model = fakeModel(demoFolder(), behaviour);
    const auto whole = startOrDie(model, nullptr, prompt("one two", 12));
    write(*whole);
    const auto generation = startOrDie(model, nullptr, prompt("one two", 12));
    behaviour->forwardError = Error{"machine.out_of_memory", "", "", "no memory is left", ""};
    behaviour->errorPosition = 6;
    Result<GeneratedToken> token = generation->step({});
    while (token) token = generation->step({});
    QCOMPARE(token.error().kind, std::string("machine.out_of_memory"));
    behaviour->forwardError.reset();
    write(*generation);
    QCOMPARE(dumpTokens(*generation), dumpTokens(*whole));
  }

  void theObserverSeesEveryStepOnce() {
    const auto generation = startOrDie(fakeModel(demoFolder()), nullptr, greedy(kLongPrompt, 5));
    std::int64_t next = 0;
    generation->setObserver([&](std::int64_t position, int tokens, const StepOutput& output) {
      QCOMPARE(position, next);
      QCOMPARE(output.routers.size(), std::size_t{6});
      next += tokens;
    });
    std::vector<std::int64_t> progress;
    generation->setProgress([&](const Progress& now) { progress.push_back(now.done); });
    write(*generation);
    QCOMPARE(next, static_cast<std::int64_t>(generation->tokens().size()) - 1);
    QVERIFY(progress.size() >= 2);
    QCOMPARE(progress.back(), generation->promptTokens());
  }
};

QTEST_APPLESS_MAIN(TestGeneration)
#include "tst_generation.moc"
