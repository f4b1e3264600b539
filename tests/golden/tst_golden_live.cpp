// The engine thread with the real engine on the demo model: a rule that comes while text is written acts on
// the next token, and no capture level changes a bit.
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <bit>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <set>

#include "core/engine/generation/generation.h"
#include "core/engine/generation/live_session.h"
#include "tests/support/engine_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

constexpr int kTokens = 60;
constexpr int kBefore =
    3;  // generated tokens that are told before the rule comes; later the text repeats itself
constexpr std::int32_t kLayer = 3;

std::shared_ptr<const tokenizer::Tokenizer> demoTokenizer() {
  static const auto tokenizer = orDie(tokenizer::Tokenizer::open(demoModelFolder() / "tokenizer.json"));
  return tokenizer;
}

/// A text that the model goes on with in many ways; the model card: id 0 before it.
const std::vector<std::int32_t>& promptIds() {
  static const auto ids = [] {
    std::vector<std::int32_t> found{0};
    const auto encoded =
        demoTokenizer()->encode("Fellow-citizens of the Senate and House of Representatives:", false);
    for (const auto& token : orDie(encoded)) found.push_back(token.id);
    return found;
  }();
  return ids;
}

int promptLength() { return static_cast<int>(promptIds().size()); }

GenerationSettings settings(double temperature = 0.0) {
  GenerationSettings result;
  result.promptIds = promptIds();
  result.maxTokens = kTokens;
  result.ignoreEndTokens = true;
  result.sampler.temperature = temperature;
  result.sampler.seed = 5;
  result.capture = trace::CaptureLevel::Full;
  return result;
}

struct TemporaryTrace {
  QTemporaryDir folder;
  std::shared_ptr<trace::TraceStore> store =
      orDie(trace::TraceStore::create(folder.filePath("t.moescope").toStdString()));
};

/// A session on the demo; `onToken` is called on the engine thread after each generated token.
class LiveDemo {
 public:
  explicit LiveDemo(std::shared_ptr<trace::TraceStore> store) {
    m_session.setReceiver([this](const LiveEvent& event) { receive(event); });
    LoadOptions options;
    options.device = "cpu";
    m_session.loadModel(demoModelFolder(), options);
    m_session.setStore(std::move(store));
  }
  /// Writes one text to its end. False if it did not come in time or something failed.
  bool write(std::function<void(LiveSession&, int generated)> onToken) {
    m_onToken = std::move(onToken);
    m_session.generate(settings());
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, std::chrono::seconds(60), [&] { return m_ended || m_failed; }) &&
           !m_failed;
  }
  LiveSession& session() { return m_session; }
  [[nodiscard]] const std::vector<GeneratedToken>& tokens() const { return m_tokens; }

 private:
  void receive(const LiveEvent& event) {
    if (event.kind == LiveEvent::Kind::TokenAppended) {
      m_tokens.push_back(*event.token);
      if (!event.token->prompt) m_onToken(m_session, ++m_generated);
    }
    const std::lock_guard lock(m_mutex);
    m_failed = m_failed || event.kind == LiveEvent::Kind::Failed;
    m_ended = m_ended || event.kind == LiveEvent::Kind::GenerationEnded;
    m_changed.notify_all();
  }

  std::mutex m_mutex;
  std::condition_variable m_changed;
  bool m_ended = false, m_failed = false;
  int m_generated = 0;
  std::vector<GeneratedToken> m_tokens;
  std::function<void(LiveSession&, int)> m_onToken;
  LiveSession m_session;  // last: ends its thread before the rest goes
};

std::vector<std::int32_t> choiceOf(const trace::TraceStore& store, trace::RunId run, std::int64_t row) {
  const auto block = store.routeBlock(run, kLayer, row / trace::kBlockTokens);
  const auto first =
      block->ids.begin() + static_cast<std::ptrdiff_t>(row % trace::kBlockTokens * block->width);
  std::vector<std::int32_t> ids(first, first + block->width);
  std::erase(ids, std::int32_t{trace::kEmptySlot});
  return ids;
}

steering::SteeringProgram bans(const std::vector<std::int32_t>& experts) {
  steering::SteeringProgram program;
  for (const auto expert : experts) {
    program.rules.push_back(banRule(program, {LayerIndex{kLayer}, ExpertIndex{expert}}));
  }
  return program;
}

/// The most probable id after every token from `from` on, when the ids before were forwarded without rules
/// and that one and all after it under them: what the live text must have written.
std::vector<std::int32_t> greedyUnder(Model& model, const std::vector<std::int32_t>& ids, std::size_t from,
                                      const steering::SteeringProgram& program) {
  const auto session = orDie(model.newSession());
  std::vector<std::int32_t> best;
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
    if (i == from)
      session->setPlan(orDie(steering::compile(program, model.checkpoint().description().routers)));
    StepRequest request;
    request.ids = std::span(ids).subspan(i, 1);
    request.decode = i >= static_cast<std::size_t>(promptLength());
    const auto logits = orDie(session->forward(request)).logits;
    if (i >= from) {
      best.push_back(
          static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
    }
  }
  return best;
}

}  // namespace

