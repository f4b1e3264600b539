// Encoder-decoders: whose tokens are whose, what a router shows of tokens that it never sees, cuts, rewinding
// and forks, dropped choices, rules in both parts. What they compute is held to references in
// tst_golden_checkpoints.
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/engine/api/reference_file.h"
#include "tests/support/encoder_decoder_rows.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/family_adapters.h"
#include "tests/support/steering_operations.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

constexpr int kSource = 200;  // beyond a block of prefill
constexpr int kText = 40;

std::shared_ptr<Model> modelOf(const std::filesystem::path& folder, int threads = 2) {
  LoadOptions options;
  options.device = "cpu";
  options.threads = threads;
  options.contextTokens = kSource + kText;
  return loadModel(folder, options);
}
std::shared_ptr<Model> modelOf(const QString& family, int threads = 2) {
  return modelOf(checkpointFolder(family.toStdString()), threads);
}

/// The family's checkpoint without a capacity that could bite.
struct Roomy {
  explicit Roomy(const QString& family) {
    const auto from = checkpointFolder(family.toStdString());
    const std::filesystem::path to = folder.path().toStdString();
    std::filesystem::copy_file(from / "model.safetensors", to / "model.safetensors");
    QFile file(QString::fromStdString((from / "config.json").string()));
    if (!file.open(QIODevice::ReadOnly)) qFatal("no config.json");
    auto config = QJsonDocument::fromJson(file.readAll()).object();
    config["expert_capacity"] = 100000;
    config["moe_eval_capacity_token_fraction"] = 1.0;
    QFile changed(folder.filePath("config.json"));
    if (!changed.open(QIODevice::WriteOnly)) qFatal("cannot write");
    changed.write(QJsonDocument(config).toJson());
    changed.close();
    model = modelOf(to);
  }
  QTemporaryDir folder;
  std::shared_ptr<Model> model;
};

std::vector<std::int32_t> sourceOf(const Model& model, int tokens = kSource) {
  return spreadIds(model, tokens);
}
std::vector<std::int32_t> textOf(const Model& model) {
  auto ids = spreadIds(model, kText);
  std::reverse(ids.begin(), ids.end());
  ids.front() = model.checkpoint().description().encoder->decoderStart;
  return ids;
}

StepRequest requestOf(std::span<const std::int32_t> ids, bool decode) {
  StepRequest request;
  request.ids = ids;
  request.decode = decode;
  request.logits = LogitRows::All;
  request.inputs = request.hidden = true;
  return request;
}

/// The decoder's tokens in steps of these sizes, after the source.
Trail decodeAll(Session& session, std::span<const std::int32_t> ids, const std::vector<int>& steps) {
  return forwardAll(session, ids, steps, 0);
}

std::unique_ptr<Session> withSource(const std::shared_ptr<Model>& model) {
  auto session = orDie(model->newSession());
  orDie(session->forward(requestOf(sourceOf(*model), false)));
  return session;
}

bool isAllNan(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isnan(value); });
}
bool isAllFinite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}
bool isNone(std::span<const std::int32_t> ids) {
  return std::ranges::all_of(ids, [](std::int32_t id) { return id == -1; });
}

QString kindOf(const Result<StepOutput>& output) {
  return output ? QString() : QString::fromStdString(output.error().kind);
}

}  // namespace

