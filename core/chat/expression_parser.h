// ExpressionParser: Jinja's expressions, with its precedence. Not for statements (parser.h).
#pragma once

#include "core/chat/token_stream.h"

namespace moescope::chat {

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenStream& tokens) : m_tokens(tokens) {}

  /// Errors (thrown): `chat.syntax`, `chat.limit`.
  NodePtr expression();
  /// The same, or several with commas between: a tuple. Without `conditional` an `if` ends it.
  NodePtr tuple(bool conditional);
  /// `| name(arguments)`, from the name on.
  NodePtr filter(NodePtr operand);

 private:
  NodePtr disjunction();
  NodePtr conjunction();
  NodePtr negation();
  NodePtr comparison();
  NodePtr sum();
  NodePtr concatenation();
  NodePtr product();
  NodePtr power();
  NodePtr unary(bool filters);
  NodePtr primary();
  NodePtr name();
  NodePtr number();
  NodePtr bracket();
  NodePtr list();
  NodePtr dictionary();
  NodePtr postfix(NodePtr node);
  NodePtr attribute(NodePtr object);
  NodePtr subscript(NodePtr object);
  NodePtr call(NodePtr callee);
  NodePtr filtersAndTests(NodePtr node);
  NodePtr test(NodePtr operand);
  void arguments(Node& node);
  bool comparisonOperator(std::string& name);

  TokenStream& m_tokens;
  int m_depth = 0;
};

}  // namespace moescope::chat
