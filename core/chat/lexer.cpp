#include "core/chat/lexer.h"

#include <algorithm>
#include <cctype>

#include "core/chat/budget.h"
#include "core/chat/text_literal.h"

namespace moescope::chat {

namespace {

constexpr std::string_view kSpace = " \t\n\r\f\v";

/// One line end for all kinds; the one at the very end goes.
std::string normalized(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t at = 0; at < source.size(); ++at) {
    if (source[at] != '\r') {
      text += source[at];
    } else if (at + 1 == source.size() || source[at + 1] != '\n') {
      text += '\n';
    }
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

bool isNameStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isNamePart(char c) { return isNameStart(c) || isDigit(c); }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : m_owned(normalized(source)), m_text(m_owned) {}

  std::vector<Token> run() {
    while (m_at < m_text.size()) data();
    m_tokens.push_back({Token::Kind::End, {}, m_line});
    return std::move(m_tokens);
  }

 private:
  [[noreturn]] void syntax(const std::string& message) const { throw Fault("chat.syntax", message, m_line); }

  [[nodiscard]] bool at(std::string_view word) const { return m_text.substr(m_at).starts_with(word); }

  void moveTo(std::size_t to) {
    m_line += static_cast<int>(std::count(m_text.begin() + static_cast<std::ptrdiff_t>(m_at),
                                          m_text.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    m_at = to;
  }

  void skipSpace() {
    const auto next = m_text.find_first_not_of(kSpace, m_at);
    moveTo(next == std::string_view::npos ? m_text.size() : next);
  }

  /// Text up to the next tag, and the tag.
  void data() {
    std::size_t begin = m_text.find('{', m_at);
    while (begin != std::string_view::npos && begin + 1 < m_text.size() &&
           std::string_view("{%#").find(m_text[begin + 1]) == std::string_view::npos) {
      begin = m_text.find('{', begin + 1);
    }
    if (begin == std::string_view::npos || begin + 1 == m_text.size()) {
      emitData(m_text.substr(m_at));
      moveTo(m_text.size());
      return;
    }
    const char kind = m_text[begin + 1];
    const char mark = begin + 2 < m_text.size() ? m_text[begin + 2] : ' ';
    emitData(before(m_text.substr(m_at, begin - m_at), kind, mark));
    moveTo(begin + 2);
    if (mark == '-' || mark == '+') moveTo(m_at + 1);
    if (kind == '#') {
      comment();
    } else if (kind == '{') {
      tag(Token::Kind::OutputBegin);
    } else if (!raw()) {
      tag(Token::Kind::BlockBegin);
    }
  }

  void emitData(std::string_view text) {
    if (!text.empty()) m_tokens.push_back({Token::Kind::Data, std::string(text), m_line});
  }

  /// What the marks of a tag leave of the text before it.
  [[nodiscard]] std::string_view before(std::string_view text, char kind, char mark) const {
    if (mark == '-') {
      const auto last = text.find_last_not_of(kSpace);
      return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
    }
    if (mark == '+' || kind == '{') return text;
    // lstrip_blocks: blanks between the start of the line and the tag go.
    const auto lineEnd = text.rfind('\n');
    if (lineEnd == std::string_view::npos && !m_lineStarts) return text;
    const std::size_t lineBegin = lineEnd == std::string_view::npos ? 0 : lineEnd + 1;
    return text.find_first_not_of(kSpace, lineBegin) == std::string_view::npos ? text.substr(0, lineBegin)
                                                                               : text;
  }

  /// White space behind a tag: all of it for `-`, one line end (trim_blocks) unless `+` or an output.
  void behind(char mark, bool output) {
    const std::size_t begin = m_at;
    if (mark == '-') {
      skipSpace();
    } else if (mark != '+' && !output && at("\n")) {
      moveTo(m_at + 1);
    }
    m_lineStarts = m_at > begin && m_text[m_at - 1] == '\n';
  }

  void comment() {
    const auto end = m_text.find("#}", m_at);
    if (end == std::string_view::npos) syntax("a comment does not end");
    const char mark = end > m_at ? m_text[end - 1] : ' ';
    moveTo(end + 2);
    behind(mark, false);
  }

  /// A raw block: everything up to its end is text.
  bool raw() {
    std::size_t name = m_text.find_first_not_of(kSpace, m_at);
    if (name == std::string_view::npos || !m_text.substr(name).starts_with("raw")) return false;
    std::size_t end = m_text.find_first_not_of(kSpace, name + 3);
    if (end == std::string_view::npos) return false;
    const bool strips = m_text[end] == '-';
    if (strips) ++end;
    if (!m_text.substr(end).starts_with("%}")) return false;
    moveTo(end + 2);
    if (strips) skipSpace();
    rawEnd();
    return true;
  }

  void rawEnd() {
    for (auto begin = m_text.find("{%", m_at); begin != std::string_view::npos;
         begin = m_text.find("{%", begin + 2)) {
      std::size_t name = begin + 2;
      const char mark = name < m_text.size() ? m_text[name] : ' ';
      if (mark == '-' || mark == '+') ++name;
      name = m_text.find_first_not_of(kSpace, name);
      if (name == std::string_view::npos || !m_text.substr(name).starts_with("endraw")) continue;
      std::size_t end = m_text.find_first_not_of(kSpace, name + 6);
      if (end == std::string_view::npos) break;
      const char endMark = m_text[end];
      if (endMark == '-' || endMark == '+') ++end;
      if (!m_text.substr(end).starts_with("%}")) continue;
      emitData(before(m_text.substr(m_at, begin - m_at), '%', mark));
      moveTo(end + 2);
      behind(endMark, false);
      return;
    }
    syntax("a raw block does not end");
  }

  void tag(Token::Kind begin) {
    const bool output = begin == Token::Kind::OutputBegin;
    const std::string_view end = output ? "}}" : "%}";
    m_tokens.push_back({begin, {}, m_line});
    m_open.clear();
    for (;;) {
      skipSpace();
      if (m_at == m_text.size()) syntax("a tag does not end");
      if (m_open.empty() && tagEnd(end, output)) return;
      inside();
    }
  }

  bool tagEnd(std::string_view end, bool output) {
    const char mark = m_text[m_at];
    const bool marked = (mark == '-' || (mark == '+' && !output)) && m_text.substr(m_at + 1).starts_with(end);
    if (!marked && !at(end)) return false;
    m_tokens.push_back({output ? Token::Kind::OutputEnd : Token::Kind::BlockEnd, {}, m_line});
    moveTo(m_at + (marked ? 3 : 2));
    behind(marked ? mark : ' ', output);
    return true;
  }

  /// One token within a tag.
  void inside() {
    const char c = m_text[m_at];
    if (c == '"' || c == '\'') {
      text(c);
    } else if (isDigit(c)) {
      number();
    } else if (isNameStart(c)) {
      std::size_t end = m_at;
      while (end < m_text.size() && isNamePart(m_text[end])) ++end;
      take(Token::Kind::Name, end);
    } else {
      operatorToken(c);
    }
  }

  void take(Token::Kind kind, std::size_t end) {
    m_tokens.push_back({kind, std::string(m_text.substr(m_at, end - m_at)), m_line});
    moveTo(end);
  }

  void text(char quote) {
    std::size_t end = m_at + 1;
    while (end < m_text.size() && m_text[end] != quote) end += m_text[end] == '\\' ? 2 : 1;
    if (end >= m_text.size()) syntax("a text does not end");
    std::string content;
    if (!readTextLiteral(m_text.substr(m_at + 1, end - m_at - 1), content))
      syntax("a text has a broken escape");
    m_tokens.push_back({Token::Kind::Text, std::move(content), m_line});
    moveTo(end + 1);
  }

  void number() {
    const auto digits = [this](std::size_t end) {
      while (end < m_text.size() && (isDigit(m_text[end]) || m_text[end] == '_')) ++end;
      return end;
    };
    std::size_t end = digits(m_at);
    bool whole = true;
    if (end + 1 < m_text.size() && m_text[end] == '.' && isDigit(m_text[end + 1])) {
      end = digits(end + 1);
      whole = false;
    }
    if (end < m_text.size() && (m_text[end] == 'e' || m_text[end] == 'E')) {
      const bool sign = end + 1 < m_text.size() && (m_text[end + 1] == '-' || m_text[end + 1] == '+');
      const std::size_t first = end + (sign ? 2 : 1);
      if (first < m_text.size() && isDigit(m_text[first])) {
        end = digits(first);
        whole = false;
      }
    }
    take(whole ? Token::Kind::Integer : Token::Kind::Float, end);
  }

  void operatorToken(char c) {
    for (const std::string_view two : {"==", "!=", "<=", ">=", "//", "**"}) {
      if (!at(two)) continue;
      take(Token::Kind::Operator, m_at + 2);
      return;
    }
    if (std::string_view("+-*/%~<>=()[]{}.,:|").find(c) == std::string_view::npos) {
      syntax(std::string("there is no operator '") + c + "'");
    }
    const auto closing = std::string_view(")]}").find(c);
    if (closing != std::string_view::npos) {
      if (m_open.empty() || m_open.back() != "([{"[closing])
        syntax(std::string("'") + c + "' closes nothing");
      m_open.pop_back();
    } else if (std::string_view("([{").find(c) != std::string_view::npos) {
      m_open += c;
    }
    take(Token::Kind::Operator, m_at + 1);
  }

  std::string m_owned;
  std::string_view m_text;
  std::size_t m_at = 0;
  int m_line = 1;
  bool m_lineStarts = true;  // the text that comes starts a line
  std::string m_open;        // brackets within a tag
  std::vector<Token> m_tokens;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace moescope::chat
