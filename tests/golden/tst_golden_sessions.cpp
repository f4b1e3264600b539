// Sessions of the real engine on the demo model: cache, rewind, fork, step partition, threads, and errors
// that leave everything as it was.
#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/engine_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

const std::vector<int> kOneByOne{1};

std::shared_ptr<Model> demo(const std::string& device) {
  static const auto kernels = loadModel(demoModelFolder(), "cpu", Dtype::Auto);
  static const auto torch = loadModel(demoModelFolder(), "cpu-torch", Dtype::F32);
  return device == "cpu" ? kernels : torch;
}

std::unique_ptr<Session> newSession(const std::string& device = "cpu") {
  return orDie(demo(device)->newSession());
}

std::span<const float> floatsOf(const std::string& bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

double largestGap(const Trail& left, const Trail& right) {
  const auto a = floatsOf(left.logits);
  const auto b = floatsOf(right.logits);
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double gap = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) gap = std::max(gap, std::abs(double{a[i]} - b[i]));
  return gap;
}

QString kindOf(const Result<StepOutput>& output) {
  return output ? QString() : QString::fromStdString(output.error().kind);
}

Result<std::shared_ptr<Model>> loadDemo(const LoadOptions& options, std::stop_token stop = {}) {
  return orDie(loadEngine())->load(openCheckpoint(demoModelFolder()), options, {}, std::move(stop));
}

}  // namespace

class TestGoldenSessions : public QObject {
  Q_OBJECT

  /// Rows for both decoders.
  static void addDevices() {
    QTest::addColumn<QString>("device");
    QTest::newRow("own kernels") << QString("cpu");
    QTest::newRow("LibTorch") << QString("cpu-torch");
  }
  static std::string device() {
    QFETCH(QString, device);
    return device.toStdString();
  }

 private Q_SLOTS:
  // The own kernels promise the same bits however the tokens are cut; 150 tokens cross a block of prefill.
  void bitsDoNotDependOnSteps() {
    const auto ids = spreadIds(*demo("cpu"), 150);
    const auto whole = forwardAll(*newSession(), ids, {150});
    QCOMPARE(floatsOf(whole.logits).size(), std::size_t{150 * 4096});
    for (const auto& steps :
         {kOneByOne, std::vector{7, 1, 13, 2, 3, 5}, std::vector{128, 22}, std::vector{100, 50}}) {
      QVERIFY(forwardAll(*newSession(), ids, steps) == whole);
    }
  }

  void libTorchAgreesWithinRounding() {
    const auto ids = spreadIds(*demo("cpu"), 60);
    const auto own = forwardAll(*newSession(), ids, {60});
    QVERIFY(largestGap(forwardAll(*newSession("cpu-torch"), ids, {60}), own) < 1e-4);
    QVERIFY(largestGap(forwardAll(*newSession("cpu-torch"), ids, kOneByOne), own) < 1e-4);
  }

  // Without a cache: every prefix from its beginning gives the last row that the cache gave.
  void theCacheChangesNothing_data() { addDevices(); }
  void theCacheChangesNothing() {
    const auto ids = spreadIds(*demo("cpu"), 24);
    const auto cached = forwardAll(*newSession(device()), ids, kOneByOne);
    const auto logits = floatsOf(cached.logits);
    const auto session = newSession(device());
    for (std::size_t length = 1; length <= ids.size(); ++length) {
      session->rewind(0);
      StepRequest request;
      request.ids = std::span(ids).first(length);
      const auto output = orDie(session->forward(request));
      const auto row = logits.subspan((length - 1) * 4096, 4096);
      QCOMPARE(output.logits.size(), row.size());
      double gap = 0.0;
      for (std::size_t i = 0; i < row.size(); ++i)
        gap = std::max(gap, std::abs(double{row[i]} - output.logits[i]));
      if (device() == "cpu") QCOMPARE(gap, 0.0);
      QVERIFY(gap < 1e-4);
    }
  }

