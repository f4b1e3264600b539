// Encoder-decoders in use: generation from a source, prefixes of the decoder, corpora, what a trace says of
// tokens that a router does not see, replays under rules. Greedy texts: the references of both families.
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/base/router_label.h"
#include "core/engine/api/reference_file.h"
#include "core/engine/generation/corpus_run.h"
#include "core/engine/generation/generation.h"
#include "tests/support/encoder_decoder_rows.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/family_adapters.h"
#include "tests/support/small_tokenizer.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

constexpr std::int32_t kLanguage = 40;  // a special token of the tokenizer below
constexpr std::int32_t kEnd = 2;        // which its template puts behind a text

/// Letters as bytes, special tokens, and an end token behind every text.
std::shared_ptr<const tokenizer::Tokenizer> lettersTokenizer() {
  auto document = smallDocument();
  auto vocabulary = nlohmann::json::object();
  vocabulary["<s>"] = 0;
  vocabulary["<pad>"] = 1;
  vocabulary["</s>"] = kEnd;
  for (int letter = 0; letter < 26; ++letter)
    vocabulary[std::string(1, static_cast<char>('a' + letter))] = 3 + letter;
  vocabulary["Ġ"] = 29;
  for (int id = 30; id < 128; ++id) vocabulary["<" + std::to_string(id) + ">"] = id;
  document["model"]["vocab"] = vocabulary;
  document["model"]["merges"] = nlohmann::json::array();
  for (const int id : {0, 1, 2, static_cast<int>(kLanguage)}) {
    std::string content;
    for (const auto& [piece, number] : vocabulary.items()) {
      if (number == id) content = piece;
    }
    document["added_tokens"].push_back({{"id", id},
                                        {"content", content},
                                        {"single_word", false},
                                        {"lstrip", false},
                                        {"rstrip", false},
                                        {"normalized", false},
                                        {"special", true}});
  }
  document["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single",
       {{{"Sequence", {{"id", "A"}, {"type_id", 0}}}}, {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}}}},
      {"pair", nlohmann::json::array()},
      {"special_tokens", {{"</s>", {{"id", "</s>"}, {"ids", {kEnd}}, {"tokens", {"</s>"}}}}}}};
  static const auto tokenizer = orDie(parse(document));
  return tokenizer;
}

std::shared_ptr<Model> modelOf(const QString& family) {
  LoadOptions options;
  options.device = "cpu";
  options.contextTokens = 400;
  return loadModel(checkpointFolder(family.toStdString()), options);
}

GenerationSettings greedySettings(std::vector<std::int32_t> source, int tokens = 16) {
  GenerationSettings settings;
  settings.promptIds = std::move(source);
  settings.maxTokens = tokens;
  settings.sampler.temperature = 0.0F;
  settings.ignoreEndTokens = true;
  settings.capture = trace::CaptureLevel::Full;
  return settings;
}

std::vector<std::int32_t> idsOf(const Generation& generation) {
  std::vector<std::int32_t> ids;
  for (const auto& token : generation.tokens()) ids.push_back(token.id);
  return ids;
}

void writeOn(Generation& generation) {
  while (generation.finished() == FinishReason::Running) orDie(generation.step({}));
}

/// A run of the family that wrote 16 tokens from the reference's first source, in a closed file.
struct RecordedRun {
  explicit RecordedRun(const QString& family) : model(modelOf(family)) {
    file = folder.filePath("t.moescope").toStdString();
    const auto store = orDie(trace::TraceStore::create(file));
    source = spreadIds(*model, 300);  // beyond a block of rows
    auto generation = orDie(Generation::start(model, lettersTokenizer(), store, greedySettings(source)));
    writeOn(*generation);
    run = *generation->run();
    if (!generation->finish() || !store->close()) qFatal("the run was not written");
  }
  QTemporaryDir folder;
  std::filesystem::path file;
  std::shared_ptr<Model> model;
  std::vector<std::int32_t> source;
  trace::RunId run = 0;
};

}  // namespace

