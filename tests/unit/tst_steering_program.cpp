// Programs as JSON, their errors, conflicts, titles and verbs.
#include <QTest>

#include "core/base/router_label.h"
#include "core/steering/operation_words.h"
#include "core/steering/steering_plan.h"

using namespace moescope;
using namespace moescope::steering;

namespace {

std::vector<RouterSpec> routers(int layers, int experts = 8, int k = 2) {
  std::vector<RouterSpec> all;
  for (int layer = 0; layer < layers; ++layer) {
    RouterSpec router;
    router.layer = {layer};
    router.experts = experts;
    router.topK = k;
    all.push_back(router);
  }
  return all;
}

/// Of two layers, as jetmoe has them: attention heads first.
std::vector<RouterSpec> routersOfTwoKinds() {
  std::vector<RouterSpec> all;
  for (const RouterSpec& ffn : routers(2)) {
    RouterSpec attention = ffn;
    attention.kind = "attention";
    attention.experts = 4;
    all.push_back(attention);
    all.push_back(ffn);
  }
  return all;
}

std::string programText(const std::string& rules) {
  return R"({"moescope_steering":1,"rules":[)" + rules + "]}";
}

std::string compileKind(const std::string& rules) {
  const auto program = parseProgram(programText(rules), "p.json");
  if (!program) return "parse " + program.error().text();
  const auto plan = compile(*program, routers(2));
  return plan ? "ok" : plan.error().kind;
}

}  // namespace

