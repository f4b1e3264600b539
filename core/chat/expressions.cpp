// Evaluator's expressions.
#include <algorithm>

#include "core/chat/access.h"
#include "core/chat/evaluator.h"
#include "core/chat/filters.h"
#include "core/chat/functions.h"
#include "core/chat/methods.h"
#include "core/chat/operators.h"
#include "core/chat/python_text.h"
#include "core/chat/tests.h"

namespace moescope::chat {

Value Evaluator::evaluate(const Node& node) {
  const Budget::Level level(m_budget);
  m_budget.step();
  m_line = node.line;
  switch (node.kind) {
    case NodeKind::Literal: return node.value;
    case NodeKind::Name: return name(node);
    case NodeKind::List:
    case NodeKind::Tuple:
    case NodeKind::Dict: return collection(node);
    case NodeKind::Attribute:
    case NodeKind::Subscript:
    case NodeKind::Slice: return look(node);
    case NodeKind::Call: return call(node);
    case NodeKind::Filter:
    case NodeKind::Test: return filterOrTest(node);
    case NodeKind::And:
    case NodeKind::Or: return logical(node);
    case NodeKind::Compare: return comparison(node);
    case NodeKind::Concatenate: return concatenation(node);
    default: return operation(node);
  }
}

Value Evaluator::operation(const Node& node) {
  const auto child = [&](std::size_t index) { return evaluate(*node.children[index]); };
  switch (node.kind) {
    case NodeKind::Not: return !child(0).truth();
    case NodeKind::Negative: return negative(child(0));
    case NodeKind::Conditional: {
      if (child(0).truth()) return child(1);
      return evaluateOr(node.children[2].get(),
                        Value::undefined("the condition is false and there is no else"));
    }
    case NodeKind::Binary: {
      const Value left = child(0);
      const Value right = child(1);
      m_line = node.line;
      return binary(node.text, left, right, m_budget);
    }
    default: failed("a statement stands in the place of an expression");
  }
}

Value Evaluator::name(const Node& node) {
  if (const Value* found = m_scope->find(node.text)) return *found;
  if (isFunction(node.text)) {
    return std::make_shared<const Callable>(Callable{Callable::Kind::Function, nullptr, {}, node.text});
  }
  return Value::undefined("'" + node.text + "' is undefined");
}

Value Evaluator::collection(const Node& node) {
  m_budget.made(sizeof(Value) * node.children.size());
  if (node.kind != NodeKind::Dict) {
    std::vector<Value> items;
    for (const auto& child : node.children) items.push_back(evaluate(*child));
    return Value::list(std::move(items), node.kind == NodeKind::Tuple);
  }
  Dict dict;
  for (std::size_t i = 0; i < node.children.size(); i += 2) {
    Value key = evaluate(*node.children[i]);
    Value value = evaluate(*node.children[i + 1]);
    if (!key.isText() && !key.isNumber() && !key.isNone()) failed("a key must be a text or a number");
    if (const Value* found = dict.find(key, m_budget)) {
      const_cast<Value&>(*found) = std::move(value);
    } else {
      dict.entries.emplace_back(std::move(key), std::move(value));
    }
  }
  return Value::dict(std::move(dict.entries));
}

Value Evaluator::look(const Node& node) {
  const Value object = evaluate(*node.children[0]);
  if (node.kind == NodeKind::Attribute) {
    m_line = node.line;
    return attributeOf(object, node.text, m_budget);
  }
  if (node.kind == NodeKind::Subscript) {
    const Value key = evaluate(*node.children[1]);
    m_line = node.line;
    return itemOf(object, key, m_budget);
  }
  const auto bound = [&](std::size_t index) { return evaluateOr(node.children[index].get(), {}); };
  const Value first = bound(1);
  const Value last = bound(2);
  const Value step = bound(3);
  m_line = node.line;
  return sliceOf(object, first, last, step, m_budget);
}

Value Evaluator::logical(const Node& node) {
  Value value;
  for (const auto& child : node.children) {
    value = evaluate(*child);
    if (value.truth() == (node.kind == NodeKind::Or)) break;
  }
  return value;
}

Value Evaluator::comparison(const Node& node) {
  Value left = evaluate(*node.children[0]);
  for (std::size_t i = 0; i < node.names.size(); ++i) {
    Value right = evaluate(*node.children[i + 1]);
    m_line = node.line;
    const std::string& operation = node.names[i];
    bool holds = false;
    if (operation == "==" || operation == "!=") {
      holds = equal(left, right, m_budget) == (operation == "==");
    } else if (operation == "in" || operation == "not in") {
      holds = contains(right, left, m_budget) == (operation == "in");
    } else {
      if (left.isUndefined()) failUndefined(left);
      if (right.isUndefined()) failUndefined(right);
      const int order = compare(left, right, m_budget);
      holds = operation == "<"    ? order < 0
              : operation == "<=" ? order <= 0
              : operation == ">"  ? order > 0
                                  : order >= 0;
    }
    if (!holds) return false;
    left = std::move(right);
  }
  return true;
}

Value Evaluator::concatenation(const Node& node) {
  std::string text;
  for (const auto& child : node.children) {
    text += pythonText(evaluate(*child), m_budget);
    m_budget.output(text.size());
  }
  m_budget.made(text.size());
  return text;
}

Value Evaluator::filterOrTest(const Node& node) {
  const Value operand = evaluate(*node.children[0]);
  const Arguments given = arguments(node);
  m_line = node.line;
  if (node.kind == NodeKind::Test) return passes(node.text, operand, given, m_budget);
  return filtered(node.text, operand, given, m_budget);
}

/// Of a call, filter or test: the children behind the first.
Arguments Evaluator::arguments(const Node& node) {
  Arguments result;
  const std::size_t plain = node.children.size() - node.names.size();
  for (std::size_t i = 1; i < plain; ++i) result.positional.push_back(evaluate(*node.children[i]));
  for (std::size_t i = 0; i < node.names.size(); ++i) {
    result.named.emplace_back(node.names[i], evaluate(*node.children[plain + i]));
  }
  return result;
}

Value Evaluator::call(const Node& node) {
  const Value callee = evaluate(*node.children[0]);
  const Arguments given = arguments(node);
  m_line = node.line;
  if (callee.isUndefined()) failUndefined(callee);
  if (!callee.is<std::shared_ptr<const Callable>>())
    failed(std::string(callee.typeName()) + " cannot be called");
  const auto& callable = callee.as<std::shared_ptr<const Callable>>();
  switch (callable->kind) {
    case Callable::Kind::Macro: return callMacro(*callable->macro, given);
    case Callable::Kind::Method: return callMethod(callable->self, callable->name, given, m_budget);
    case Callable::Kind::Function: break;
  }
  if (callable->name == "namespace") return makeNamespace(given);
  return callFunction(callable->name, given, m_now, m_budget);
}

Value Evaluator::makeNamespace(const Arguments& given) {
  auto space = std::make_shared<Dict>();
  space->isNamespace = true;
  if (!given.positional.empty()) {
    const Dict* source = given.positional.front().dict();
    if (source == nullptr) failed("namespace needs a dict or arguments with names");
    for (const auto& [key, value] : source->entries) {
      if (key.isText()) space->set(*key.text(), value, m_budget);
    }
  }
  for (const auto& [name, value] : given.named) space->set(name, value, m_budget);
  m_budget.made(sizeof(Dict) + 2 * sizeof(Value) * space->entries.size());
  m_namespaces.push_back(space);
  return space;
}

}  // namespace moescope::chat