class TestGoldenEncoderDecoderRuns : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { useFamilyAdapters(); }

  // With a cache, as it is written: the reference whose decoder tokens are forwarded one by one.
  void writesTheReferencesText_data() { addFamilies(); }
  void writesTheReferencesText() {
    const auto model = modelOf(family());
    const auto reference = orDie(
        ReferenceFile::open(checkpointFolder(family().toStdString()) / "reference_token_by_token.safetensors",
                            model->checkpoint().description()));
    const auto source = std::vector(reference.ids().begin(), reference.ids().begin() + reference.tokens());
    const auto generation =
        orDie(Generation::start(model, lettersTokenizer(), nullptr, greedySettings(source)));
    QCOMPARE(generation->promptTokens(), reference.tokens());
    QCOMPARE(generation->givenTokens(), reference.tokens() + 1);
    writeOn(*generation);
    const auto& tokens = generation->tokens();
    QCOMPARE(tokens.size(), source.size() + 17);
    QCOMPARE(tokens[source.size()].id, model->checkpoint().description().encoder->decoderStart);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      QCOMPARE(tokens[i].prompt, i <= source.size());
      QCOMPARE(std::isfinite(tokens[i].logProb), i > source.size());
      if (i > source.size()) QCOMPARE(tokens[i].id, reference.greedyIds()[i - source.size() - 1]);
    }
  }

  void textsAndPrefixes() {
    const auto model = modelOf("nllb_moe");
    GenerationSettings settings;
    settings.prompt = "a b";
    settings.maxTokens = 1;
    const auto plain = orDie(Generation::start(model, lettersTokenizer(), nullptr, settings));
    QCOMPARE(idsOf(*plain), (std::vector<std::int32_t>{3, 29, 4, kEnd, 2}));
    settings.decoderPrefix = "<40>c";
    const auto prefixed = orDie(Generation::start(model, lettersTokenizer(), nullptr, settings));
    QCOMPARE(idsOf(*prefixed), (std::vector<std::int32_t>{3, 29, 4, kEnd, 2, kLanguage, 5}));
    QCOMPARE(prefixed->promptTokens(), std::int64_t{4});
    QCOMPARE(prefixed->givenTokens(), std::int64_t{7});
    orDie(prefixed->step({}));
    QCOMPARE(prefixed->finished(), FinishReason::MaxTokens);
    QVERIFY(std::isnan(prefixed->tokens()[4].logProb));
    QVERIFY(std::isfinite(prefixed->tokens()[5].logProb));
    const auto refused = Generation::start(
        loadModel(demoModelFolder()), orDie(tokenizer::Tokenizer::open(demoModelFolder() / "tokenizer.json")),
        nullptr, settings);
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("generate.no_decoder"));
  }

  // What the checkpoint forces stands where a prefix would.
  void forcedBegin() {
    QTemporaryDir folder;
    const std::filesystem::path to = folder.path().toStdString();
    for (const char* name : {"model.safetensors", "config.json"})
      std::filesystem::copy_file(checkpointFolder("nllb_moe") / name, to / name);
    std::ofstream(to / "generation_config.json")
        << R"({"decoder_start_token_id":3,"forced_bos_token_id":40,"bos_token_id":0,"eos_token_id":2})";
    LoadOptions options;
    options.device = "cpu";
    const auto model = loadModel(to, options);
    GenerationSettings settings;
    settings.prompt = "a";
    QCOMPARE(idsOf(*orDie(Generation::start(model, lettersTokenizer(), nullptr, settings))),
             (std::vector<std::int32_t>{3, kEnd, 3, kLanguage}));
    settings.decoderPrefix = "b";
    QCOMPARE(idsOf(*orDie(Generation::start(model, lettersTokenizer(), nullptr, settings))),
             (std::vector<std::int32_t>{3, kEnd, 3, 4}));
  }

  void continuesFromTheDecoderAlone_data() { addFamilies(); }
  void continuesFromTheDecoderAlone() {
    const auto model = modelOf(family());
    const auto source = spreadIds(*model, 30);
    const auto generation =
        orDie(Generation::start(model, lettersTokenizer(), nullptr, greedySettings(source)));
    writeOn(*generation);
    const auto written = idsOf(*generation);
    const auto refused = generation->continueFrom(29, {});
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("generate.inside_source"));
    QCOMPARE(idsOf(*generation), written);
    for (const std::int64_t row : {30, 36}) {
      QVERIFY(generation->continueFrom(row, {}).has_value());
      QCOMPARE(idsOf(*generation).size(), static_cast<std::size_t>(row) + 1);
      writeOn(*generation);
      QCOMPARE(idsOf(*generation), written);
    }
  }

  // Rows of the other part are no decisions: not in loads, not in shares, and no fault of the file.
  void aTraceTellsWhoSawWhat_data() { addFamilies(); }
  void aTraceTellsWhoSawWhat() {
    const RecordedRun recorded(family());
    const auto store = orDie(trace::TraceStore::open(recorded.file, trace::OpenMode::ReadOnly));
    const auto routers = store->routers(recorded.run);
    QCOMPARE(routers, recorded.model->checkpoint().description().routers);
    QCOMPARE(routerLabel(routers[1]), std::string("encoder 3"));
    QCOMPARE(routerLabel(routers[2]), std::string("decoder 1"));
    const auto record = *store->run(recorded.run);
    QCOMPARE(record.tokens, std::int64_t{317});
    QCOMPARE(record.routedTokens, std::int64_t{316});
    QCOMPARE(store->sequences(recorded.run).front().promptLength, std::int64_t{300});
    for (int router = 0; router < 3; ++router) {
      const bool ofDecoder = router == 2;
      const auto load = store->load(recorded.run, router, {0, 317});
      QCOMPARE(load.tokens, std::int64_t{ofDecoder ? 16 : 300});
      QCOMPARE(load.entropyTokens, load.tokens);
      QVERIFY(std::isfinite(load.entropySum));
      QCOMPARE(store->load(recorded.run, router, {ofDecoder ? 0 : 300, ofDecoder ? 300 : 317}).tokens,
               std::int64_t{0});
      const auto stats = store->sequenceStats(recorded.run, router, 0);
      QVERIFY(stats.has_value());
      QCOMPARE(stats->tokens, load.tokens);
      QCOMPARE(stats->logitTokens, load.tokens);
      for (const double sum : stats->logitSum) QVERIFY(std::isfinite(sum));
    }
    for (std::int64_t block : {0, 1}) {
      const auto tokens = store->tokenBlock(recorded.run, block);
      for (int i = 0; i < tokens->count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const std::int64_t row = 256 * block + i;
        QCOMPARE(std::isfinite(tokens->logProbs[at]), row > 300);
        QCOMPARE(std::isfinite(tokens->entropies[at]), row >= 300 && row < 316);
        QCOMPARE(static_cast<trace::Phase>(tokens->phases[at]),
                 row < 300 ? trace::Phase::Prefill : trace::Phase::Decode);
      }
    }
    QVERIFY(store->close().has_value());
    const auto issues = orDie(trace::checkTrace(recorded.file, false, {}, {}));
    QVERIFY2(issues.empty(), issues.empty() ? "" : issues.front().message.c_str());
  }

  // A rule of the encoder replays the source too, counts the tokens that its router saw, and gives what would
  // have come had it been there from the start.
  void replaysUnderARuleOfTheEncoder_data() { addFamilies(); }
  void replaysUnderARuleOfTheEncoder() {
    const auto model = modelOf(family());
    QTemporaryDir folder;
    const auto store = orDie(trace::TraceStore::create(folder.filePath("t.moescope").toStdString()));
    const auto source = spreadIds(*model, 60);
    const auto generation =
        orDie(Generation::start(model, lettersTokenizer(), store, greedySettings(source)));
    writeOn(*generation);
    const auto written = idsOf(*generation);
    const auto first = *generation->run();
    const auto program = orDie(steering::parseProgram(
        R"({"moescope_steering":1,"rules":[{"id":1,"primitive":"KEY","op":"ban","layers":[1],"experts":[0,1]}]})",
        "p"));
    QVERIFY(generation->setProgram(program, SteeringMode::Counterfactual, {}).has_value());
    QVERIFY(*generation->run() != first);
    QCOMPARE(idsOf(*generation), written);
    QCOMPARE(generation->effects().size(), std::size_t{1});
    QCOMPARE(generation->effects()[0].tokensInScope, std::int64_t{60});
    QVERIFY(generation->effects()[0].nativelyChosen > 0);
    QCOMPARE(generation->effects()[0].chosen, std::int64_t{0});
    const auto load = store->load(*generation->run(), 0, {0, 77});
    QCOMPARE(load.tokens, std::int64_t{60});
    QCOMPARE(load.counts[0] + load.counts[1], std::int64_t{0});
    // The log-probabilities of a session that had the rule from the start.
    const auto session = orDie(model->newSession());
    session->setPlan(orDie(steering::compile(program, model->checkpoint().description().routers)));
    StepRequest request;
    request.ids = source;
    orDie(session->forward(request));
    for (std::size_t i = source.size(); i + 1 < written.size(); ++i) {
      request.ids = std::span(written).subspan(i, 1);
      request.decode = true;
      const auto output = orDie(session->forward(request));
      const auto next = static_cast<std::size_t>(written[i + 1]);
      double sum = 0.0;
      for (const float logit : output.logits)
        sum += std::exp(static_cast<double>(logit) - output.logits[next]);
      QVERIFY(std::abs(generation->tokens()[i + 1].logProb + std::log(sum)) < 1e-4);
    }
    QVERIFY(generation->finish().has_value());
    QVERIFY(store->close().has_value());
  }

  // Each window is a source; the decoder sees its start token alone, and nothing has a log-probability.
  void recordsACorpus_data() { addFamilies(); }
  void recordsACorpus() {
    const auto model = modelOf(family());
    QTemporaryDir folder;
    QVERIFY(QDir(folder.path()).mkpath("corpus/letters"));
    std::ofstream(folder.filePath("corpus/letters/one.txt").toStdString()) << "the quick brown fox jumps";
    const auto store = orDie(trace::TraceStore::create(folder.filePath("t.moescope").toStdString()));
    CorpusSettings settings;
    settings.corpus = folder.filePath("corpus").toStdString();
    settings.contextTokens = 11;
    const auto outcome = orDie(recordCorpus(model, lettersTokenizer(), *store, settings, {}, {}));
    // 25 letters and the end token, 10 a window, and a start token each.
    QCOMPARE(outcome.sequences, std::int64_t{3});
    QCOMPARE(outcome.tokens, std::int64_t{29});
    QCOMPARE(outcome.undefinedLogProbs, std::int64_t{0});
    QVERIFY(std::isnan(outcome.meanLogProb));
    const auto sequences = store->sequences(outcome.run);
    QCOMPARE(sequences[0].promptLength, std::int64_t{10});
    QCOMPARE(sequences[0].length, std::int64_t{11});
    QCOMPARE(store->load(outcome.run, 0, {0, 29}).tokens, std::int64_t{26});
    QCOMPARE(store->load(outcome.run, 2, {0, 29}).tokens, std::int64_t{3});
    settings.contextTokens = 1;
    const auto refused = recordCorpus(model, lettersTokenizer(), *store, settings, {}, {});
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("corpus.context_too_short"));
    QVERIFY(store->close().has_value());
  }
};

QTEST_APPLESS_MAIN(TestGoldenEncoderDecoderRuns)
#include "tst_golden_encoder_decoder_runs.moc"
