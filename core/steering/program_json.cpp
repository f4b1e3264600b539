// The JSON form of steering programs (docs/steering.md, docs/steering.schema.json).
#include <algorithm>
#include <cmath>
#include <set>
#include <type_traits>

#include <fmt/format.h>

#include "core/base/strict_json.h"
#include "core/steering/operation_words.h"
#include "core/steering/steering_program.h"

namespace moescope::steering {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr unsigned kFormat = 1;
/// Rules are compared in pairs; more than this in one file is a mistake.
constexpr std::size_t kMaxRules = 2000;
constexpr std::size_t kMaxList = 1 << 16;

/// Which operand keys an operation reads, besides the scope keys that every rule has.
std::set<std::string> operandKeys(const Rule& rule, bool givesChoice) {
  const std::set<std::string> clip{"min", "max"};
  std::set<std::string> keys;
  switch (rule.operation) {
    case Operation::Set:
      keys = givesChoice && rule.primitive == Primitive::Key ? std::set<std::string>{"ids"}
                                                             : std::set<std::string>{"value"};
      break;
    case Operation::Noise: keys = {"value", "seed"}; break;
    case Operation::PinHigh:
    case Operation::PinLow: keys = {"epsilon"}; break;
    case Operation::Ban:
    case Operation::Uniform:
    case Operation::Renormalise: break;
    case Operation::Fixed: keys = {"count"}; break;
    case Operation::Threshold: keys = {"thresholds"}; break;
    case Operation::Entropy: keys = {"order", "threshold", "low", "high"}; break;
    case Operation::Null: keys = {"count", "null_logit"}; break;
    case Operation::SetWeights: keys = {"weights"}; break;
    default: keys = {"value"}; break;
  }
  if (rule.primitive == Primitive::Count) keys.insert(clip.begin(), clip.end());
  if (rule.primitive == Primitive::Weight && rule.operation != Operation::SetWeights) keys.insert("renorm");
  if (rule.primitive == Primitive::Key) keys.insert("ignore_groups");
  return keys;
}

const std::set<std::string> kScopeKeys{"id",      "enabled", "priority", "primitive", "op",   "layers",
                                       "experts", "except",  "phase",    "positions", "name", "router"};

std::optional<std::string> routerFrom(std::string_view text) {
  if (text != "ffn" && text != "attention") return std::nullopt;
  return std::string(text);
}

bool isInt32(const json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>() <= INT32_MAX;
  return value.is_number_integer() && value.get<std::int64_t>() >= INT32_MIN;
}

bool isIndex(const json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() <= kMaxList;
}

class RuleReader {
 public:
  RuleReader(const json& object, std::string file, std::string place)
      : m_object(object), m_file(std::move(file)), m_place(std::move(place)) {}

  Result<Rule> read(std::int64_t fallbackId) {
    if (!m_object.is_object()) return failure("", "a rule is not an object");
    Rule rule;
    readWord("primitive", true, primitiveFrom, rule.primitive);
    readWord(
        "op", true, [&rule](std::string_view text) { return operationFrom(rule.primitive, text); },
        rule.operation);
    if (m_error) return fail(*m_error);
    readScope(rule, fallbackId);
    readOperand(rule);
    checkKeys(rule);
    if (m_error) return fail(*m_error);
    return rule;
  }

 private:
  tl::unexpected<Error> failure(const std::string& key, const std::string& message) const {
    return fail("steering.bad_format", m_file, key.empty() ? m_place : m_place + "." + key, message,
                "see docs/steering.md");
  }
  void stop(const std::string& key, const std::string& message) {
    if (!m_error) m_error = failure(key, message).value();
  }

  template <class From, class Value>
  void readWord(const char* key, bool needed, From from, Value& value) {
    const auto found = m_object.find(key);
    if (found == m_object.end()) {
      if (needed) stop(key, "is missing");
      return;
    }
    const auto parsed = found->is_string() ? from(found->get<std::string>()) : std::nullopt;
    if (!parsed) return stop(key, found->dump() + " is not one of its words");
    value = *parsed;
  }

