// Generation with the real engine on the demo model: the samples of its model card (made with transformers),
// and the identity conditions of steering that need real arithmetic (I0, I2, I5).
#include <QTest>

#include <QTemporaryDir>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "core/engine/generation/corpus_run.h"
#include "core/engine/generation/generation.h"
#include "tests/support/run_dump.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

const std::string kDemo = MOESCOPE_RESOURCES "/demo";

struct Sample {
  std::string domain, prompt, continuation;
};

/// The fenced blocks of the section "Samples": prompt and continuation in turn.
std::vector<Sample> samplesOfTheModelCard() {
  std::ifstream file(kDemo + "/MODEL_CARD.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string card = text.str();
  card = card.substr(card.find("## Samples"));
  card = card.substr(0, card.find("\n## "));
  std::vector<Sample> samples;
  std::vector<std::string> blocks;
  std::size_t end = 0;
  for (std::size_t begin = card.find("```\n"); begin != std::string::npos;
       begin = card.find("```\n", end + 4)) {
    end = card.find("\n```", begin);
    blocks.push_back(card.substr(begin + 4, end - begin - 4));
  }
  for (std::size_t i = 0; i + 1 < blocks.size(); i += 2) samples.push_back({"", blocks[i], blocks[i + 1]});
  std::size_t at = 0;
  for (auto& sample : samples) {
    at = card.find("Prompt (", at) + 8;
    sample.domain = card.substr(at, card.find(')', at) - at);
  }
  return samples;
}

struct Demo {
  std::shared_ptr<Model> model;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
};

Demo& demo() {
  static Demo loaded = [] {
    const auto engine = loadEngine();
    if (!engine) qFatal("%s", engine.error().text().c_str());
    const auto checkpoint = checkpoint::Checkpoint::open(kDemo + "/model");
    if (!checkpoint) qFatal("%s", checkpoint.error().text().c_str());
    LoadOptions options;
    options.device = "cpu";
    const auto model = (*engine)->load(*checkpoint, options, {}, {});
    if (!model) qFatal("%s", model.error().text().c_str());
    return Demo{*model, *tokenizer::Tokenizer::open((*checkpoint)->tokenizerFile())};
  }();
  return loaded;
}

std::vector<std::int32_t> withBegin(const std::string& text) {
  std::vector<std::int32_t> ids{0};  // the model card: <|endoftext|> before the prompt
  const auto encoded = demo().tokenizer->encode(text, false);
  if (!encoded) qFatal("%s", encoded.error().text().c_str());
  for (const auto& token : *encoded) ids.push_back(token.id);
  return ids;
}

GenerationSettings greedy(const std::string& prompt, int tokens) {
  GenerationSettings settings;
  settings.promptIds = withBegin(prompt);
  settings.maxTokens = tokens;
  settings.sampler.temperature = 0;
  settings.capture = trace::CaptureLevel::Full;
  return settings;
}

std::unique_ptr<Generation> start(std::shared_ptr<trace::TraceStore> store,
                                  const GenerationSettings& settings) {
  auto started = Generation::start(demo().model, demo().tokenizer, std::move(store), settings);
  if (!started) qFatal("%s", started.error().text().c_str());
  return *std::move(started);
}

void write(Generation& generation) {
  while (generation.finished() == FinishReason::Running) {
    if (const auto token = generation.step({}); !token) qFatal("%s", token.error().text().c_str());
  }
}

/// Everything that the steps of a text gave, bit for bit.
struct StepLog {
  std::map<std::int64_t, std::string> logits;  // by position of the step
  /// [position][router]
  std::map<std::int64_t, std::vector<steering::RouterChoice>> choices;

  void watch(Generation& generation) {
    generation.setObserver([this](std::int64_t position, int tokens, const StepOutput& output) {
      logits[position] = {reinterpret_cast<const char*>(output.logits.data()), output.logits.size_bytes()};
      for (int t = 0; t < tokens; ++t) {
        auto& row = choices[position + t];
        row.clear();
        for (const auto& tap : output.routers) {
          const auto at = static_cast<std::size_t>(t * tap.width);
          const auto width = static_cast<std::size_t>(tap.width);
          const auto ids = tap.ids.subspan(at, width);
          const auto weights = tap.weights.subspan(at, width);
          row.push_back({{ids.begin(), ids.end()}, {weights.begin(), weights.end()}});
        }
      }
    });
  }
};

/// KEY.set(own ids) and WEIGHT.set(own weights) for every row and router.
steering::SteeringProgram replayOf(const StepLog& log, const std::vector<RouterSpec>& routers) {
  steering::SteeringProgram program;
  for (const auto& [position, row] : log.choices) {
    for (std::size_t r = 0; r < row.size(); ++r) {
      steering::Rule rule;
      rule.layers = {routers[r].layer.value};
      rule.positions = {position, position + 1, 1};
      rule.id = rule.priority = program.nextId();
      rule.primitive = steering::Primitive::Key;
      rule.operation = steering::Operation::Set;
      rule.operand.orderedIds = row[r].ids;
      program.rules.push_back(rule);
      rule.id = rule.priority = program.nextId();
      rule.primitive = steering::Primitive::Weight;
      rule.operation = steering::Operation::SetWeights;
      rule.operand = {};
      rule.operand.weights.assign(row[r].weights.begin(), row[r].weights.end());
      program.rules.push_back(rule);
    }
  }
  return program;
}

struct TemporaryTrace {
  QTemporaryDir folder;
  std::shared_ptr<trace::TraceStore> store =
      *trace::TraceStore::create(folder.filePath("t.moescope").toStdString());
};

std::vector<std::uint32_t> logProbBits(const Generation& generation) {
  std::vector<std::uint32_t> bits;
  for (const auto& token : generation.tokens()) {
    bits.push_back(std::isnan(token.logProb) ? 0 : std::bit_cast<std::uint32_t>(token.logProb));
  }
  return bits;
}

steering::SteeringProgram bans(std::int32_t layer, const std::vector<std::int32_t>& experts) {
  steering::SteeringProgram program;
  for (const auto expert : experts) {
    program.rules.push_back(banRule(program, {LayerIndex{layer}, ExpertIndex{expert}}));
  }
  return program;
}

const std::string kPrompt = "Fellow-citizens of the Senate and House of Representatives:";

}  // namespace

