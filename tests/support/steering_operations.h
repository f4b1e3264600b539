// One rule of every operation, as JSON, for tests that hold the engine to the scalar definition.
// Not for the meaning of the operations (tst_apply_plan).
#pragma once

#include <QTest>

#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/steering/steering_plan.h"
#include "core/steering/steering_program.h"

namespace moescope::tests {

/// Every operation of the four primitives, and some of them together, for routers of 32 experts, top-4.
inline std::vector<std::pair<const char*, nlohmann::json>> allOperations() {
  using nlohmann::json;
  const auto rule = [](const char* text) { return json::array({json::parse(text)}); };
  json thresholds = json::parse(R"({"primitive":"COUNT","op":"threshold"})");
  thresholds["thresholds"] = std::vector<double>(32, 0.05);
  return {
      {"LOGIT set", rule(R"({"primitive":"LOGIT","op":"set","value":2.5,"experts":[3,4]})")},
      {"LOGIT scale", rule(R"({"primitive":"LOGIT","op":"scale","value":1.7})")},
      {"LOGIT add", rule(R"({"primitive":"LOGIT","op":"add","value":1.5,"experts":[1,30]})")},
      {"LOGIT std", rule(R"({"primitive":"LOGIT","op":"std","value":0.8,"experts":[2,9]})")},
      {"LOGIT noise", rule(R"({"primitive":"LOGIT","op":"noise","value":0.6,"seed":11})")},
      {"LOGIT pin+", rule(R"({"primitive":"LOGIT","op":"pin+","experts":[5,6]})")},
      {"LOGIT pin-", rule(R"({"primitive":"LOGIT","op":"pin-","experts":[7,8]})")},
      {"LOGIT ban", rule(R"({"primitive":"LOGIT","op":"ban","experts":[0,10,20]})")},
      {"KEY set", rule(R"({"primitive":"KEY","op":"set","value":0.9,"experts":[12]})")},
      {"KEY set ids", rule(R"({"primitive":"KEY","op":"set","ids":[9,2,17]})")},
      {"KEY scale", rule(R"({"primitive":"KEY","op":"scale","value":3,"experts":[1,2,3]})")},
      {"KEY add", rule(R"({"primitive":"KEY","op":"add","value":0.3,"experts":[31]})")},
      {"KEY std", rule(R"({"primitive":"KEY","op":"std","value":2,"experts":[13,14]})")},
      {"KEY noise", rule(R"({"primitive":"KEY","op":"noise","value":0.2,"seed":3})")},
      {"KEY pin+", rule(R"({"primitive":"KEY","op":"pin+","experts":[16,17]})")},
      {"KEY pin-", rule(R"({"primitive":"KEY","op":"pin-","experts":[18,19]})")},
      {"KEY ban", rule(R"({"primitive":"KEY","op":"ban","experts":[0,1,2,3,4,5,6,7]})")},
      {"COUNT fixed", rule(R"({"primitive":"COUNT","op":"fixed","count":6})")},
      {"COUNT top_p", rule(R"({"primitive":"COUNT","op":"top_p","value":0.5})")},
      {"COUNT ratio", rule(R"({"primitive":"COUNT","op":"ratio","value":0.4})")},
      {"COUNT threshold", json::array({thresholds})},
      {"COUNT entropy",
       rule(R"({"primitive":"COUNT","op":"entropy","order":1.1,"threshold":2.0,"low":2,"high":7})")},
      {"COUNT null", rule(R"({"primitive":"COUNT","op":"null","count":3,"null_logit":3.0})")},
      {"WEIGHT uniform", rule(R"({"primitive":"WEIGHT","op":"uniform","renorm":"keep_mass"})")},
      {"WEIGHT softmax", rule(R"({"primitive":"WEIGHT","op":"softmax","value":0.7})")},
      {"WEIGHT mul", rule(R"({"primitive":"WEIGHT","op":"mul","value":4,"experts":[0,1,2,3]})")},
      {"WEIGHT set", rule(R"({"primitive":"WEIGHT","op":"set","weights":[0.4,0.3,0.2,0.1]})")},
      {"WEIGHT renorm", rule(R"({"primitive":"WEIGHT","op":"renorm","renorm":"sum1"})")},
      {"together", json::parse(R"([{"id":1,"primitive":"LOGIT","op":"add","value":1,"experts":[3]},
          {"id":2,"primitive":"KEY","op":"ban","experts":[4]},
          {"id":3,"primitive":"COUNT","op":"fixed","count":5},
          {"id":4,"primitive":"WEIGHT","op":"mul","value":2,"experts":[3],"renorm":"keep_mass"}])")},
  };
}

/// Scopes to put on every rule: all rows, some layers, a phase, some positions.
inline std::vector<const char*> allScopes() {
  return {"{}", R"({"layers":[1,4]})", R"({"phase":"prefill"})", R"({"phase":"decode"})",
          R"({"positions":{"from":3,"to":30,"every":4}})"};
}

/// A row for every operation in every scope, as the _data() of a test.
inline void addOperations() {
  QTest::addColumn<int>("operation");
  QTest::addColumn<QString>("scope");
  const auto operations = allOperations();
  for (std::size_t i = 0; i < operations.size(); ++i) {
    for (const char* scope : allScopes()) {
      QTest::addRow("%s, %s", operations[i].first, scope) << static_cast<int>(i) << QString(scope);
    }
  }
}

/// The rules of the present row.
inline nlohmann::json scopedRules() {
  QFETCH(int, operation);
  QFETCH(QString, scope);
  auto rules = allOperations()[static_cast<std::size_t>(operation)].second;
  for (auto& rule : rules) rule.update(nlohmann::json::parse(scope.toStdString()));
  return rules;
}

inline std::shared_ptr<const steering::SteeringPlan> planOf(const nlohmann::json& rules,
                                                            const std::vector<RouterSpec>& routers) {
  const nlohmann::json program{{"moescope_steering", 1}, {"rules", rules}};
  const auto parsed = steering::parseProgram(program.dump(), "test");
  if (!parsed) qFatal("%s", parsed.error().text().c_str());
  const auto plan = steering::compile(*parsed, routers);
  if (!plan) qFatal("%s", plan.error().text().c_str());
  return *plan;
}

/// A tap's row as the scalar definition gives choices.
inline steering::RouterChoice choiceAt(std::span<const std::int32_t> ids, std::span<const float> weights,
                                       int width, int row) {
  steering::RouterChoice choice;
  for (int i = row * width; i < (row + 1) * width; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (ids[at] < 0) continue;
    choice.ids.push_back(ids[at]);
    choice.weights.push_back(weights[at]);
  }
  return choice;
}

inline bool sameBits(const steering::RouterChoice& left, const steering::RouterChoice& right) {
  return left.ids == right.ids && left.weights.size() == right.weights.size() &&
         std::memcmp(left.weights.data(), right.weights.data(), left.weights.size() * sizeof(float)) == 0;
}

}  // namespace moescope::tests
