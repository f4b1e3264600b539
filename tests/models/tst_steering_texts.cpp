// What the steering panel says: scopes, effects, strengths, checks of a program against routers.
#include "tests/support/gui_test.h"
#include "views/panels/steering/index_ranges.h"
#include "views/panels/steering/program_check.h"
#include "views/panels/steering/rule_drafts.h"
#include "views/panels/steering/rule_strength.h"
#include "views/panels/steering/rule_texts.h"
#include "views/panels/steering/scope_popups.h"
#include "views/panels/steering/signed_spin_box.h"

namespace moescope::views {

namespace {

using steering::Operation;
using steering::Primitive;
using steering::Rule;

const ExpertCell kCell{LayerIndex{2}, ExpertIndex{5}};

/// Four layers of 8 experts, top-2.
std::vector<RouterSpec> routers() {
  std::vector<RouterSpec> out(4);
  for (int layer = 0; layer < 4; ++layer) {
    out[static_cast<std::size_t>(layer)].layer = LayerIndex{layer};
    out[static_cast<std::size_t>(layer)].experts = 8;
    out[static_cast<std::size_t>(layer)].topK = 2;
  }
  return out;
}

steering::RuleEffect effect(std::int64_t tokens, std::int64_t chosen, std::int64_t natively) {
  return {.ruleId = 1,
          .tokensInScope = tokens,
          .chosen = chosen,
          .nativelyChosen = natively,
          .choicesAdded = 0,
          .choicesDropped = 0,
          .droppedNativeMass = 0,
          .nativeMass = 0};
}

steering::SteeringProgram programOf(std::vector<Rule> rules) {
  steering::SteeringProgram program;
  for (Rule& rule : rules) {
    rule.id = rule.priority = program.nextId();
    program.rules.push_back(std::move(rule));
  }
  return program;
}

Rule banOf(std::vector<std::int32_t> layers, std::vector<std::int32_t> experts) {
  return draftRule({}, Verb::Ban, std::move(layers), std::move(experts), 0);
}

}  // namespace

class TestSteeringTexts : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void rangesThereAndBack() {
    QCOMPARE(rangesText({3, 1, 0, 2, 7, 7}), QStringLiteral("0–3, 7"));
    QCOMPARE(rangesText({}), QString());
    QCOMPARE(rangesText({5}), QStringLiteral("5"));
    for (const char* text : {"0–3, 7", "0-3,7", " 7 ; 0 - 3 ", "0,1,2,3,7,2"}) {
      const auto parsed = parseRanges(QString::fromUtf8(text));
      QVERIFY2(parsed.has_value(), text);
      QCOMPARE(*parsed, (std::vector<std::int32_t>{0, 1, 2, 3, 7}));
    }
    QVERIFY(parseRanges(QStringLiteral("  "))->empty());
  }

  void badRangesSayWhy() {
    const std::pair<const char*, const char*> cases[] = {
        {"4-2", "ends before it starts"}, {"seven", "is not a number"},
        {"1,,2", "is not a number"},      {"-3", "is not a number"},
        {"0-999999999", "is too large"},  {"99999999999999", "is not a number"}};
    for (const auto& [text, expected] : cases) {
      const auto parsed = parseRanges(QString::fromLatin1(text));
      QVERIFY2(!parsed, text);
      QVERIFY2(parsed.error().contains(QLatin1String(expected)), qPrintable(parsed.error()));
    }
  }

  void scopes() {
    Rule rule = steering::banRule({}, kCell);
    QCOMPARE(layersScopeText(rule), QStringLiteral("layer 2"));
    QCOMPARE(expertsScopeText(rule), QStringLiteral("expert 5"));
    QCOMPARE(tokensScopeText(rule.positions), QStringLiteral("all tokens"));
    rule.layers = {0, 1};
    rule.experts = {1, 2, 3};
    rule.except = {kCell, {LayerIndex{1}, ExpertIndex{1}}};
    rule.positions.from = 60;
    QCOMPARE(layersScopeText(rule), QStringLiteral("layers 0–1"));
    QCOMPARE(expertsScopeText(rule), QStringLiteral("3 experts, 2 released"));
    QCOMPARE(tokensScopeText(rule.positions), QStringLiteral("from token 60"));
    rule.layers = {0, 2, 4, 6, 8};
    QCOMPARE(layersScopeText(rule), QStringLiteral("5 layers"));
    rule.layers.clear();
    rule.experts.clear();
    rule.except.clear();
    rule.positions.to = 100;
    rule.positions.every = 2;
    QCOMPARE(layersScopeText(rule), QStringLiteral("all layers"));
    QCOMPARE(expertsScopeText(rule), QStringLiteral("all experts"));
    QCOMPARE(tokensScopeText(rule.positions), QStringLiteral("tokens 60–99, one in 2"));
  }