  void readNumber(const char* key, double& value, bool needed) {
    const auto found = m_object.find(key);
    if (found == m_object.end()) {
      if (needed) stop(key, "is missing");
      return;
    }
    if (!found->is_number() || !std::isfinite(found->get<double>())) return stop(key, "is not a number");
    value = found->get<double>();
  }

  template <class Whole>
  void readWhole(const json& object, const char* key, Whole& value, bool needed) {
    const auto found = object.find(key);
    if (found == object.end()) {
      if (needed) stop(key, "is missing");
      return;
    }
    const bool inRange = std::is_unsigned_v<Whole> ? found->is_number_unsigned() : isInt32(*found);
    if (!inRange) return stop(key, "is not a whole number in range");
    value = found->get<Whole>();
  }

  void readIds(const char* key, std::vector<std::int32_t>& ids, bool wordAll) {
    const auto found = m_object.find(key);
    if (found == m_object.end() || (wordAll && *found == "all")) return;
    if (!found->is_array() || found->size() > kMaxList) return stop(key, "is not a list of numbers");
    // An empty list is an empty scope, not "all": say so instead of guessing.
    if (found->empty()) return stop(key, wordAll ? "is empty; write \"all\" for all of them" : "is empty");
    for (const auto& id : *found) {
      if (!isIndex(id)) return stop(key, id.dump() + " is not an index");
      ids.push_back(id.get<std::int32_t>());
    }
  }

  void readNumbers(const char* key, std::vector<double>& values) {
    const auto found = m_object.find(key);
    if (found == m_object.end()) return stop(key, "is missing");
    if (!found->is_array() || found->size() > kMaxList) return stop(key, "is not a list of numbers");
    for (const auto& value : *found) {
      if (!value.is_number()) return stop(key, value.dump() + " is not a number");
      values.push_back(value.get<double>());
    }
  }

  void readScope(Rule& rule, std::int64_t fallbackId) {
    rule.id = fallbackId;
    readWhole(m_object, "id", rule.id, false);
    if (rule.id < 1) stop("id", "is not a number from 1");
    rule.priority = rule.id;
    readWhole(m_object, "priority", rule.priority, false);
    if (const auto found = m_object.find("enabled"); found != m_object.end()) {
      if (!found->is_boolean()) return stop("enabled", "is not true or false");
      rule.enabled = found->get<bool>();
    }
    if (const auto found = m_object.find("name"); found != m_object.end()) {
      if (!found->is_string()) return stop("name", "is not a text");
      rule.name = found->get<std::string>();
    }
    readIds("layers", rule.layers, true);
    readIds("experts", rule.experts, true);
    readWord("router", false, routerFrom, rule.router);
    readWord("phase", false, phaseFrom, rule.phase);
    readPositions(rule.positions);
    readExcept(rule.except);
  }

  void readPositions(PositionScope& positions) {
    const auto found = m_object.find("positions");
    if (found == m_object.end() || *found == "all") return;
    if (!found->is_object()) return stop("positions", "is neither \"all\" nor an object");
    for (const auto& [key, value] : found->items()) {
      if (key != "from" && key != "to" && key != "every") return stop("positions." + key, "is not known");
    }
    readWhole(*found, "from", positions.from, false);
    readWhole(*found, "every", positions.every, false);
    if (found->contains("to")) {
      std::int64_t to = 0;
      readWhole(*found, "to", to, true);
      positions.to = to;
    }
    if (positions.from < 0 || positions.to.value_or(0) < 0 || positions.every < 1) {
      stop("positions", "from or to is below 0, or every below 1");
    }
  }

