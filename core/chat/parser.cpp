#include "core/chat/parser.h"

#include <algorithm>
#include <initializer_list>

#include "core/chat/expression_parser.h"

namespace moescope::chat {

namespace {

constexpr std::size_t kMaxSource = 1u << 20;
constexpr int kMaxBlocks = 60;

class Parser {
 public:
  explicit Parser(std::string_view source) : m_tokens(tokenize(source)), m_expressions(m_tokens) {}

  NodePtr run() {
    NodePtr body = statements({});
    if (!m_tokens.is(Token::Kind::End)) m_tokens.syntax("'" + m_tokens.now().text + "' ends nothing");
    return body;
  }

 private:
  /// Statements up to the tag with one of the names, whose name is not taken yet.
  NodePtr statements(std::initializer_list<std::string_view> ends) {
    if (++m_depth > kMaxBlocks)
      throw Fault("chat.limit", "the template is nested too deeply", m_tokens.now().line);
    auto body = m_tokens.make(NodeKind::Body);
    for (bool open = true; open;) {
      switch (m_tokens.now().kind) {
        case Token::Kind::Data: {
          auto node = m_tokens.make(NodeKind::Data);
          node->text = m_tokens.take().text;
          m_tokens.adopt(*body, std::move(node));
          break;
        }
        case Token::Kind::OutputBegin: {
          m_tokens.take();
          auto node = m_tokens.make(NodeKind::Output);
          m_tokens.adopt(*node, m_expressions.tuple(true));
          m_tokens.expect(Token::Kind::OutputEnd, "the end of the tag");
          m_tokens.adopt(*body, std::move(node));
          break;
        }
        case Token::Kind::BlockBegin: {
          m_tokens.take();
          const auto isEnd = [this](std::string_view name) { return m_tokens.isName(name); };
          open = std::none_of(ends.begin(), ends.end(), isEnd);
          if (open) m_tokens.adopt(*body, statement());
          break;
        }
        default:
          if (ends.size() > 0) m_tokens.syntax("'" + std::string(*(ends.end() - 1)) + "' is missing");
          open = false;
      }
    }
    --m_depth;
    return body;
  }

  void blockEnd() { m_tokens.expect(Token::Kind::BlockEnd, "the end of the tag"); }

  /// A body up to the tag `end`, both tags' ends taken.
  NodePtr bodyUntil(std::string_view end) {
    blockEnd();
    NodePtr body = statements({end});
    m_tokens.take();
    blockEnd();
    return body;
  }

  NodePtr statement() {
    static constexpr std::pair<std::string_view, NodePtr (Parser::*)()> kStatements[] = {
        {"if", &Parser::ifStatement},
        {"for", &Parser::forStatement},
        {"set", &Parser::setStatement},
        {"macro", &Parser::macroStatement},
        {"with", &Parser::withStatement},
        {"filter", &Parser::filterStatement},
        {"break", &Parser::breakStatement},
        {"continue", &Parser::continueStatement},
        {"generation", &Parser::generationStatement}};
    for (const auto& [name, read] : kStatements) {
      if (m_tokens.isName(name)) return (this->*read)();
    }
    m_tokens.syntax("the statement '" + m_tokens.now().text + "' is not supported");
  }

  NodePtr ifStatement() {
    auto node = m_tokens.make(NodeKind::If);
    m_tokens.take();
    for (;;) {
      m_tokens.adopt(*node, m_expressions.tuple(false));
      blockEnd();
      m_tokens.adopt(*node, statements({"elif", "else", "endif"}));
      if (!m_tokens.skipName("elif")) break;
    }
    if (m_tokens.skipName("else")) {
      m_tokens.adopt(*node, bodyUntil("endif"));
    } else {
      m_tokens.take();
      blockEnd();
    }
    return node;
  }

  /// One name, or several with commas between.
  void targets(std::vector<std::string>& names) {
    const bool bracket = m_tokens.skipOperator("(");
    do names.push_back(m_tokens.expectName());
    while (m_tokens.skipOperator(","));
    if (bracket) m_tokens.expectOperator(")");
  }