  void effects() {
    const auto of = [](const Rule& rule, const steering::RuleEffect& did) {
      return effectText(rule, did, routers());
    };
    const Rule boost = steering::addLogitRule({}, kCell, 1.5);
    QCOMPARE(of(boost, effect(128, 50, 19)), QStringLiteral("chosen by 50 of 128 tokens, natively 19"));
    QCOMPARE(of(boost, effect(0, 0, 0)), QString());
    QCOMPARE(of(steering::banRule({}, kCell), effect(114, 0, 31)),
             QStringLiteral("natively chosen by 31 of 114 tokens, now 0"));
    QCOMPARE(of(banOf({0, 1}, {3, 4}), effect(200, 0, 37)),
             QStringLiteral("natively 37 choices in 200 rows of tokens and layers, now 0"));
    QCOMPARE(of(steering::scaleRule({}, kCell, 2), effect(10, 4, 4)),
             QStringLiteral("weight scaled in 4 of 10 tokens"));
    QCOMPARE(of(steering::uniformRule({}, {1}), effect(12, 0, 0)), QStringLiteral("acts on 12 tokens"));

    auto dropped = effect(912, 0, 0);
    dropped.choicesDropped = 456;
    dropped.droppedNativeMass = 0.68;
    dropped.nativeMass = 10;
    const Rule topK = steering::topKRule({}, {0, 1}, 1);
    QCOMPARE(of(topK, dropped), QStringLiteral("456 of 1824 choices dropped, gate mass 6.8\u2009%"));
    auto added = effect(30, 0, 0);
    added.choicesAdded = 60;
    QCOMPARE(of(topK, added), QStringLiteral("60 choices added"));
  }

  void strengths() {
    const auto boost = ruleStrength(steering::addLogitRule({}, kCell, -0.25), routers());
    QCOMPARE(boost->value, -0.25);
    QCOMPARE(boost->unit, QStringLiteral("logit"));
    QVERIFY(boost->isSigned && boost->neutral == 0.0);
    const auto scale = ruleStrength(steering::scaleRule({}, kCell, 64), routers());
    QCOMPARE(scale->unit, QStringLiteral("×"));
    QCOMPARE(scale->neutral, 1.0);
    QVERIFY(scale->most >= 64 && scale->sliderHigh < 64);
    const auto topK = ruleStrength(steering::topKRule({}, {0, 1}, 1), routers());
    QCOMPARE(topK->unit, QStringLiteral("of 2"));
    QCOMPARE(topK->neutral, 2.0);
    QCOMPARE(topK->most, 8.0);
    QVERIFY(!ruleStrength(steering::banRule({}, kCell), routers()));
    QVERIFY(!ruleStrength(steering::pinRule({}, kCell), routers()));
    QVERIFY(!ruleStrength(steering::uniformRule({}, {}), routers()));
    Rule changed = steering::topKRule({}, {}, 1);
    setStrength(changed, 3.0);
    QCOMPARE(changed.operand.count, 3);
  }