  void readExcept(std::vector<ExpertCell>& except) {
    const auto found = m_object.find("except");
    if (found == m_object.end()) return;
    if (!found->is_array() || found->size() > kMaxList)
      return stop("except", "is not a list of [layer, expert]");
    for (const auto& cell : *found) {
      const bool isCell =
          cell.is_array() && (cell.size() == 2 || cell.size() == 3) && isIndex(cell[0]) && isIndex(cell[1]);
      if (!isCell) return stop("except", cell.dump() + " is not [layer, expert]");
      std::string kind;
      if (cell.size() == 3) {
        const auto word = cell[2].is_string() ? routerFrom(cell[2].get<std::string>()) : std::nullopt;
        if (!word) return stop("except", cell[2].dump() + " is no kind of router: \"ffn\" or \"attention\"");
        kind = *word;
      }
      except.push_back({{cell[0].get<std::int32_t>()}, {cell[1].get<std::int32_t>()}, kind});
    }
  }

  void readOperand(Rule& rule) {
    auto& operand = rule.operand;
    const auto keys = operandKeys(rule, m_object.contains("ids"));
    const auto reads = [&keys](const char* key) { return keys.contains(key); };
    if (reads("value")) readNumber("value", operand.value, true);
    if (reads("seed")) readWhole(m_object, "seed", operand.seed, true);
    if (reads("epsilon")) readNumber("epsilon", operand.epsilon, false);
    if (reads("count")) readWhole(m_object, "count", operand.count, true);
    if (reads("null_logit")) readNumber("null_logit", operand.nullLogit, true);
    if (reads("order")) readNumber("order", operand.entropyOrder, false);
    if (reads("threshold")) readNumber("threshold", operand.entropyThreshold, false);
    if (reads("low")) readWhole(m_object, "low", operand.lowCount, true);
    if (reads("high")) readWhole(m_object, "high", operand.highCount, true);
    if (reads("ids")) readIds("ids", operand.orderedIds, false);
    if (reads("weights")) readNumbers("weights", operand.weights);
    if (reads("thresholds")) readNumbers("thresholds", operand.thresholds);
    if (reads("renorm"))
      readWord("renorm", rule.operation == Operation::Renormalise, renormalisationFrom,
               operand.renormalisation);
    for (const auto& [key, target] :
         {std::pair{"min", &operand.minCount}, std::pair{"max", &operand.maxCount}}) {
      if (!reads(key) || !m_object.contains(key)) continue;
      int value = 0;
      readWhole(m_object, key, value, true);
      *target = value;
    }
    if (const auto found = m_object.find("ignore_groups");
        reads("ignore_groups") && found != m_object.end()) {
      if (!found->is_boolean()) return stop("ignore_groups", "is not true or false");
      operand.ignoreGroups = found->get<bool>();
    }
  }

  void checkKeys(const Rule& rule) {
    const auto keys = operandKeys(rule, m_object.contains("ids"));
    for (const auto& [key, value] : m_object.items()) {
      if (!kScopeKeys.contains(key) && !keys.contains(key)) {
        stop(key, fmt::format("does not belong to {} {}", word(rule.primitive), word(rule.operation)));
      }
    }
  }