  NodePtr forStatement() {
    auto node = m_tokens.make(NodeKind::For);
    m_tokens.take();
    targets(node->names);
    if (!m_tokens.skipName("in")) m_tokens.syntax("'in' is missing in a for statement");
    m_tokens.adopt(*node, m_expressions.tuple(false));
    m_tokens.adopt(*node, m_tokens.skipName("if") ? m_expressions.expression() : nullptr);
    if (m_tokens.isName("recursive")) m_tokens.syntax("a recursive for statement is not supported");
    blockEnd();
    ++m_loops;
    m_tokens.adopt(*node, statements({"else", "endfor"}));
    --m_loops;
    if (m_tokens.skipName("else")) {
      m_tokens.adopt(*node, bodyUntil("endfor"));
    } else {
      m_tokens.take();
      blockEnd();
      m_tokens.adopt(*node, nullptr);
    }
    return node;
  }

  NodePtr setStatement() {
    auto node = m_tokens.make(NodeKind::Set);
    m_tokens.take();
    const Token& next = m_tokens.next();
    if (next.kind == Token::Kind::Operator && next.text == ".") {
      auto target = m_tokens.make(NodeKind::Attribute);
      auto object = m_tokens.make(NodeKind::Name);
      object->text = m_tokens.expectName();
      m_tokens.take();
      target->text = m_tokens.expectName();
      m_tokens.adopt(*target, std::move(object));
      m_tokens.adopt(*node, std::move(target));
    } else {
      targets(node->names);
    }
    if (m_tokens.skipOperator("=")) {
      m_tokens.adopt(*node, m_expressions.tuple(true));
      blockEnd();
      return node;
    }
    if (node->names.size() != 1) m_tokens.syntax("'=' is missing in a set statement");
    node->kind = NodeKind::SetBody;
    NodePtr filter;  // its operand is the body
    while (m_tokens.skipOperator("|")) filter = m_expressions.filter(std::move(filter));
    m_tokens.adopt(*node, bodyUntil("endset"));
    m_tokens.adopt(*node, std::move(filter));
    return node;
  }

  NodePtr macroStatement() {
    auto node = m_tokens.make(NodeKind::Macro);
    m_tokens.take();
    node->text = m_tokens.expectName();
    std::vector<NodePtr> defaults;
    m_tokens.expectOperator("(");
    while (!m_tokens.isOperator(")")) {
      node->names.push_back(m_tokens.expectName());
      if (m_tokens.skipOperator("=")) {
        defaults.push_back(m_expressions.expression());
      } else if (!defaults.empty()) {
        m_tokens.syntax("a parameter without a default stands behind one with a default");
      }
      if (!m_tokens.skipOperator(",")) break;
    }
    m_tokens.expectOperator(")");
    const int loops = std::exchange(m_loops, 0);
    m_tokens.adopt(*node, bodyUntil("endmacro"));
    m_loops = loops;
    for (auto& value : defaults) m_tokens.adopt(*node, std::move(value));
    return node;
  }

  NodePtr withStatement() {
    auto node = m_tokens.make(NodeKind::With);
    m_tokens.take();
    std::vector<NodePtr> values;
    while (!m_tokens.is(Token::Kind::BlockEnd)) {
      node->names.push_back(m_tokens.expectName());
      m_tokens.expectOperator("=");
      values.push_back(m_expressions.expression());
      if (!m_tokens.skipOperator(",")) break;
    }
    m_tokens.adopt(*node, bodyUntil("endwith"));
    for (auto& value : values) m_tokens.adopt(*node, std::move(value));
    return node;
  }

  NodePtr filterStatement() {
    auto node = m_tokens.make(NodeKind::FilterBody);
    m_tokens.take();
    NodePtr filter = m_expressions.filter(nullptr);
    while (m_tokens.skipOperator("|")) filter = m_expressions.filter(std::move(filter));
    m_tokens.adopt(*node, bodyUntil("endfilter"));
    m_tokens.adopt(*node, std::move(filter));
    return node;
  }

  NodePtr jump(NodeKind kind) {
    auto node = m_tokens.make(kind);
    if (m_loops == 0) m_tokens.syntax("'" + m_tokens.now().text + "' stands in no for statement");
    m_tokens.take();
    blockEnd();
    return node;
  }
  NodePtr breakStatement() { return jump(NodeKind::Break); }
  NodePtr continueStatement() { return jump(NodeKind::Continue); }

  /// Marks what the model wrote, for training; the text is as it is.
  NodePtr generationStatement() {
    m_tokens.take();
    return bodyUntil("endgeneration");
  }

  TokenStream m_tokens;
  ExpressionParser m_expressions;
  int m_depth = 0;
  int m_loops = 0;
};

}  // namespace

NodePtr parseTemplate(std::string_view source) {
  if (source.size() > kMaxSource) throw Fault("chat.limit", "the template is longer than 1 MiB");
  return Parser(source).run();
}

}  // namespace moescope::chat