  void fieldWritesSignAndMinus() {
    SignedSpinBox field;
    field.setStrength(*ruleStrength(steering::addLogitRule({}, kCell, 1.5), routers()));
    QCOMPARE(field.text(), QStringLiteral("+1.50"));
    field.setStrength(*ruleStrength(steering::addLogitRule({}, kCell, -0.25), routers()));
    QCOMPARE(field.text(), QStringLiteral("−0.25"));
    field.selectAll();
    QTest::keyClicks(&field, QStringLiteral("-2.5"));
    QTest::keyClick(&field, Qt::Key_Return);
    QCOMPARE(field.value(), -2.5);
    field.selectAll();
    QTest::keyClicks(&field, QStringLiteral("+3x"));
    QTest::keyClick(&field, Qt::Key_Return);
    QCOMPARE(field.value(), 3.0);
    field.setStrength(*ruleStrength(steering::topKRule({}, {}, 1), routers()));
    QCOMPARE(field.text(), QStringLiteral("1"));
  }

  void checkNamesTheRow() {
    const auto all = banOf({2}, {0, 1, 2, 3, 4, 5, 6, 7});
    const auto allBanned = checkProgram(programOf({all}), routers());
    QVERIFY(allBanned.error.contains(QStringLiteral("all 8 experts")));

    const auto missing = checkProgram(programOf({banOf({0}, {1}), banOf({1}, {8})}), routers());
    QVERIFY(missing.error.contains(QStringLiteral("experts 0 to 7, not 8")));
    QCOMPARE(missing.problems.size(), std::size_t{1});
    QVERIFY(missing.problems.contains(2));
    QVERIFY(checkProgram(programOf({banOf({9}, {1})}), routers()).error.contains(QStringLiteral("layer 9")));

    Rule pins = banOf({1}, {1, 2, 3});
    pins.operation = Operation::PinHigh;
    const auto pinned = checkProgram(programOf({pins}), routers());
    QVERIFY(pinned.error.isEmpty());
    QCOMPARE(pinned.warnings.size(), 1);
    QVERIFY(pinned.warnings[0].contains(QStringLiteral("pins 3 experts and chooses 2")));

    QVERIFY(checkProgram(programOf({banOf({9}, {99})}), {}).error.isEmpty());  // no router is known
  }

  void conflictsStandAtTheLoser() {
    const Rule ban = steering::banRule({}, kCell);
    Rule pin = steering::pinRule({}, kCell);
    const auto both = checkProgram(programOf({ban, pin}), routers());
    QCOMPARE(both.problems.size(), std::size_t{1});
    QCOMPARE(both.problems.at(2).text, QStringLiteral("Pins L2 E5, which is banned. The ban wins."));
    QVERIFY(both.problems.at(2).detail.contains(QStringLiteral("Ban L2 E5")));
    // A rule that is off says what it would meet; one that is off wins over nothing.
    pin.enabled = false;
    QCOMPARE(checkProgram(programOf({ban, pin}), routers()).problems.size(), std::size_t{1});
    Rule offBan = ban;
    offBan.enabled = false;
    pin.enabled = true;
    QVERIFY(checkProgram(programOf({offBan, pin}), routers()).problems.empty());
  }

  void verbsOnSelectedCells() {
    const auto cell = [](int layer, int expert) {
      return ExpertCell{LayerIndex{layer}, ExpertIndex{expert}};
    };
    // Twice the same boost on one cell is one rule, as in the pictures.
    auto program = withVerb({}, Verb::Boost, {cell(1, 2)});
    program = withVerb(std::move(program), Verb::Boost, {cell(1, 2)});
    QCOMPARE(program.rules.size(), std::size_t{1});
    QCOMPARE(program.rules[0].operand.value, 1.0);
    // A grid is one rule, anything else one rule for each kind of layer.
    const auto grid = withVerb({}, Verb::Ban, {cell(0, 1), cell(0, 2), cell(3, 1), cell(3, 2)});
    QCOMPARE(grid.rules.size(), std::size_t{1});
    QCOMPARE(grid.rules[0].layers, (std::vector<std::int32_t>{0, 3}));
    QCOMPARE(grid.rules[0].experts, (std::vector<std::int32_t>{1, 2}));
    const auto ragged = withVerb({}, Verb::Pin, {cell(0, 1), cell(0, 2), cell(3, 1)});
    QCOMPARE(ragged.rules.size(), std::size_t{2});
    QVERIFY(ragged.rules[0].id != ragged.rules[1].id);
    QVERIFY(ragged.rules[0].operation == Operation::PinHigh);
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestSteeringTexts)
#include "tst_steering_texts.moc"