class TestGoldenGeneration : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void greedyTextEqualsTheModelCard_data() {
    QTest::addColumn<int>("index");
    const auto samples = samplesOfTheModelCard();
    QCOMPARE(samples.size(), std::size_t{4});
    for (std::size_t i = 0; i < samples.size(); ++i) QTest::newRow(samples[i].domain.c_str()) << int(i);
  }

  void greedyTextEqualsTheModelCard() {
    QFETCH(int, index);
    const auto sample = samplesOfTheModelCard()[static_cast<std::size_t>(index)];
    const auto generation = start(nullptr, greedy(sample.prompt, 40));
    write(*generation);
    QVERIFY(generation->finish());
    QCOMPARE(QString::fromStdString(generation->text()), QString::fromStdString(sample.continuation));
    QCOMPARE(generation->tokens().size(), withBegin(sample.prompt).size() + 40);
  }

  void recordingDoesNotChangeABit() {
    const auto plain = start(nullptr, greedy(kPrompt, 20));
    write(*plain);
    for (const auto level :
         {trace::CaptureLevel::None, trace::CaptureLevel::Ids, trace::CaptureLevel::Full}) {
      TemporaryTrace trace;
      auto settings = greedy(kPrompt, 20);
      settings.capture = level;
      const auto recorded = start(trace.store, settings);
      write(*recorded);
      QVERIFY(logProbBits(*recorded) == logProbBits(*plain));
      QVERIFY(!recorded->recordingError());
    }
  }

  void replayOfItsOwnChoicesIsBitIdentical() {
    StepLog own;
    const auto generation = start(nullptr, greedy(kPrompt, 20));
    own.watch(*generation);
    write(*generation);
    const auto before = logProbBits(*generation);
    const auto& routers = demo().model->checkpoint().description().routers;
    const auto program = replayOf(own, routers);
    QCOMPARE(program.rules.size(), own.choices.size() * routers.size() * 2);
    StepLog replayed;
    replayed.watch(*generation);
    const auto set = generation->setProgram(program, SteeringMode::Counterfactual, {});
    QVERIFY2(set, set ? "" : set.error().text().c_str());
    QVERIFY(logProbBits(*generation) == before);
    QCOMPARE(replayed.logits.size(), own.logits.size());
    QVERIFY(replayed.logits == own.logits);  // every logit of every step
    // The rules did act: with one other expert the logits differ.
    auto other = program;
    auto& ids = other.rules[0].operand.orderedIds;
    ids.back() = (ids.back() + 1) % 32;
    while (std::count(ids.begin(), ids.end(), ids.back()) > 1) ids.back() = (ids.back() + 1) % 32;
    QVERIFY(generation->setProgram(other, SteeringMode::Counterfactual, {}));
    QVERIFY(logProbBits(*generation) != before);
  }

  void removingARuleRestoresEveryBit() {
    TemporaryTrace trace;
    const auto generation = start(trace.store, greedy(kPrompt, 20));
    write(*generation);
    const auto before = logProbBits(*generation);
    const auto rows = dumpRows(*trace.store, *generation->run());
    QVERIFY(generation->setProgram(bans(2, {1, 4, 7, 11, 18}), SteeringMode::Counterfactual, {}));
    QVERIFY(logProbBits(*generation) != before);
    QVERIFY(generation->setProgram({}, SteeringMode::Counterfactual, {}));
    QVERIFY(logProbBits(*generation) == before);
    const auto difference = firstDifference(dumpRows(*trace.store, *generation->run()), rows);
    QVERIFY2(difference.empty(), difference.c_str());
  }

  void counterfactualEqualsHavingTheRuleFromTheStart() {
    // A rule on decode rows only: a fresh text with it writes other tokens, so both are given the same ones.
    auto program = bans(3, {0, 2, 4, 6, 8, 10});
    for (auto& rule : program.rules) rule.positions.from = 5;
    const auto late = start(nullptr, greedy(kPrompt, 24));
    write(*late);
    QVERIFY(late->setProgram(program, SteeringMode::Counterfactual, {}));
    auto session = *demo().model->newSession();
    session->setPlan(*steering::compile(program, demo().model->checkpoint().description().routers));
    const auto promptLength = static_cast<std::size_t>(late->promptTokens());
    std::vector<std::int32_t> ids;
    for (const auto& token : late->tokens()) ids.push_back(token.id);
    for (std::size_t i = promptLength - 1; i + 1 < ids.size(); ++i) {
      StepRequest request;
      const std::size_t begin = i < promptLength ? 0 : i;
      request.ids = std::span(ids).subspan(begin, i + 1 - begin);
      request.decode = begin > 0;
      request.logits = begin > 0 ? LogitRows::Last : LogitRows::All;
      const auto output = session->forward(request);
      const auto width = static_cast<std::size_t>(demo().model->checkpoint().description().vocabularySize);
      const auto row = output->logits.last(width);
      const float logProb = distributionFacts(row).logProb(row[static_cast<std::size_t>(ids[i + 1])]);
      QCOMPARE(std::bit_cast<std::uint32_t>(logProb),
               std::bit_cast<std::uint32_t>(late->tokens()[i + 1].logProb));
    }
  }

  void corpusLossIsNearTheModelCard() {
    // The card's losses are means over windows of 256 tokens of each file; the record's windows begin with
    // each document, so the values are close and not the same.
    TemporaryTrace trace;
    CorpusSettings settings;
    settings.corpus = kDemo + "/corpus/math.txt";
    settings.contextTokens = 256;
    settings.maxTokensPerLabel = 4096;
    const auto outcome = recordCorpus(demo().model, demo().tokenizer, *trace.store, settings, {}, {});
    QVERIFY2(outcome, outcome ? "" : outcome.error().text().c_str());
    QCOMPARE(outcome->tokens, std::int64_t{4096});
    QVERIFY2(std::abs(-outcome->meanLogProb - 0.813) < 0.15,
             qPrintable(QString::number(outcome->meanLogProb)));
  }
};

QTEST_APPLESS_MAIN(TestGoldenGeneration)
#include "tst_golden_generation.moc"