  const json& m_object;
  std::string m_file, m_place;
  std::optional<Error> m_error;
};

void writeOperand(const Rule& rule, ordered_json& object) {
  const auto& operand = rule.operand;
  const auto keys = operandKeys(rule, !operand.orderedIds.empty());
  const auto writes = [&keys](const char* key) { return keys.contains(key); };
  if (writes("value")) object["value"] = operand.value;
  if (writes("seed")) object["seed"] = operand.seed;
  if (writes("epsilon")) object["epsilon"] = operand.epsilon;
  if (writes("count")) object["count"] = operand.count;
  if (writes("null_logit")) object["null_logit"] = operand.nullLogit;
  if (writes("order")) object["order"] = operand.entropyOrder;
  if (writes("threshold")) object["threshold"] = operand.entropyThreshold;
  if (writes("low")) object["low"] = operand.lowCount;
  if (writes("high")) object["high"] = operand.highCount;
  if (writes("ids")) object["ids"] = operand.orderedIds;
  if (writes("weights")) object["weights"] = operand.weights;
  if (writes("thresholds")) object["thresholds"] = operand.thresholds;
  if (writes("min") && operand.minCount) object["min"] = *operand.minCount;
  if (writes("max") && operand.maxCount) object["max"] = *operand.maxCount;
  if (writes("renorm")) object["renorm"] = word(operand.renormalisation);
  if (writes("ignore_groups") && operand.ignoreGroups) object["ignore_groups"] = true;
}

ordered_json ruleJson(const Rule& rule) {
  ordered_json object{{"id", rule.id},
                      {"enabled", rule.enabled},
                      {"priority", rule.priority},
                      {"primitive", word(rule.primitive)},
                      {"op", word(rule.operation)}};
  if (!rule.name.empty()) object["name"] = rule.name;
  writeOperand(rule, object);
  object["layers"] = rule.layers.empty() ? ordered_json("all") : ordered_json(rule.layers);
  object["experts"] = rule.experts.empty() ? ordered_json("all") : ordered_json(rule.experts);
  if (!rule.router.empty()) object["router"] = rule.router;
  for (const auto& cell : rule.except) {
    object["except"].push_back({cell.layer.value, cell.expert.value});
    if (!cell.kind.empty()) object["except"].back().push_back(cell.kind);
  }
  object["phase"] = word(rule.phase);
  if (rule.positions == PositionScope{}) {
    object["positions"] = "all";
  } else {
    object["positions"]["from"] = rule.positions.from;
    if (rule.positions.to) object["positions"]["to"] = *rule.positions.to;
    if (rule.positions.every != 1) object["positions"]["every"] = rule.positions.every;
  }
  return object;
}

}  // namespace

ordered_json toJson(const SteeringProgram& program) {
  ordered_json document{{"moescope_steering", kFormat}};
  if (!program.name.empty()) document["name"] = program.name;
  document["rules"] = ordered_json::array();
  for (const Rule& rule : program.rules) document["rules"].push_back(ruleJson(rule));
  return document;
}

Result<SteeringProgram> parseProgram(std::string_view text, const std::string& file) {
  const auto document = parseStrictJson(text);
  if (!document) {
    return fail("steering.not_json", file, document.error().where, document.error().message,
                "see docs/steering.md");
  }
  const auto failure = [&file](const char* where, const char* message) {
    return fail("steering.bad_format", file, where, message, "see docs/steering.md");
  };
  if (!document->is_object()) return failure("", "is not a steering program: not a JSON object");
  const auto format = document->find("moescope_steering");
  if (format == document->end() || !format->is_number_unsigned() || *format == 0) {
    return failure("moescope_steering", "is not a steering program: the format number is missing");
  }
  if (format->get<std::uint64_t>() > kFormat) {
    return fail("steering.newer", file, "moescope_steering", "was written by a newer MoEScope",
                "update MoEScope");
  }
  SteeringProgram program;
  for (const auto& [key, value] : document->items()) {
    if (key == "name" && value.is_string()) {
      program.name = value.get<std::string>();
    } else if (key != "moescope_steering" && key != "rules") {
      return failure(key.c_str(), "is not known");
    }
  }
  const auto rules = document->find("rules");
  if (rules == document->end() || !rules->is_array() || rules->size() > kMaxRules) {
    return failure("rules", "is missing or not a list of rules");
  }
  for (std::size_t i = 0; i < rules->size(); ++i) {
    auto rule = RuleReader((*rules)[i], file, fmt::format("rules[{}]", i)).read(program.nextId());
    if (!rule) return fail(rule.error());
    if (program.find(rule->id) != nullptr) {
      return failure(fmt::format("rules[{}].id", i).c_str(), "stands twice");
    }
    program.rules.push_back(*std::move(rule));
  }
  return program;
}

}  // namespace moescope::steering