class TestSteeringProgram : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void readsTheExampleOfTheManual() {
    const auto program = parseProgram(
        R"({"moescope_steering":1,"rules":[{"id":1,"enabled":true,"priority":1,"primitive":"KEY","op":"ban","layers":[3],"experts":[17],"phase":"both","positions":"all"},{"id":2,"primitive":"LOGIT","op":"add","value":1.5,"layers":[5],"experts":[2,9],"phase":"decode","positions":{"from":60}}]})",
        "p.json");
    QVERIFY(program.has_value());
    QCOMPARE(program->rules.size(), std::size_t{2});
    QVERIFY(program->rules[0].operation == Operation::Ban);
    QCOMPARE(program->rules[1].operand.value, 1.5);
    QCOMPARE(program->rules[1].priority, std::int64_t{2});
    QVERIFY(program->rules[1].phase == PhaseScope::Decode);
    QCOMPARE(program->rules[1].positions.from, std::int64_t{60});
  }

  void everyOperationSurvivesARoundTrip() {
    const auto program = parseProgram(programText(R"(
      {"primitive":"LOGIT","op":"set","value":1},{"primitive":"LOGIT","op":"noise","value":0.5,"seed":18446744073709551615},
      {"primitive":"KEY","op":"pin+","epsilon":0.5,"experts":[1],"ignore_groups":true},{"primitive":"KEY","op":"set","ids":[3,1]},
      {"primitive":"COUNT","op":"entropy","order":1.5,"threshold":0.8,"low":1,"high":4,"min":1,"max":6},
      {"primitive":"COUNT","op":"threshold","thresholds":[0.1,0.2]},{"primitive":"COUNT","op":"null","count":2,"null_logit":-1},
      {"primitive":"WEIGHT","op":"softmax","value":2,"renorm":"keep_mass"},{"primitive":"WEIGHT","op":"set","weights":[0.25,0.75]},
      {"primitive":"WEIGHT","op":"mul","value":64,"layers":[0,1],"experts":[5],"except":[[1,5]],"name":"mine","enabled":false,"priority":9,
       "phase":"prefill","positions":{"from":1,"to":9,"every":2}})"),
                                      "p.json");
    QVERIFY2(program.has_value(), program ? "" : program.error().text().c_str());
    const auto again = parseProgram(toJson(*program).dump(), "p.json");
    QVERIFY2(again.has_value(), again ? "" : again.error().text().c_str());
    QVERIFY(*again == *program);
    QCOMPARE(program->rules[1].operand.seed, std::uint64_t{18446744073709551615U});
  }

  void badProgramsAreRefusedWithTheirPlace_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("where");
    const auto row = [](const char* name, const std::string& text, const char* kind, const char* where) {
      QTest::newRow(name) << QString::fromStdString(text) << QString::fromUtf8(kind)
                          << QString::fromUtf8(where);
    };
    row("not json", "{", "steering.not_json", "");
    row("not a program", "[]", "steering.bad_format", "");
    row("no format", "{}", "steering.bad_format", "moescope_steering");
    row("newer", R"({"moescope_steering":2,"rules":[]})", "steering.newer", "moescope_steering");
    row("no rules", R"({"moescope_steering":1})", "steering.bad_format", "rules");
    row("unknown key", R"({"moescope_steering":1,"rules":[],"x":1})", "steering.bad_format", "x");
    row("unknown op", programText(R"({"primitive":"KEY","op":"bann"})"), "steering.bad_format",
        "rules[0].op");
    row("op of another primitive", programText(R"({"primitive":"COUNT","op":"ban"})"), "steering.bad_format",
        "rules[0].op");
    row("key of another op", programText(R"({"primitive":"KEY","op":"ban","value":1})"),
        "steering.bad_format", "rules[0].value");
    row("value missing", programText(R"({"primitive":"LOGIT","op":"add"})"), "steering.bad_format",
        "rules[0].value");
    row("empty list", programText(R"({"primitive":"KEY","op":"ban","experts":[]})"), "steering.bad_format",
        "rules[0].experts");
    row("negative", programText(R"({"primitive":"KEY","op":"ban","experts":[-1]})"), "steering.bad_format",
        "rules[0].experts");
    row("positions", programText(R"({"primitive":"KEY","op":"ban","positions":{"form":1}})"),
        "steering.bad_format", "rules[0].positions.form");
    row("format 0", R"({"moescope_steering":0,"rules":[]})", "steering.bad_format", "moescope_steering");
    row("ids outside KEY", programText(R"({"primitive":"LOGIT","op":"set","ids":[1]})"),
        "steering.bad_format", "rules[0].value");
    row("negative seed", programText(R"({"primitive":"LOGIT","op":"noise","value":1,"seed":-1})"),
        "steering.bad_format", "rules[0].seed");
    row("huge count", programText(R"({"primitive":"COUNT","op":"fixed","count":-99999999999})"),
        "steering.bad_format", "rules[0].count");
    row("huge exception", programText(R"({"primitive":"KEY","op":"ban","except":[[4294967296,1]]})"),
        "steering.bad_format", "rules[0].except");
    row("same id",
        programText(
            R"({"id":1,"primitive":"KEY","op":"ban","experts":[1]},{"id":1,"primitive":"KEY","op":"ban","experts":[2]})"),
        "steering.bad_format", "rules[1].id");
    row("duplicate key", R"({"moescope_steering":1,"rules":[],"rules":[]})", "steering.not_json",
        "key rules");
  }
  void badProgramsAreRefusedWithTheirPlace() {
    QFETCH(QString, text);
    QFETCH(QString, kind);
    QFETCH(QString, where);
    const auto program = parseProgram(text.toStdString(), "p.json");
    QVERIFY(!program.has_value());
    QCOMPARE(QString::fromStdString(program.error().kind), kind);
    QCOMPARE(QString::fromStdString(program.error().file), QStringLiteral("p.json"));
    if (!where.isEmpty()) QCOMPARE(QString::fromStdString(program.error().where), where);
  }

  void rulesThatTheModelCannotObey() {
    QCOMPARE(compileKind(R"({"primitive":"KEY","op":"ban","layers":[2],"experts":[0]})"),
             std::string("steering.no_such_layer"));
    QCOMPARE(compileKind(R"({"primitive":"KEY","op":"ban","layers":[1],"experts":[8]})"),
             std::string("steering.no_such_expert"));
    QCOMPARE(compileKind(R"({"primitive":"KEY","op":"ban"})"), std::string("steering.all_banned"));
    QCOMPARE(compileKind(R"({"primitive":"COUNT","op":"fixed","count":9})"),
             std::string("steering.bad_value"));
    QCOMPARE(compileKind(R"({"primitive":"COUNT","op":"top_p","value":0})"),
             std::string("steering.bad_value"));
    QCOMPARE(compileKind(R"({"primitive":"WEIGHT","op":"softmax","value":0})"),
             std::string("steering.bad_value"));
    QCOMPARE(compileKind(R"({"primitive":"KEY","op":"set","ids":[1,1]})"), std::string("steering.bad_value"));
    QCOMPARE(compileKind(R"({"primitive":"LOGIT","op":"add","value":1e39})"),
             std::string("steering.bad_value"));
    QCOMPARE(compileKind(R"({"primitive":"COUNT","op":"fixed","count":2,"max":0})"),
             std::string("steering.bad_value"));
    QCOMPARE(compileKind(R"({"primitive":"COUNT","op":"fixed","count":2,"min":3,"max":2})"),
             std::string("steering.bad_value"));
  }

  // Layers 0 and 1 have a router of attention heads (4 experts) and one of feed-forward experts (8).
  void rulesNameAKindOfRouter() {
    const auto acting = [](const std::string& rule) {
      std::string where;
      const auto program = parseProgram(programText(rule), "p.json");
      if (!program) return "parse " + program.error().text();
      const auto plan = compile(*program, routersOfTwoKinds());
      if (!plan) return plan.error().kind;
      for (const LayerPlan& layer : (*plan)->layers) {
        for (const PlanStep& step : layer.steps)
          where += shortRouterLabel(layer.router) + ":" + std::to_string(step.experts.size()) + " ";
      }
      return where;
    };
    using S = std::string;
    QCOMPARE(acting(R"({"primitive":"KEY","op":"pin+","experts":[1]})"), S("L0 attn:1 L0:1 L1 attn:1 L1:1 "));
    QCOMPARE(acting(R"({"primitive":"KEY","op":"pin+","experts":[1],"router":"attention"})"),
             S("L0 attn:1 L1 attn:1 "));
    QCOMPARE(acting(R"({"primitive":"LOGIT","op":"add","value":1,"layers":[1],"router":"ffn"})"), S("L1:8 "));
    // One released cell of one router, and one of both.
    QCOMPARE(
        acting(R"({"primitive":"LOGIT","op":"add","value":1,"layers":[1],"except":[[1,2,"ffn"],[1,3]]})"),
        S("L1 attn:3 L1:6 "));
    // Expert 5 is one of the feed-forward router only.
    QCOMPARE(acting(R"({"primitive":"KEY","op":"ban","experts":[5]})"), S("steering.no_such_expert"));
    QCOMPARE(acting(R"({"primitive":"KEY","op":"ban","experts":[5],"router":"ffn"})"), S("L0:1 L1:1 "));
    QCOMPARE(compileKind(R"({"primitive":"KEY","op":"ban","experts":[1],"router":"ffn"})"), S("ok"));
    QCOMPARE(compileKind(R"({"primitive":"KEY","op":"ban","experts":[1],"router":"attention"})"),
             S("steering.no_such_router"));
    for (const char* bad : {R"("router":"gate")", R"("router":1)", R"("except":[[1,2,"gate"]])",
                            R"("except":[[1,2,3]])", R"("except":[[1,2,"ffn",4]])"}) {
      const auto rule = S(R"({"primitive":"KEY","op":"ban","experts":[1],)") + bad + "}";
      QCOMPARE(parseProgram(programText(rule), "p.json").error().kind, S("steering.bad_format"));
    }
  }

  void aKindThatOneLayerLacksIsAnError() {
    auto specs = routersOfTwoKinds();
    specs.erase(specs.begin());  // layer 0 has no attention router any more
    const auto program = parseProgram(
        programText(R"({"primitive":"KEY","op":"ban","experts":[1],"layers":[0],"router":"attention"})"),
        "p");
    const auto plan = compile(*program, specs);
    QCOMPARE(plan.error().kind, std::string("steering.no_such_router"));
    QVERIFY(plan.error().message.find("layer 0 has no router of the kind attention") != std::string::npos);
  }

  void cellsOfAKindMakeRulesOfThatKind() {
    SteeringProgram program;
    const ExpertCell attention{LayerIndex{1}, ExpertIndex{2}, "attention"};
    const ExpertCell ffn{LayerIndex{1}, ExpertIndex{2}, "ffn"};
    program.rules.push_back(banRule(program, attention));
    program.rules.push_back(addLogitRule(program, ffn, 1.0));
    QCOMPARE(ruleTitle(program.rules[0]), std::string("Ban L1 attn E2"));
    QCOMPARE(ruleTitle(program.rules[1]), std::string("Boost L1 ffn E2, +1.00 logit"));
    QCOMPARE(program.rules[0].router, std::string("attention"));
    const auto again = parseProgram(toJson(program).dump(), "p.json");
    QVERIFY(again.has_value());
    QVERIFY(*again == program);
    // Releasing one leaves the other; of a rule on both only the one is taken out.
    Rule both = banRule(program, {LayerIndex{1}, ExpertIndex{2}});
    both.layers = {0, 1};
    program.rules.push_back(both);
    program = released(program, attention);
    QCOMPARE(program.rules.size(), std::size_t{2});
    QCOMPARE(program.rules[1].except, std::vector<ExpertCell>{attention});
    QVERIFY(*parseProgram(toJson(program).dump(), "p.json") == program);
    program = released(program, attention);
    QCOMPARE(program.rules[1].except.size(), std::size_t{1});  // once
  }

  void allBannedIsFoundAcrossRulesAndScopes() {
    const std::string low =
        R"({"primitive":"KEY","op":"ban","experts":[0,1,2,3],"phase":"decode","positions":{"from":3,"every":2}})";
    const auto high = [](const char* scope) {
      return std::string(R"({"primitive":"LOGIT","op":"ban","experts":[4,5,6,7],)") + scope + "}";
    };
    QCOMPARE(compileKind(low + "," + high(R"("positions":{"from":10,"every":3})")),
             std::string("steering.all_banned"));
    QCOMPARE(compileKind(low + "," + high(R"("positions":{"from":4,"every":2})")), std::string("ok"));
    QCOMPARE(compileKind(low + "," + high(R"("phase":"prefill")")), std::string("ok"));
    QCOMPARE(compileKind(low + "," + high(R"("positions":{"from":0,"to":3})")), std::string("ok"));
  }

  void aGivenChoiceThatIsBannedIsAnError() {
    const std::string choice = R"({"primitive":"KEY","op":"set","ids":[5,3]})";
    QCOMPARE(compileKind(choice + R"(,{"primitive":"KEY","op":"ban","experts":[3,5],"phase":"decode"})"),
             std::string("steering.all_banned"));
    QCOMPARE(compileKind(choice + R"(,{"primitive":"KEY","op":"ban","experts":[3]})"), std::string("ok"));
    // Another given choice outranks it.
    QCOMPARE(
        compileKind(
            choice +
            R"(,{"primitive":"KEY","op":"ban","experts":[3,5]},{"primitive":"KEY","op":"set","ids":[1]})"),
        std::string("ok"));
  }

  void everyKindOfConflictIsFound_data() {
    QTest::addColumn<QString>("winner");
    QTest::addColumn<QString>("loser");
    const auto row = [](const char* name, const char* winner, const char* loser) {
      QTest::newRow(name) << QString::fromUtf8(winner) << QString::fromUtf8(loser);
    };
    row("pins", R"("primitive":"KEY","op":"pin-","experts":[1])",
        R"("primitive":"KEY","op":"pin+","experts":[1,2])");
    row("sets", R"("primitive":"LOGIT","op":"set","value":1,"experts":[1])",
        R"("primitive":"LOGIT","op":"set","value":2)");
    row("choices", R"("primitive":"KEY","op":"set","ids":[1])", R"("primitive":"KEY","op":"set","ids":[2])");
    row("choice and count", R"("primitive":"KEY","op":"set","ids":[1])",
        R"("primitive":"COUNT","op":"fixed","count":1)");
    row("choice and pin", R"("primitive":"KEY","op":"set","ids":[1])",
        R"("primitive":"KEY","op":"pin+","experts":[1])");
    row("ban and choice", R"("primitive":"LOGIT","op":"ban","experts":[1])",
        R"("primitive":"KEY","op":"set","ids":[1,2])");
    row("sources", R"("primitive":"WEIGHT","op":"uniform")",
        R"("primitive":"WEIGHT","op":"softmax","value":2)");
    row("weights and factor", R"("primitive":"WEIGHT","op":"set","weights":[1])",
        R"("primitive":"WEIGHT","op":"mul","value":2,"experts":[1])");
    row("renormalisations", R"("primitive":"WEIGHT","op":"renorm","renorm":"sum1")",
        R"("primitive":"WEIGHT","op":"renorm","renorm":"none")");
  }
  void everyKindOfConflictIsFound() {
    QFETCH(QString, winner);
    QFETCH(QString, loser);
    const auto conflicts = [&](const char* scopeOfWinner, const char* scopeOfLoser) {
      const std::string rules = R"({"id":2,)" + winner.toStdString() + scopeOfWinner + R"(},{"id":1,)" +
                                loser.toStdString() + scopeOfLoser + "}";
      const auto plan = compile(parseProgram(programText(rules), "p.json").value(), routers(1));
      if (!plan) qFatal("%s", plan.error().text().c_str());
      return (*plan)->conflicts;
    };
    const auto found = conflicts("", "");
    QCOMPARE(found.size(), std::size_t{1});
    QCOMPARE(found[0].winner, std::int64_t{2});
    QCOMPARE(found[0].loser, std::int64_t{1});
    // Rules that never meet on a token do not conflict.
    QVERIFY(conflicts(R"(,"phase":"prefill")", R"(,"phase":"decode")").empty());
    QVERIFY(conflicts(R"(,"positions":{"from":4})", R"(,"positions":{"to":4})").empty());
    QVERIFY(
        conflicts(R"(,"positions":{"from":1,"every":6})", R"(,"positions":{"from":3,"every":4})").empty() ==
        false);
    QVERIFY(
        conflicts(R"(,"positions":{"from":1,"every":6})", R"(,"positions":{"from":2,"every":4})").empty());
    QVERIFY(conflicts(R"(,"positions":{"from":1,"every":6})", R"(,"positions":{"from":3,"every":4,"to":7})")
                .empty());
  }

  void conflictsSayWhoWins() {
    const auto program = parseProgram(
        programText(
            R"({"id":1,"primitive":"KEY","op":"pin+","layers":[1],"experts":[3]},{"id":2,"primitive":"KEY","op":"ban","experts":[3]},
           {"id":3,"primitive":"COUNT","op":"fixed","count":1},{"id":4,"primitive":"COUNT","op":"fixed","count":3,"layers":[0]})"),
        "p.json");
    const auto plan = compile(*program, routers(2));
    QVERIFY(plan.has_value());
    QCOMPARE((*plan)->conflicts.size(), std::size_t{2});
    const auto& count = (*plan)->conflicts[0];
    const auto& pin = (*plan)->conflicts[1];
    QCOMPARE(count.winner, std::int64_t{4});
    QCOMPARE(count.loser, std::int64_t{3});
    QCOMPARE(pin.text, std::string("Pins L1 E3, which is banned. The ban wins."));
    QCOMPARE(pin.winner, std::int64_t{2});
  }

  void tooManyPinsWarn() {
    const auto program = parseProgram(
        programText(R"({"primitive":"KEY","op":"pin+","layers":[0],"experts":[1,2,3]})"), "p.json");
    const auto plan = compile(*program, routers(1));
    QCOMPARE((*plan)->warnings.size(), std::size_t{1});
  }

  void verbsAndTitles() {
    SteeringProgram program;
    const auto add = [&program](Rule rule) { program.rules.push_back(std::move(rule)); };
    add(banRule(program, {{3}, {17}}));
    add(pinRule(program, {{3}, {18}}));
    add(addLogitRule(program, {{10}, {41}}, 1.5));
    add(addLogitRule(program, {{10}, {40}}, -0.25));
    add(scaleRule(program, {{2}, {1}}, 0.5));
    add(topKRule(program, {0, 1}, 6));
    add(uniformRule(program, {}));
    const char* titles[] = {"Ban L3 E17",
                            "Pin L3 E18",
                            "Boost L10 E41, +1.50 logit",
                            "Dampen L10 E40, −0.25 logit",
                            "Scale L2 E1, × 0.50",
                            "Top-k 6, layers 0–1",
                            "Uniform weights, all layers"};
    for (std::size_t i = 0; i < program.rules.size(); ++i) {
      QCOMPARE(QString::fromStdString(ruleTitle(program.rules[i])), QString::fromUtf8(titles[i]));
      QCOMPARE(program.rules[i].id, static_cast<std::int64_t>(i) + 1);
    }
    QVERIFY(parseProgram(toJson(program).dump(), "p.json") == program);
  }

  void releaseTakesACellOutOfEveryRule() {
    SteeringProgram program;
    program.rules.push_back(banRule(program, {{1}, {2}}));
    Rule all = banRule(program, {{1}, {2}});
    all.layers.clear();
    program.rules.push_back(all);
    program.rules.push_back(topKRule(program, {}, 1));
    const auto after = released(program, {{1}, {2}});
    QCOMPARE(after.rules.size(), std::size_t{2});
    QCOMPARE(after.rules[0].except, (std::vector<ExpertCell>{{{1}, {2}}}));
    // A given choice has no cells.
    auto given = parseProgram(programText(R"({"primitive":"KEY","op":"set","ids":[2,3]})"), "p.json").value();
    QVERIFY(released(given, {{1}, {2}}) == given);
    QVERIFY(released(after, {{1}, {2}}) == after);
    const auto plan = compile(after, routers(2));
    QVERIFY(plan.has_value());
    QCOMPARE((*plan)->layers[0].steps.size(), std::size_t{2});
    QCOMPARE((*plan)->layers[1].steps.size(), std::size_t{1});
  }
};

QTEST_APPLESS_MAIN(TestSteeringProgram)
#include "tst_steering_program.moc"
