#include "core/chat/evaluator.h"

#include <utility>

#include "core/chat/access.h"
#include "core/chat/filters.h"
#include "core/chat/python_text.h"

namespace moescope::chat {

namespace {

/// Puts another scope in the place of the current one while it lives.
class Entered {
 public:
  Entered(Scope*& current, Scope& scope) : m_current(current), m_outer(std::exchange(current, &scope)) {}
  ~Entered() { m_current = m_outer; }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  Scope*& m_current;
  Scope* m_outer;
};

}  // namespace

Evaluator::~Evaluator() {
  for (const auto& space : m_namespaces) space->entries.clear();
}

std::string Evaluator::run(const Node& tree) {
  try {
    execute(tree);
  } catch (const Fault& fault) {
    if (fault.line() > 0) throw;
    throw Fault(fault.kind(), fault.what(), m_line);
  }
  return std::move(m_output);
}

void Evaluator::print(std::string_view text) {
  m_budget.output(m_output.size() + text.size());
  m_output += text;
}

Evaluator::Flow Evaluator::execute(const Node& node) {
  const Budget::Level level(m_budget);
  m_budget.step();
  m_line = node.line;
  switch (node.kind) {
    case NodeKind::Data: print(node.text); break;
    case NodeKind::Output: print(pythonText(evaluate(*node.children[0]), m_budget)); break;
    case NodeKind::Body: return body(node);
    case NodeKind::If: return choose(node);
    case NodeKind::For: return repeat(node);
    case NodeKind::With: return with(node);
    case NodeKind::Set: assign(node); break;
    case NodeKind::SetBody:
      m_scope->set(node.names[0], filteredBody(node.children[1].get(), captured(*node.children[0])));
      break;
    case NodeKind::FilterBody:
      print(pythonText(filteredBody(node.children[1].get(), captured(*node.children[0])), m_budget));
      break;
    case NodeKind::Macro:
      m_scope->set(node.text,
                   std::make_shared<const Callable>(Callable{Callable::Kind::Macro, &node, {}, node.text}));
      break;
    case NodeKind::Break: return Flow::Break;
    case NodeKind::Continue: return Flow::Continue;
    default: failed("an expression stands in the place of a statement");
  }
  return Flow::On;
}

Evaluator::Flow Evaluator::body(const Node& node) {
  for (const auto& child : node.children) {
    if (const Flow flow = execute(*child); flow != Flow::On) return flow;
  }
  return Flow::On;
}

Evaluator::Flow Evaluator::choose(const Node& node) {
  const std::size_t pairs = node.children.size() / 2 * 2;
  for (std::size_t i = 0; i < pairs; i += 2) {
    if (evaluate(*node.children[i]).truth()) return execute(*node.children[i + 1]);
  }
  return pairs < node.children.size() ? execute(*node.children.back()) : Flow::On;
}

std::shared_ptr<const Sequence> Evaluator::loopItems(const Node& node) {
  const Value iterable = evaluate(*node.children[0]);
  auto items = iterate(iterable, m_budget);
  if (node.children[1] == nullptr) return items;
  Sequence kept;
  for (const Value& item : items->items) {
    Scope scope(m_scope);
    const Entered entered(m_scope, scope);
    bind(node.names, item);
    if (evaluate(*node.children[1]).truth()) kept.items.push_back(item);
  }
  m_budget.made(sizeof(Value) * kept.items.size());
  return std::make_shared<const Sequence>(std::move(kept));
}

Evaluator::Flow Evaluator::repeat(const Node& node) {
  auto loop = std::make_shared<Loop>();
  loop->items = loopItems(node);
  if (loop->items->items.empty()) return node.children[3] == nullptr ? Flow::On : execute(*node.children[3]);
  for (; loop->index < loop->items->items.size(); ++loop->index) {
    Scope scope(m_scope);
    const Entered entered(m_scope, scope);
    // A copy for each turn: a value kept from one does not change with the next.
    scope.set("loop", std::make_shared<Loop>(*loop));
    bind(node.names, loop->items->items[loop->index]);
    if (execute(*node.children[2]) == Flow::Break) break;
  }
  return Flow::On;
}

Evaluator::Flow Evaluator::with(const Node& node) {
  Scope scope(m_scope);
  for (std::size_t i = 0; i < node.names.size(); ++i)
    scope.set(node.names[i], evaluate(*node.children[i + 1]));
  const Entered entered(m_scope, scope);
  return execute(*node.children[0]);
}

void Evaluator::assign(const Node& node) {
  if (!node.names.empty()) {
    bind(node.names, evaluate(*node.children[0]));
    return;
  }
  const Node& target = *node.children[0];
  Value value = evaluate(*node.children[1]);
  const Value object = evaluate(*target.children[0]);
  m_line = node.line;
  if (object.isUndefined()) failUndefined(object);
  Dict* dict = object.dict();
  if (dict == nullptr || !dict->isNamespace) failed("only a namespace can be given attributes");
  m_budget.made(2 * sizeof(Value));
  dict->set(target.text, std::move(value), m_budget);
}

void Evaluator::bind(const std::vector<std::string>& names, const Value& value) {
  if (names.size() == 1) {
    m_scope->set(names[0], value);
    return;
  }
  const auto items = iterate(value, m_budget);
  if (items->items.size() != names.size()) {
    failed(std::to_string(names.size()) + " names cannot take " + std::to_string(items->items.size()) +
           " values");
  }
  for (std::size_t i = 0; i < names.size(); ++i) m_scope->set(names[i], items->items[i]);
}

std::string Evaluator::captured(const Node& node) {
  std::string outer = std::exchange(m_output, {});
  Scope scope(m_scope);
  const Entered entered(m_scope, scope);
  execute(node);
  std::string text = std::exchange(m_output, std::move(outer));
  m_budget.made(text.size());
  return text;
}

Value Evaluator::filteredBody(const Node* filter, Value operand) {
  if (filter == nullptr) return operand;
  operand = filteredBody(filter->children[0].get(), std::move(operand));
  return filtered(filter->text, operand, arguments(*filter), m_budget);
}

Value Evaluator::callMacro(const Node& macro, const Arguments& given) {
  if (given.positional.size() > macro.names.size())
    failed("the macro '" + macro.text + "' takes fewer arguments");
  const std::size_t required = macro.names.size() - (macro.children.size() - 1);
  // A macro sees the names of the template, not those of its caller.
  Scope scope(&m_global);
  const Entered entered(m_scope, scope);
  for (std::size_t i = 0; i < macro.names.size(); ++i) {
    const Value* argument = given.find(i, macro.names[i]);
    if (argument != nullptr) {
      scope.set(macro.names[i], *argument);
    } else if (i >= required) {
      scope.set(macro.names[i], evaluate(*macro.children[1 + i - required]));
    } else {
      scope.set(macro.names[i], Value::undefined("the parameter '" + macro.names[i] + "' was not given"));
    }
  }
  return captured(*macro.children[0]);
}

}  // namespace moescope::chat
