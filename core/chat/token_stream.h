// TokenStream: the tokens of a template one after the other, and nodes made with a check of their depth.
// Not for grammar (expression_parser.h, parser.h).
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "core/chat/lexer.h"
#include "core/chat/syntax.h"

namespace moescope::chat {

class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : m_tokens(std::move(tokens)) {}

  [[nodiscard]] const Token& now() const { return m_tokens[m_at]; }
  [[nodiscard]] const Token& next() const { return m_tokens[std::min(m_at + 1, m_tokens.size() - 1)]; }
  Token take();
  [[nodiscard]] bool is(Token::Kind kind) const { return now().kind == kind; }
  [[nodiscard]] bool isOperator(std::string_view text) const {
    return is(Token::Kind::Operator) && now().text == text;
  }
  [[nodiscard]] bool isName(std::string_view text) const {
    return is(Token::Kind::Name) && now().text == text;
  }
  bool skipOperator(std::string_view text);  ///< true if it was there
  bool skipName(std::string_view text);
  void expectOperator(std::string_view text);
  std::string expectName();
  void expect(Token::Kind kind, const char* what);

  [[noreturn]] void syntax(const std::string& message) const;
  /// A node at this line.
  [[nodiscard]] std::unique_ptr<Node> make(NodeKind kind) const;
  void adopt(Node& parent, NodePtr child) const;

 private:
  std::vector<Token> m_tokens;  // the last is End
  std::size_t m_at = 0;
};

}  // namespace moescope::chat