  void rewindKeepsTheBitsBefore_data() { addDevices(); }
  void rewindKeepsTheBitsBefore() {
    const auto ids = spreadIds(*demo("cpu"), 40);
    const auto session = newSession(device());
    const auto whole = forwardAll(*session, ids, {20, 1});
    session->rewind(20);
    QCOMPARE(session->position(), std::int64_t{20});
    const auto again = forwardAll(*session, std::span(ids).subspan(20), kOneByOne);
    const auto tail = [](const std::string& bytes, const std::string& end) {
      return bytes.substr(bytes.size() - end.size()) == end;
    };
    QVERIFY(tail(whole.logits, again.logits));
    for (std::size_t r = 0; r < whole.ids.size(); ++r) {
      QVERIFY(tail(whole.ids[r], again.ids[r]) && tail(whole.weights[r], again.weights[r]));
    }
    // Other tokens over the same places leave no trace.
    session->rewind(20);
    auto other = ids;
    std::reverse(other.begin(), other.end());
    QVERIFY(forwardAll(*session, std::span(other).first(20), {20}).logits != again.logits);
    session->rewind(20);
    QVERIFY(forwardAll(*session, std::span(ids).subspan(20), kOneByOne) == again);
    session->rewind(1000);  // beyond the end: stays
    QCOMPARE(session->position(), std::int64_t{40});
  }

  void aForkIsIndependent_data() { addDevices(); }
  void aForkIsIndependent() {
    const auto ids = spreadIds(*demo("cpu"), 40);
    const auto session = newSession(device());
    forwardAll(*session, std::span(ids).first(20), {20});
    const auto fork = orDie(session->fork());
    QCOMPARE(fork->position(), std::int64_t{20});
    auto other = ids;
    std::reverse(other.begin(), other.end());
    forwardAll(*fork, std::span(other).first(15), {15});
    const auto straight = newSession(device());
    forwardAll(*straight, std::span(ids).first(20), {20});
    const auto wanted = forwardAll(*straight, std::span(ids).subspan(20), kOneByOne);
    QVERIFY(forwardAll(*session, std::span(ids).subspan(20), kOneByOne) == wanted);
    fork->rewind(20);
    QVERIFY(forwardAll(*fork, std::span(ids).subspan(20), kOneByOne) == wanted);
  }

  void threadsDoNotChangeABit() {
    const auto ids = spreadIds(*demo("cpu"), 150);
    LoadOptions options;
    options.threads = 1;
    const auto single =
        forwardAll(*orDie(loadModel(demoModelFolder(), options)->newSession()), ids, {140, 1});
    for (const int threads : {2, 3, 8}) {
      options.threads = threads;
      const auto model = loadModel(demoModelFolder(), options);
      QCOMPARE(model->threads(), threads);
      for (int repetition = 0; repetition < 5; ++repetition) {
        QVERIFY(forwardAll(*orDie(model->newSession()), ids, {140, 1}) == single);
      }
    }
  }

  // What is shown does not change what is computed.
  void watchingChangesNoBit_data() { addDevices(); }
  void watchingChangesNoBit() {
    const auto ids = spreadIds(*demo("cpu"), 30);
    const auto last = [&](bool taps, bool inputs, bool hidden, LogitRows rows) {
      const auto session = newSession(device());
      StepRequest request;
      request.ids = ids;
      request.taps = taps;
      request.inputs = inputs;
      request.hidden = hidden;
      request.logits = rows;
      const auto output = orDie(session->forward(request));
      if (output.routers.size() != (taps ? 6U : 0U)) qFatal("taps");
      if (output.hidden.size() != (hidden ? 6U : 0U)) qFatal("hidden");
      if (taps && output.routers[5].input.size() != (inputs ? 30U * 128U : 0U)) qFatal("inputs");
      if (output.logits.size() != (rows == LogitRows::All ? 30U * 4096U : 4096U)) qFatal("logits");
      return bytesOf(output.logits.last(4096));
    };
    const auto plain = last(false, false, false, LogitRows::Last);
    QVERIFY(last(true, false, false, LogitRows::Last) == plain);
    QVERIFY(last(true, true, true, LogitRows::Last) == plain);
    // One row is another product than thirty where a library chooses by shape.
    if (device() == "cpu") QVERIFY(last(true, true, true, LogitRows::All) == plain);
    const auto session = newSession(device());
    StepRequest none;
    none.ids = ids;
    none.logits = LogitRows::None;
    QVERIFY(orDie(session->forward(none)).logits.empty());
    QCOMPARE(session->position(), std::int64_t{30});
  }

