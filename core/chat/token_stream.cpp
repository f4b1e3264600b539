#include "core/chat/token_stream.h"

#include <algorithm>

namespace moescope::chat {

namespace {

constexpr int kMaxDepth = 200;

std::string shown(const Token& token) {
  switch (token.kind) {
    case Token::Kind::End: return "the end of the template";
    case Token::Kind::BlockEnd:
    case Token::Kind::OutputEnd: return "the end of the tag";
    default: return "'" + token.text.substr(0, 40) + "'";
  }
}

}  // namespace

Token TokenStream::take() {
  Token token = now();
  if (m_at + 1 < m_tokens.size()) ++m_at;
  return token;
}

bool TokenStream::skipOperator(std::string_view text) {
  const bool there = isOperator(text);
  if (there) take();
  return there;
}

bool TokenStream::skipName(std::string_view text) {
  const bool there = isName(text);
  if (there) take();
  return there;
}

void TokenStream::expectOperator(std::string_view text) {
  if (!skipOperator(text)) syntax("'" + std::string(text) + "' is needed instead of " + shown(now()));
}

std::string TokenStream::expectName() {
  if (!is(Token::Kind::Name)) syntax("a name is needed instead of " + shown(now()));
  return take().text;
}

void TokenStream::expect(Token::Kind kind, const char* what) {
  if (!is(kind)) syntax(std::string(what) + " is needed instead of " + shown(now()));
  take();
}

void TokenStream::syntax(const std::string& message) const {
  throw Fault("chat.syntax", message, now().line);
}

std::unique_ptr<Node> TokenStream::make(NodeKind kind) const {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->line = now().line;
  return node;
}

void TokenStream::adopt(Node& parent, NodePtr child) const {
  if (child != nullptr) parent.depth = std::max(parent.depth, child->depth + 1);
  if (parent.depth > kMaxDepth) throw Fault("chat.limit", "the template is nested too deeply", now().line);
  parent.children.push_back(std::move(child));
}

}  // namespace moescope::chat