class TestGoldenLive : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aRuleActsOnTheNextToken() {
    TemporaryTrace plainTrace;
    LiveDemo plain(plainTrace.store);
    QVERIFY(plain.write([](LiveSession&, int) {}));
    const auto plainRun = *plain.session().status().run;
    // The token told last is pending: its row is the first that the rule can act on.
    const std::int64_t pending = promptLength() + kBefore - 1;
    // What the next ten rows would choose: bans that are felt.
    std::set<std::int32_t> wanted;
    for (std::int64_t row = pending; row < pending + 10; ++row) {
      const auto chosen = choiceOf(*plainTrace.store, plainRun, row);
      wanted.insert(chosen.begin(), chosen.end());
    }
    const std::vector<std::int32_t> banned(wanted.begin(), wanted.end());
    QVERIFY(banned.size() >= 4 && banned.size() <= 28);

    TemporaryTrace trace;
    LiveDemo live(trace.store);
    QVERIFY(live.write([&](LiveSession& session, int generated) {
      if (generated == kBefore) session.setProgram(bans(banned), SteeringMode::FromNowOn);
    }));
    const auto run = *live.session().status().run;
    const auto events = trace.store->steeringEvents(run);
    QCOMPARE(events.size(), std::size_t{1});
    QCOMPARE(events[0].token, pending);
    QCOMPARE(live.tokens().size(), static_cast<std::size_t>(promptLength() + kTokens));
    for (std::int64_t row = 0; row < promptLength() + kTokens - 1; ++row) {
      const auto chosen = choiceOf(*trace.store, run, row);
      QCOMPARE(chosen.size(), std::size_t{4});
      if (row < pending) QVERIFY(chosen == choiceOf(*plainTrace.store, plainRun, row));
      for (const auto expert : banned) {
        if (row >= pending) QVERIFY(std::find(chosen.begin(), chosen.end(), expert) == chosen.end());
      }
    }
    std::vector<std::int32_t> ids;
    for (const auto& token : live.tokens()) ids.push_back(token.id);
    const auto model = live.session().model();
    const std::vector<std::int32_t> written(ids.begin() + pending + 1, ids.end());
    QVERIFY(greedyUnder(*model, ids, static_cast<std::size_t>(pending), bans(banned)) == written);
    // And it made a difference.
    QVERIFY(greedyUnder(*model, ids, static_cast<std::size_t>(pending), {}) != written);
    std::vector<std::int32_t> plainIds;
    for (const auto& token : plain.tokens()) plainIds.push_back(token.id);
    QVERIFY(plainIds != ids);
    const auto effects = live.session().effects();
    QCOMPARE(effects.size(), banned.size());
    std::int64_t natively = 0;
    for (const auto& effect : effects) {
      QCOMPARE(effect.tokensInScope, promptLength() + kTokens - 1 - pending);
      QCOMPARE(effect.chosen, std::int64_t{0});
      natively += effect.nativelyChosen;
    }
    QVERIFY(natively > 0);
  }

  // Tokens and every logit, with and without a record, greedy and drawn.
  void noCaptureLevelChangesABit() {
    const auto model = loadModel(demoModelFolder(), "cpu", Dtype::Auto);
    const auto written = [&](std::shared_ptr<trace::TraceStore> store, trace::CaptureLevel level,
                             double temperature) {
      auto wanted = settings(temperature);
      wanted.capture = level;
      const auto text = orDie(Generation::start(model, demoTokenizer(), std::move(store), wanted));
      std::string bytes;
      text->setObserver(
          [&](std::int64_t, int, const StepOutput& output) { bytes += bytesOf(output.logits); });
      while (text->finished() == FinishReason::Running) orDie(text->step({}));
      if (!text->finish() || text->recordingError()) qFatal("the record failed");
      for (const auto& token : text->tokens()) bytes += std::to_string(token.id) + " ";
      return bytes;
    };
    for (const double temperature : {0.0, 1.0}) {
      const auto plain = written(nullptr, trace::CaptureLevel::None, temperature);
      QVERIFY(plain.size() > std::size_t{kTokens} * 4096 * sizeof(float));
      for (const auto level : {trace::CaptureLevel::None, trace::CaptureLevel::Ids,
                               trace::CaptureLevel::Weights, trace::CaptureLevel::Full}) {
        TemporaryTrace trace;
        QVERIFY(written(trace.store, level, temperature) == plain);
      }
    }
  }
};

QTEST_APPLESS_MAIN(TestGoldenLive)
#include "tst_golden_live.moc"