  void aFullContextIsAnErrorThatChangesNothing_data() { addDevices(); }
  void aFullContextIsAnErrorThatChangesNothing() {
    LoadOptions options;
    options.device = device();
    options.contextTokens = 16;
    const auto model = loadModel(demoModelFolder(), options);
    const auto ids = spreadIds(*model, 17);
    const auto straight = forwardAll(*orDie(model->newSession()), std::span(ids).first(16), {10, 6});
    const auto session = orDie(model->newSession());
    QCOMPARE(session->capacity(), std::int64_t{16});
    auto trail = forwardAll(*session, std::span(ids).first(10), {10});
    StepRequest tooMany;
    tooMany.ids = std::span(ids).subspan(10);
    const auto refused = session->forward(tooMany);
    QCOMPARE(kindOf(refused), QString("engine.context_full"));
    QVERIFY(!refused.error().advice.empty());
    QCOMPARE(session->position(), std::int64_t{10});
    StepRequest rest;
    rest.ids = std::span(ids).subspan(10, 6);
    rest.logits = LogitRows::All;
    trail.add(orDie(session->forward(rest)));
    QVERIFY(trail == straight);
    QCOMPARE(kindOf(session->forward(tooMany)), QString("engine.context_full"));
  }

  void badRequestsAreErrors() {
    const auto session = newSession();
    QCOMPARE(kindOf(session->forward({})), QString("engine.no_tokens"));
    for (const std::int32_t id : {-1, 4096}) {
      const std::vector<std::int32_t> ids{1, id};
      StepRequest request;
      request.ids = ids;
      QCOMPARE(kindOf(session->forward(request)), QString("engine.no_such_token"));
    }
    const auto olmoe = loadModel(checkpointFolder("olmoe"), "cpu");
    session->setPlan(orDie(steering::compile({}, olmoe->checkpoint().description().routers)));
    const std::vector<std::int32_t> ids{1};
    StepRequest request;
    request.ids = ids;
    QCOMPARE(kindOf(session->forward(request)), QString("steering.other_model"));
    session->setPlan(nullptr);
    QVERIFY(session->forward(request));
    QCOMPARE(session->position(), std::int64_t{1});
  }

  void memoryIsCounted_data() { addDevices(); }
  void memoryIsCounted() {
    LoadOptions options;
    options.device = device();
    options.dtype = Dtype::F32;
    options.contextTokens = 64;
    const auto model = loadModel(demoModelFolder(), options);
    // The model card's parameters, less the vectors of the norms.
    const std::int64_t norms = 6 * 4 * 128 + 128;
    QCOMPARE(model->memory().weights, (5663872 - norms) * 4);
    QCOMPARE(model->memory().cache, std::int64_t{0});
    {
      const auto session = orDie(model->newSession());
      QCOMPARE(model->memory().cache, std::int64_t{6 * 64 * 128 * 2 * 4});
      const auto fork = orDie(session->fork());
      QCOMPARE(model->memory().cache, std::int64_t{2 * 6 * 64 * 128 * 2 * 4});
    }
    QCOMPARE(model->memory().cache, std::int64_t{0});
  }

