// Evaluator: runs a template's tree once. Not for filters, tests and methods (filters.h, tests.h, methods.h).
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "core/chat/scope.h"
#include "core/chat/syntax.h"

namespace moescope::chat {

class Evaluator {
 public:
  Evaluator(const Limits& limits, const std::tm& now) : m_budget(limits), m_now(now) {}
  ~Evaluator();
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  void set(const std::string& name, Value value) { m_global.set(name, std::move(value)); }
  /// The text that the tree gives. Errors (thrown): a Fault `chat.*` with the line; the tree must outlive
  /// this.
  std::string run(const Node& tree);

 private:
  enum class Flow { On, Break, Continue };

  // Statements (evaluator.cpp)
  Flow execute(const Node& node);
  Flow body(const Node& node);
  Flow choose(const Node& node);
  Flow repeat(const Node& node);
  Flow with(const Node& node);
  void assign(const Node& node);
  void bind(const std::vector<std::string>& names, const Value& value);
  void print(std::string_view text);
  std::string captured(const Node& node);
  std::shared_ptr<const Sequence> loopItems(const Node& node);
  Value filteredBody(const Node* filter, Value operand);

  // Expressions (expressions.cpp)
  Value evaluate(const Node& node);
  Value evaluateOr(const Node* node, Value fallback) {
    return node == nullptr ? std::move(fallback) : evaluate(*node);
  }
  Value operation(const Node& node);
  Value look(const Node& node);
  Value collection(const Node& node);
  Value logical(const Node& node);
  Value comparison(const Node& node);
  Value concatenation(const Node& node);
  Value filterOrTest(const Node& node);
  Value name(const Node& node);
  Value call(const Node& node);
  Value callMacro(const Node& macro, const Arguments& arguments);
  Value makeNamespace(const Arguments& arguments);
  Arguments arguments(const Node& node);

  Budget m_budget;
  std::tm m_now;
  Scope m_global{nullptr};
  Scope* m_scope = &m_global;
  std::string m_output;
  int m_line = 0;                                   // of what is done now
  std::vector<std::shared_ptr<Dict>> m_namespaces;  // emptied at the end, since they may hold each other
};

}  // namespace moescope::chat