class TestGoldenEncoderDecoder : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { useFamilyAdapters(); }

  void partsOfTheModel_data() { addFamilies(); }
  void partsOfTheModel() {
    const auto model = modelOf(family());
    const auto& d = model->checkpoint().description();
    QCOMPARE(d.layers, 6);
    QCOMPARE(d.encoder->layers, 4);
    QCOMPARE(d.routers.size(), std::size_t{3});
    for (const RouterSpec& router : d.routers) QCOMPARE(router.encoderLayers, 4);
    QCOMPARE(d.routers[2].layer.value, 5);
    QCOMPARE(d.encoder->decoderStart, family() == "nllb_moe" ? 2 : 0);
    QVERIFY(!d.beginToken);
    QCOMPARE(model->prefillBlock(), kSource + kText);
  }

  // The source is one call at position 0, and the decoder's tokens come after it.
  void orderOfTheParts_data() { addFamilies(); }
  void orderOfTheParts() {
    const auto model = modelOf(family());
    const auto source = sourceOf(*model);
    const auto text = textOf(*model);
    const auto session = orDie(model->newSession());
    QCOMPARE(kindOf(session->forward(requestOf(text, true))), QString("engine.no_source"));
    QCOMPARE(session->position(), std::int64_t{0});
    orDie(session->forward(requestOf(source, false)));
    const auto plain = orDie(session->fork());
    QCOMPARE(kindOf(session->forward(requestOf(source, false))), QString("engine.source_twice"));
    QCOMPARE(session->position(), std::int64_t{kSource});
    const auto expected = decodeAll(*plain, text, {kText});
    QVERIFY(decodeAll(*session, text, {kText}) == expected);
    QCOMPARE(kindOf(session->forward(requestOf(std::span(text).first(1), true))),
             QString("engine.context_full"));
    session->rewind(kSource + 3);
    QCOMPARE(kindOf(session->forward(requestOf(std::span(source).first(1), false))),
             QString("engine.source_twice"));
    // Inside the source there is no place to go back to.
    session->rewind(kSource - 1);
    QCOMPARE(session->position(), std::int64_t{0});
    QCOMPARE(kindOf(session->forward(requestOf(text, true))), QString("engine.no_source"));
    orDie(session->forward(requestOf(source, false)));
    QVERIFY(decodeAll(*session, text, {kText}) == expected);
  }

  // A router shows nothing of tokens that it does not see; nothing is predicted of a source.
  void rowsOfTheOtherPart_data() { addFamilies(); }
  void rowsOfTheOtherPart() {
    const auto model = modelOf(family());
    const auto& routers = model->checkpoint().description().routers;
    const auto session = orDie(model->newSession());
    for (const bool decode : {false, true}) {
      const auto ids = decode ? textOf(*model) : sourceOf(*model);
      const auto output = orDie(session->forward(requestOf(ids, decode)));
      QCOMPARE(output.logits.empty(), !decode);
      QVERIFY(isAllFinite(output.logits));
      for (int layer = 0; layer < 6; ++layer) {
        const auto hidden = output.hidden[static_cast<std::size_t>(layer)];
        QVERIFY((layer >= 4) == decode ? isAllFinite(hidden) : isAllNan(hidden));
      }
      for (std::size_t r = 0; r < routers.size(); ++r) {
        const RouterTap& tap = output.routers[r];
        QCOMPARE(tap.ids.size(), ids.size() * static_cast<std::size_t>(tap.width));
        if ((routers[r].layer.value >= 4) == decode) {
          QVERIFY(isAllFinite(tap.logits) && isAllFinite(tap.input) && isAllFinite(tap.scores));
          QVERIFY(!isNone(tap.ids));
          QVERIFY(std::ranges::all_of(tap.nativeIds, [](std::int32_t id) { return id >= 0; }));
        } else {
          QVERIFY(isAllNan(tap.logits) && isAllNan(tap.input) && isAllNan(tap.scores) &&
                  isAllNan(tap.selection));
          QVERIFY(isNone(tap.ids) && isNone(tap.nativeIds) && isNone(tap.dropped));
          QVERIFY(std::ranges::all_of(tap.weights, [](float weight) { return weight == 0.0F; }));
        }
      }
    }
  }

  // Without a capacity the decoder's tokens may be cut into steps as one likes.
  void bitsDoNotDependOnSteps_data() { addFamilies(); }
  void bitsDoNotDependOnSteps() {
    const Roomy roomy(family());
    const auto text = textOf(*roomy.model);
    const auto whole = decodeAll(*withSource(roomy.model), text, {kText});
    QCOMPARE(whole.logits.size(), std::size_t{kText} * 128 * sizeof(float));
    for (const auto& steps : {std::vector{1}, std::vector{7, 1, 20, 3}})
      QVERIFY(decodeAll(*withSource(roomy.model), text, steps) == whole);
  }

  void rewindAndForkGiveTheSameBits_data() { addFamilies(); }
  void rewindAndForkGiveTheSameBits() {
    const auto model = modelOf(family());
    const auto text = textOf(*model);
    auto others = text;
    std::reverse(others.begin(), others.end());
    const auto whole = decodeAll(*withSource(model), text, {1});
    const auto session = withSource(model);
    for (const int position : {39, 17, 16, 1, 0}) {
      session->rewind(kSource);
      decodeAll(*session, text, {1});
      session->rewind(kSource + position);
      const auto fork = orDie(session->fork());
      QCOMPARE(fork->position(), std::int64_t{kSource + position});
      decodeAll(*session, std::span(others).first(static_cast<std::size_t>(kText - position)), {1});
      const auto rest = std::span(text).subspan(static_cast<std::size_t>(position));
      QVERIFY(whole.logits.ends_with(decodeAll(*fork, rest, {1}).logits));
      session->rewind(kSource + position);
      const auto again = decodeAll(*session, rest, {1});
      QVERIFY(whole.logits.ends_with(again.logits) && whole.ids[2].ends_with(again.ids[2]));
    }
    // Another source, shorter, and back.
    session->rewind(0);
    const auto shorter = sourceOf(*model, 30);
    orDie(session->forward(requestOf(shorter, false)));
    const auto other = decodeAll(*session, text, {1});
    QVERIFY(other.logits != whole.logits);
    const auto fresh = orDie(model->newSession());
    orDie(fresh->forward(requestOf(shorter, false)));
    QVERIFY(decodeAll(*fresh, text, {1}) == other);
  }

  void threadsAndStorageChangeNoBit_data() { addFamilies(); }
  void threadsAndStorageChangeNoBit() {
    const auto whole = decodeAll(*withSource(modelOf(family(), 1)), textOf(*modelOf(family())), {1});
    QVERIFY(decodeAll(*withSource(modelOf(family(), 3)), textOf(*modelOf(family())), {1}) == whole);
    LoadOptions options;
    options.device = "cpu";
    options.contextTokens = kSource + kText;
    options.dtype = Dtype::F32;
    const auto wide = loadModel(checkpointFolder(family().toStdString()), options);
    QVERIFY(decodeAll(*withSource(wide), textOf(*wide), {1}) == whole);
    QVERIFY(wide->memory().cache == 0 && withSource(wide) != nullptr);
  }

  // What was dropped is named, and the number is that of the reference.
  void capacityIsThatOfTheStep_data() { addFamilies(); }
  void capacityIsThatOfTheStep() {
    const auto model = modelOf(family());
    const auto& d = model->checkpoint().description();
    const auto reference =
        orDie(ReferenceFile::open(checkpointFolder(family().toStdString()) / "reference.safetensors", d));
    std::vector<std::int64_t> dropped(3, 0);
    std::vector<std::int64_t> wanted(3, 0);
    for (std::int64_t row = 0; row < reference.rows(); ++row) {
      const auto session = orDie(model->newSession());
      const auto part = [row](const std::vector<std::int32_t>& ids, std::int64_t tokens) {
        return std::span(ids).subspan(static_cast<std::size_t>(row * tokens),
                                      static_cast<std::size_t>(tokens));
      };
      for (const bool decode : {false, true}) {
        const auto ids = decode ? part(reference.decoderIds(), reference.decoderTokens())
                                : part(reference.ids(), reference.tokens());
        const auto output = orDie(session->forward(requestOf(ids, decode)));
        for (std::size_t r = 0; r < 3; ++r) {
          const RouterTap& tap = output.routers[r];
          for (std::size_t i = 0; i < tap.ids.size(); ++i) {
            if (tap.dropped[i] < 0) continue;
            ++dropped[r];
            QCOMPARE(tap.ids[i], -1);
            QCOMPARE(tap.weights[i], 0.0F);
            QCOMPARE(tap.dropped[i], tap.nativeIds[i]);
          }
        }
      }
    }
    for (std::size_t r = 0; r < 3; ++r) {
      if (const auto* flags = reference.values(referencePrefix(d.routers[r]) + "dropped")) {
        wanted[r] = std::ranges::count(*flags, 1.0F);
      } else {
        wanted[r] = std::ranges::count(*reference.choices(d.routers[r]), -1);
      }
      QVERIFY(wanted[r] > 0);
      QCOMPARE(dropped[r], wanted[r]);
    }
  }

  // nllb_moe spreads the weight of a dropped choice over the other; a token alone loses nothing.
  void weightsAreNormalisedAfterDropping() {
    const auto model = modelOf(QString("nllb_moe"));
    const auto session = orDie(model->newSession());
    const auto output = orDie(session->forward(requestOf(sourceOf(*model), false)));
    const RouterTap& tap = output.routers[0];
    std::array<int, 3> rows{};
    for (std::size_t row = 0; row < std::size_t{kSource}; ++row) {
      const float sum = tap.weights[2 * row] + tap.weights[2 * row + 1];
      const auto kept = static_cast<std::size_t>((tap.ids[2 * row] >= 0) + (tap.ids[2 * row + 1] >= 0));
      ++rows[kept];
      QVERIFY(std::abs(sum - (kept == 0 ? 0.0F : 0.8F)) < 1e-6F);
    }
    QVERIFY(rows[1] > 0 && rows[2] > 0);
    const auto start = textOf(*model);
    const auto alone = orDie(session->forward(requestOf(std::span(start).first(1), true)));
    QVERIFY(isNone(alone.routers[2].dropped));
    QVERIFY(std::abs(alone.routers[2].weights[0] + alone.routers[2].weights[1] - 0.8F) < 1e-6F);
  }

  // Rules of one part leave the other's choices alone; what is chosen is the scalar definition.
  void rulesActInBothParts_data() { addFamilies(); }
  void rulesActInBothParts() {
    const Roomy roomy(family());
    const auto& model = *roomy.model;
    const auto& routers = model.checkpoint().description().routers;
    const auto source = sourceOf(model);
    const auto text = textOf(model);
    for (const int layer : {1, 5}) {
      const auto rule = nlohmann::json::parse(R"([{"primitive":"KEY","op":"ban","experts":[0,2,3]}])");
      auto rules = rule;
      rules[0]["layers"] = {layer};
      const auto plan = tests::planOf(rules, routers);
      const auto plain = orDie(roomy.model->newSession());
      const auto steered = orDie(roomy.model->newSession());
      steered->setPlan(plan);
      for (const bool decode : {false, true}) {
        const auto& ids = decode ? text : source;
        const auto output = orDie(steered->forward(requestOf(ids, decode)));
        const auto native = orDie(plain->forward(requestOf(ids, decode)));
        for (std::size_t r = 0; r < routers.size(); ++r) {
          const RouterTap& tap = output.routers[r];
          const bool sees = (routers[r].layer.value >= 4) == decode;
          const auto experts = static_cast<std::size_t>(routers[r].experts);
          int changed = 0;
          for (int row = 0; row < static_cast<int>(ids.size()); ++row) {
            const auto chosen = choiceAt(tap.ids, tap.weights, tap.width, row);
            if (!sees) {
              QVERIFY(chosen.ids.empty());
              continue;
            }
            const auto logits = tap.logits.subspan(static_cast<std::size_t>(row) * experts, experts);
            QVERIFY(sameBits(chosen, steering::applyPlan(logits, plan->layers[r], {decode, row})));
            changed += sameBits(chosen, steering::nativeChoice(logits, routers[r])) ? 0 : 1;
          }
          QCOMPARE(changed > 0, sees && routers[r].layer.value == layer);
        }
        // A rule of the encoder changes what the decoder makes; one of the decoder not what was encoded.
        if (decode) QVERIFY(bytesOf(output.logits) != bytesOf(native.logits));
        if (!decode && layer == 5) QVERIFY(bytesOf(output.hidden[3]) == bytesOf(native.hidden[3]));
      }
    }
  }
};

QTEST_APPLESS_MAIN(TestGoldenEncoderDecoder)
#include "tst_golden_encoder_decoder.moc"