  // A context that no machine holds: said before it is allocated, and the engine goes on.
  void tooLittleMemorySaysHowMuchIsMissing_data() { addDevices(); }
  void tooLittleMemorySaysHowMuchIsMissing() {
    LoadOptions options;
    options.device = device();
    options.contextTokens = std::numeric_limits<int>::max();
    const auto refused = loadDemo(options);
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("machine.out_of_memory"));
    const auto message = QString::fromStdString(refused.error().message);
    // 6 layers of 128 channels, keys and values: 6144 bytes a token in float32, 3072 in bfloat16, for 2^31
    // tokens; the own kernels want 4 heads of scores as well.
    QVERIFY2(message.contains(device() == "cpu" ? "needs 12320." : "needs 6144."), qPrintable(message));
    QVERIFY2(message.contains("are missing"), qPrintable(message));
    QVERIFY(loadDemo({.device = device()}));
    // Nor instead of another model, which a smaller context can replace.
    const auto engine = orDie(loadEngine());
    const auto before = orDie(loadDemo({.device = "cpu"}));
    const auto instead = engine->fitsInsteadOf(*before, before->checkpoint(), options);
    QVERIFY(!instead);
    QCOMPARE(QString::fromStdString(instead.error().kind), QString("machine.out_of_memory"));
    QVERIFY(engine->fitsInsteadOf(*before, before->checkpoint(), {.device = device()}));
  }

  // The demo's file holds bfloat16.
  void weightsInTheFileAreMapped() {
    const auto stored = orDie(loadDemo({.device = "cpu"}))->memory();
    QCOMPARE(stored.mapped, stored.weights);
    QCOMPARE(orDie(loadDemo({.device = "cpu", .dtype = Dtype::F32}))->memory().mapped, std::int64_t{0});
    QCOMPARE(orDie(loadDemo({.device = "cpu-torch"}))->memory().mapped, std::int64_t{0});
  }

  void aMissingDeviceIsNamed() {
    for (const char* name : {"cuda:7", "tpu", "cuda:", ""}) {
      const auto refused = loadDemo({.device = name});
      QVERIFY(!refused);
      QCOMPARE(QString::fromStdString(refused.error().kind), QString("machine.no_device"));
      QVERIFY(refused.error().message.find("cpu") != std::string::npos);  // what there is instead
    }
    const auto engine = orDie(loadEngine());
    const bool hasGpu = engine->devices().size() > 1;
    QVERIFY(engine->devices()[0].id == "cpu");
    QVERIFY(engine->devices()[0].totalBytes > engine->devices()[0].freeBytes);
    const auto gpu = loadDemo({.device = "cuda"});
    if (!hasGpu) QCOMPARE(QString::fromStdString(gpu.error().kind), QString("machine.no_device"));
    const auto ids = spreadIds(*demo("cpu"), 3);
    forwardAll(*newSession(), ids, {3});  // it survives
  }

  void loadingCanBeCancelled_data() { addDevices(); }
  void loadingCanBeCancelled() {
    std::stop_source source;
    source.request_stop();
    const auto cancelled = loadDemo({.device = device()}, source.get_token());
    QVERIFY(!cancelled);
    QCOMPARE(QString::fromStdString(cancelled.error().kind), QString("cancelled"));
  }

  void loadingTellsItsProgress() {
    std::vector<Progress> told;
    LoadOptions options;
    options.device = "cpu";
    QVERIFY(orDie(loadEngine())
                ->load(openCheckpoint(demoModelFolder()), options,
                       [&](const Progress& progress) { told.push_back(progress); }, {}));
    QVERIFY(told.size() > 10);
    QVERIFY(std::is_sorted(told.begin(), told.end(),
                           [](const auto& a, const auto& b) { return a.done < b.done; }));
    QCOMPARE(told.back().done, told.back().total);
  }
};

QTEST_APPLESS_MAIN(TestGoldenSessions)
#include "tst_golden_sessions.moc"
