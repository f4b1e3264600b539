#include "core/chat/expression_parser.h"

#include <algorithm>
#include <charconv>

namespace moescope::chat {

namespace {

// Of brackets within each other, while the tree is made.
constexpr int kMaxBrackets = 100;

}  // namespace

NodePtr ExpressionParser::expression() {
  if (++m_depth > kMaxBrackets)
    throw Fault("chat.limit", "the template is nested too deeply", m_tokens.now().line);
  NodePtr node = disjunction();
  while (m_tokens.skipName("if")) {
    auto conditional = m_tokens.make(NodeKind::Conditional);
    m_tokens.adopt(*conditional, disjunction());
    m_tokens.adopt(*conditional, std::move(node));
    m_tokens.adopt(*conditional, m_tokens.skipName("else") ? expression() : nullptr);
    node = std::move(conditional);
  }
  --m_depth;
  return node;
}

NodePtr ExpressionParser::tuple(bool conditional) {
  const auto one = [&] { return conditional ? expression() : disjunction(); };
  NodePtr first = one();
  if (!m_tokens.isOperator(",")) return first;
  auto node = m_tokens.make(NodeKind::Tuple);
  m_tokens.adopt(*node, std::move(first));
  while (m_tokens.skipOperator(",")) {
    if (m_tokens.is(Token::Kind::BlockEnd) || m_tokens.is(Token::Kind::OutputEnd) || m_tokens.isOperator(")"))
      break;
    m_tokens.adopt(*node, one());
  }
  return node;
}

NodePtr ExpressionParser::disjunction() {
  NodePtr first = conjunction();
  if (!m_tokens.isName("or")) return first;
  auto node = m_tokens.make(NodeKind::Or);
  m_tokens.adopt(*node, std::move(first));
  while (m_tokens.skipName("or")) m_tokens.adopt(*node, conjunction());
  return node;
}

NodePtr ExpressionParser::conjunction() {
  NodePtr first = negation();
  if (!m_tokens.isName("and")) return first;
  auto node = m_tokens.make(NodeKind::And);
  m_tokens.adopt(*node, std::move(first));
  while (m_tokens.skipName("and")) m_tokens.adopt(*node, negation());
  return node;
}

NodePtr ExpressionParser::negation() {
  if (!m_tokens.isName("not")) return comparison();
  if (++m_depth > kMaxBrackets)
    throw Fault("chat.limit", "the template is nested too deeply", m_tokens.now().line);
  auto node = m_tokens.make(NodeKind::Not);
  m_tokens.take();
  m_tokens.adopt(*node, negation());
  --m_depth;
  return node;
}

bool ExpressionParser::comparisonOperator(std::string& name) {
  if (m_tokens.isName("not") && m_tokens.next().kind == Token::Kind::Name && m_tokens.next().text == "in") {
    m_tokens.take();
    m_tokens.take();
    name = "not in";
    return true;
  }
  static constexpr std::string_view kOperators[] = {"==", "!=", "<", "<=", ">", ">="};
  const bool symbol = std::any_of(std::begin(kOperators), std::end(kOperators),
                                  [&](std::string_view text) { return m_tokens.isOperator(text); });
  if (!symbol && !m_tokens.isName("in")) return false;
  name = m_tokens.take().text;
  return true;
}

NodePtr ExpressionParser::comparison() {
  NodePtr first = sum();
  std::string name;
  if (!comparisonOperator(name)) return first;
  auto node = m_tokens.make(NodeKind::Compare);
  m_tokens.adopt(*node, std::move(first));
  do {
    node->names.push_back(name);
    m_tokens.adopt(*node, sum());
  } while (comparisonOperator(name));
  return node;
}

NodePtr ExpressionParser::sum() {
  NodePtr left = concatenation();
  while (m_tokens.isOperator("+") || m_tokens.isOperator("-")) {
    auto node = m_tokens.make(NodeKind::Binary);
    node->text = m_tokens.take().text;
    m_tokens.adopt(*node, std::move(left));
    m_tokens.adopt(*node, concatenation());
    left = std::move(node);
  }
  return left;
}

NodePtr ExpressionParser::concatenation() {
  NodePtr first = product();
  if (!m_tokens.isOperator("~")) return first;
  auto node = m_tokens.make(NodeKind::Concatenate);
  m_tokens.adopt(*node, std::move(first));
  while (m_tokens.skipOperator("~")) m_tokens.adopt(*node, product());
  return node;
}

NodePtr ExpressionParser::product() {
  NodePtr left = power();
  while (m_tokens.isOperator("*") || m_tokens.isOperator("/") || m_tokens.isOperator("//") ||
         m_tokens.isOperator("%")) {
    auto node = m_tokens.make(NodeKind::Binary);
    node->text = m_tokens.take().text;
    m_tokens.adopt(*node, std::move(left));
    m_tokens.adopt(*node, power());
    left = std::move(node);
  }
  return left;
}

NodePtr ExpressionParser::power() {
  NodePtr left = unary(true);
  while (m_tokens.isOperator("**")) {
    auto node = m_tokens.make(NodeKind::Binary);
    node->text = m_tokens.take().text;
    m_tokens.adopt(*node, std::move(left));
    m_tokens.adopt(*node, unary(true));
    left = std::move(node);
  }
  return left;
}

NodePtr ExpressionParser::unary(bool filters) {
  NodePtr node;
  const bool minus = m_tokens.isOperator("-");
  if (minus || m_tokens.isOperator("+")) {
    if (++m_depth > kMaxBrackets)
      throw Fault("chat.limit", "the template is nested too deeply", m_tokens.now().line);
    auto sign = m_tokens.make(NodeKind::Negative);
    m_tokens.take();
    NodePtr operand = unary(false);
    --m_depth;
    if (minus) {
      m_tokens.adopt(*sign, std::move(operand));
      node = std::move(sign);
    } else {
      node = std::move(operand);
    }
  } else {
    node = primary();
  }
  node = postfix(std::move(node));
  return filters ? filtersAndTests(std::move(node)) : std::move(node);
}

NodePtr ExpressionParser::primary() {
  switch (m_tokens.now().kind) {
    case Token::Kind::Name: return name();
    case Token::Kind::Integer:
    case Token::Kind::Float: return number();
    case Token::Kind::Text: {
      auto node = m_tokens.make(NodeKind::Literal);
      std::string text;
      while (m_tokens.is(Token::Kind::Text)) text += m_tokens.take().text;  // side by side they are one
      node->value = std::move(text);
      return node;
    }
    default: return bracket();
  }
}

NodePtr ExpressionParser::name() {
  static const std::pair<std::string_view, Value> kWords[] = {
      {"true", true}, {"True", true}, {"false", false}, {"False", false}, {"none", {}}, {"None", {}}};
  auto node = m_tokens.make(NodeKind::Name);
  node->text = m_tokens.take().text;
  for (const auto& [word, value] : kWords) {
    if (node->text != word) continue;
    node->kind = NodeKind::Literal;
    node->value = value;
  }
  return node;
}

NodePtr ExpressionParser::number() {
  auto node = m_tokens.make(NodeKind::Literal);
  const bool whole = m_tokens.is(Token::Kind::Integer);
  std::string text = m_tokens.take().text;
  text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  double real = 0;
  const auto read =
      whole ? std::from_chars(text.data(), end, integer) : std::from_chars(text.data(), end, real);
  if (read.ec != std::errc() || read.ptr != end)
    m_tokens.syntax("the number " + text.substr(0, 40) + " is too large");
  node->value = whole ? Value(integer) : Value(real);
  return node;
}

NodePtr ExpressionParser::bracket() {
  if (m_tokens.isOperator("[")) return list();
  if (m_tokens.isOperator("{")) return dictionary();
  if (!m_tokens.isOperator("(")) m_tokens.syntax("an expression is needed here");
  m_tokens.take();
  if (m_tokens.skipOperator(")")) return m_tokens.make(NodeKind::Tuple);
  NodePtr node = tuple(true);
  m_tokens.expectOperator(")");
  return node;
}

NodePtr ExpressionParser::list() {
  auto node = m_tokens.make(NodeKind::List);
  m_tokens.take();
  while (!m_tokens.isOperator("]")) {
    m_tokens.adopt(*node, expression());
    if (!m_tokens.skipOperator(",")) break;
  }
  m_tokens.expectOperator("]");
  return node;
}

NodePtr ExpressionParser::dictionary() {
  auto node = m_tokens.make(NodeKind::Dict);
  m_tokens.take();
  while (!m_tokens.isOperator("}")) {
    m_tokens.adopt(*node, expression());
    m_tokens.expectOperator(":");
    m_tokens.adopt(*node, expression());
    if (!m_tokens.skipOperator(",")) break;
  }
  m_tokens.expectOperator("}");
  return node;
}

NodePtr ExpressionParser::postfix(NodePtr node) {
  for (;;) {
    if (m_tokens.isOperator(".")) {
      node = attribute(std::move(node));
    } else if (m_tokens.isOperator("[")) {
      node = subscript(std::move(node));
    } else if (m_tokens.isOperator("(")) {
      node = call(std::move(node));
    } else {
      return node;
    }
  }
}

NodePtr ExpressionParser::attribute(NodePtr object) {
  m_tokens.take();
  if (m_tokens.is(Token::Kind::Integer)) {
    auto node = m_tokens.make(NodeKind::Subscript);
    m_tokens.adopt(*node, std::move(object));
    m_tokens.adopt(*node, number());
    return node;
  }
  auto node = m_tokens.make(NodeKind::Attribute);
  node->text = m_tokens.expectName();
  m_tokens.adopt(*node, std::move(object));
  return node;
}

NodePtr ExpressionParser::subscript(NodePtr object) {
  auto node = m_tokens.make(NodeKind::Subscript);
  m_tokens.take();
  m_tokens.adopt(*node, std::move(object));
  NodePtr first = m_tokens.isOperator(":") ? nullptr : expression();
  if (!m_tokens.isOperator(":")) {
    m_tokens.adopt(*node, std::move(first));
  } else {
    node->kind = NodeKind::Slice;
    m_tokens.adopt(*node, std::move(first));
    for (int i = 0; i < 2; ++i) {
      const bool given = m_tokens.skipOperator(":") && !m_tokens.isOperator(":") && !m_tokens.isOperator("]");
      m_tokens.adopt(*node, given ? expression() : nullptr);
    }
  }
  m_tokens.expectOperator("]");
  return node;
}

NodePtr ExpressionParser::call(NodePtr callee) {
  auto node = m_tokens.make(NodeKind::Call);
  m_tokens.adopt(*node, std::move(callee));
  arguments(*node);
  return node;
}

void ExpressionParser::arguments(Node& node) {
  m_tokens.expectOperator("(");
  while (!m_tokens.isOperator(")")) {
    const Token& next = m_tokens.next();
    const bool named =
        m_tokens.is(Token::Kind::Name) && next.kind == Token::Kind::Operator && next.text == "=";
    if (named) {
      node.names.push_back(m_tokens.take().text);
      m_tokens.take();
    } else if (!node.names.empty()) {
      m_tokens.syntax("an argument without a name stands behind one with a name");
    }
    m_tokens.adopt(node, expression());
    if (!m_tokens.skipOperator(",")) break;
  }
  m_tokens.expectOperator(")");
}

NodePtr ExpressionParser::filtersAndTests(NodePtr node) {
  for (;;) {
    if (m_tokens.skipOperator("|")) {
      node = filter(std::move(node));
    } else if (m_tokens.skipName("is")) {
      node = test(std::move(node));
    } else if (m_tokens.isOperator("(")) {
      node = call(std::move(node));
    } else {
      return node;
    }
  }
}

NodePtr ExpressionParser::filter(NodePtr operand) {
  auto node = m_tokens.make(NodeKind::Filter);
  node->text = m_tokens.expectName();
  m_tokens.adopt(*node, std::move(operand));
  if (m_tokens.isOperator("(")) arguments(*node);
  return node;
}

NodePtr ExpressionParser::test(NodePtr operand) {
  const bool negated = m_tokens.skipName("not");
  auto node = m_tokens.make(NodeKind::Test);
  node->text = m_tokens.expectName();
  m_tokens.adopt(*node, std::move(operand));
  if (m_tokens.isOperator("(")) {
    arguments(*node);
  } else {
    // One argument may stand without brackets.
    static constexpr std::string_view kEnds[] = {"else", "or", "and", "if", "is", "in", "not"};
    const bool word = m_tokens.is(Token::Kind::Name) &&
                      std::find(std::begin(kEnds), std::end(kEnds), m_tokens.now().text) == std::end(kEnds);
    const bool literal = m_tokens.is(Token::Kind::Text) || m_tokens.is(Token::Kind::Integer) ||
                         m_tokens.is(Token::Kind::Float) || m_tokens.isOperator("[") ||
                         m_tokens.isOperator("{");
    if (word || literal) m_tokens.adopt(*node, postfix(primary()));
  }
  if (!negated) return node;
  auto inverse = m_tokens.make(NodeKind::Not);
  m_tokens.adopt(*inverse, std::move(node));
  return inverse;
}

}  // namespace moescope::chat
