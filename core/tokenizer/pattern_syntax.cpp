#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/tokenizer/pattern_syntax.h"

#include <cctype>
#include <string>
#include <utility>

#include <pcre2.h>

namespace moescope::tokenizer {

namespace {

constexpr std::string_view kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
// Outside of a class (and for \b) Oniguruma's \w takes a few more digits of Latin-1, and no others like
// them.
constexpr std::string_view kBareWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\xB2\xB3\xB9\xBC-\xBE)";
constexpr std::string_view kHex = "0-9A-Fa-f";

// Members of the bracket classes; PCRE2's own are narrower.
constexpr std::pair<std::string_view, std::string_view> kBracketClasses[] = {
    {"alnum", R"(\p{Alphabetic}\p{Nd})"},
    {"alpha", R"(\p{Alphabetic})"},
    {"blank", R"(\p{Zs}\t)"},
    {"cntrl", R"(\p{Cc})"},
    {"digit", R"(\p{Nd})"},
    {"graph", R"(\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co})"},
    {"lower", R"(\p{Lowercase})"},
    {"print", R"(\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\p{Zs})"},
    {"punct", R"(\p{P}\p{S})"},
    {"space", R"(\p{White_Space})"},
    {"upper", R"(\p{Uppercase})"},
    {"word", kWord},
    {"xdigit", kHex},
};

bool isScript(std::string_view name) {
  const std::string pattern = "\\p{sc:" + std::string(name) + "}";
  int error = 0;
  PCRE2_SIZE at = 0;
  auto* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF, &error,
                             &at, nullptr);
  pcre2_code_free(code);
  return code != nullptr;
}

class Rewriter {
 public:
  explicit Rewriter(std::string_view ruby) : m_ruby(ruby) {}

  RewrittenPattern run() {
    while (m_at < m_ruby.size() && m_result.problem.empty()) {
      const char c = m_ruby[m_at];
      if (c == '\\') {
        escape();
      } else if (m_inClass) {
        classCharacter(c);
      } else if (c == '[') {
        openClass();
      } else if (c == '(' && m_ruby.substr(m_at, 2) == "(?") {
        group();
      } else {
        copy(1);
      }
    }
    return std::move(m_result);
  }

 private:
  void copy(std::size_t count) {
    m_result.pattern += m_ruby.substr(m_at, count);
    m_at += count;
  }

  void emit(std::string_view text, std::size_t consumed) {
    m_result.pattern += text;
    m_at += consumed;
  }

  void openClass() {
    m_inClass = true;
    copy(1);
    if (m_at < m_ruby.size() && m_ruby[m_at] == '^') copy(1);
    if (m_at < m_ruby.size() && m_ruby[m_at] == ']') copy(1);  // a member when it stands first
  }

  void classCharacter(char c) {
    if (c == ']') {
      m_inClass = false;
      copy(1);
    } else if (m_ruby.substr(m_at, 2) == "[:") {
      bracketClass();
    } else if (c == '[') {
      m_result.problem = "a class inside a class";
    } else if (m_ruby.substr(m_at, 2) == "&&") {
      m_result.problem = "an intersection of classes";
    } else {
      copy(1);
    }
  }

  /// [:name:] inside a class.
  void bracketClass() {
    const auto end = m_ruby.find(":]", m_at);
    const auto name = m_ruby.substr(m_at + 2, end == std::string_view::npos ? 0 : end - m_at - 2);
    for (const auto& [known, members] : kBracketClasses) {
      if (name == known) {
        emit(members, name.size() + 4);
        return;
      }
    }
    m_result.problem = "a bracket class that is negated or unknown";
  }

  /// `members` of a class, or their complement.
  void characterClass(std::string_view members, bool complement) {
    if (!m_inClass) {
      m_result.pattern += complement ? "[^" : "[";
      m_result.pattern += members;
      m_result.pattern += "]";
    } else if (complement) {
      m_result.problem = "\\W or \\H inside a class";
    } else {
      m_result.pattern += members;
    }
    m_at += 2;
  }

  void wordBoundary(bool complement) {
    const std::string word = "[" + std::string(kBareWord) + "]";
    const std::string other = complement
                                  ? "(?:(?<=" + word + ")(?=" + word + ")|(?<!" + word + ")(?!" + word + "))"
                                  : "(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))";
    emit(other, 2);
  }

  void escape() {
    const char c = m_at + 1 < m_ruby.size() ? m_ruby[m_at + 1] : '\0';
    switch (c) {
      // PCRE2's own \s also takes U+180E, and its \w no marks.
      case 's': emit(R"(\p{White_Space})", 2); return;
      case 'S': emit(R"(\P{White_Space})", 2); return;
      case 'w':
      case 'W': characterClass(m_inClass ? kWord : kBareWord, c == 'W'); return;
      case 'h':
      case 'H': characterClass(kHex, c == 'H'); return;
      case 'b':
      case 'B':
        if (m_inClass) break;
        wordBoundary(c == 'B');
        return;
      case 'p':
      case 'P': property(); return;
      case 'u': {
        const auto digits = m_ruby.substr(m_at + 2, 4);
        emit("\\x{" + std::string(digits) + "}", 2 + digits.size());
        return;
      }
      default: break;
    }
    copy(2);
  }

  /// \p{Han} is the script itself, not its extensions, which PCRE2 takes without being told.
  void property() {
    const auto end = m_ruby.find('}', m_at);
    const std::size_t begin = m_at + (m_ruby.substr(m_at + 2, 2) == "{^" ? 4 : 3);
    const bool braced = m_ruby.substr(m_at + 2, 1) == "{" && end != std::string_view::npos && end > begin;
    if (braced && isScript(m_ruby.substr(begin, end - begin))) {
      copy(begin - m_at);
      m_result.pattern += "sc:";
    } else {
      copy(2);
    }
  }

  /// Flags such as (?i: or (?mi-x): Ruby's m is what PCRE2 calls s.
  void group() {
    copy(2);
    while (m_at < m_ruby.size() &&
           (std::isalpha(static_cast<unsigned char>(m_ruby[m_at])) != 0 || m_ruby[m_at] == '-')) {
      if (m_ruby[m_at] == 'm') {
        emit("s", 1);
      } else {
        copy(1);
      }
    }
  }

  std::string_view m_ruby;
  std::size_t m_at = 0;
  bool m_inClass = false;
  RewrittenPattern m_result;
};

}  // namespace

RewrittenPattern rewriteForPcre2(std::string_view ruby) { return Rewriter(ruby).run(); }

}  // namespace moescope::tokenizer
