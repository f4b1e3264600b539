#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/tokenizer/pattern.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include <fmt/format.h>
#include <pcre2.h>

#include "core/tokenizer/pattern_syntax.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

constexpr std::size_t kMaxPatternBytes = 64u << 10;
constexpr std::size_t kJitStackBytes = 4u << 20;
constexpr std::uint32_t kHeapKiB = 64u << 10;

// A long run of one letter class may be given back step by step, so the limit grows with the text.
std::uint32_t matchLimit(std::size_t bytes) {
  const std::uint64_t limit = 10'000'000 + 32 * static_cast<std::uint64_t>(bytes);
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(limit, std::numeric_limits<std::uint32_t>::max()));
}

template <class T, void (*release)(T*)>
struct Releaser {
  void operator()(T* pointer) const { release(pointer); }
};
template <class T, void (*release)(T*)>
using Owned = std::unique_ptr<T, Releaser<T, release>>;

using Code = Owned<pcre2_code, pcre2_code_free>;
using CompileContext = Owned<pcre2_compile_context, pcre2_compile_context_free>;
using MatchContext = Owned<pcre2_match_context, pcre2_match_context_free>;
using MatchData = Owned<pcre2_match_data, pcre2_match_data_free>;
using JitStack = Owned<pcre2_jit_stack, pcre2_jit_stack_free>;

/// What one thread needs for matching, whatever the pattern.
struct Matcher {
  MatchData data{pcre2_match_data_create(1, nullptr)};
  MatchContext context{pcre2_match_context_create(nullptr)};
  JitStack stack{pcre2_jit_stack_create(32u << 10, kJitStackBytes, nullptr)};

  Matcher() {
    pcre2_set_heap_limit(context.get(), kHeapKiB);
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
};

std::string messageOf(int code) {
  PCRE2_UCHAR text[200] = {};
  pcre2_get_error_message(code, text, sizeof(text));
  return reinterpret_cast<const char*>(text);
}

}  // namespace

struct Pattern::Compiled {
  Code code;
  std::string file;
  std::string place;
};

Pattern Pattern::compile(const Component& component) {
  const std::string& ruby = component.text();
  if (ruby.empty()) component.refuse("tokenizer.pattern", "the pattern is empty");
  if (ruby.size() > kMaxPatternBytes) component.refuse("tokenizer.pattern", "the pattern is too long");
  const RewrittenPattern rewritten = rewriteForPcre2(ruby);
  if (!rewritten.problem.empty()) component.unsupported(rewritten.problem + " in a pattern");
  const CompileContext context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE at = 0;
  // ^ and $ stand at every line, as in Ruby.
  constexpr std::uint32_t kOptions = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  auto compiled = std::make_shared<Compiled>();
  compiled->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(rewritten.pattern.data()),
                                     rewritten.pattern.size(), kOptions, &error, &at, context.get()));
  if (compiled->code == nullptr) {
    component.refuse("tokenizer.pattern",
                     fmt::format("the pattern does not compile: {} at character {}", messageOf(error), at));
  }
  pcre2_jit_compile(compiled->code.get(), PCRE2_JIT_COMPLETE);  // without it matching is slower, not wrong
  compiled->file = component.file();
  compiled->place = component.place();
  Pattern pattern;
  pattern.m_regex = std::move(compiled);
  return pattern;
}

Pattern Pattern::read(const Component& component) {
  if (const Component literal = component.at("String"); !literal.isNull()) {
    if (literal.text().empty()) literal.refuse("tokenizer.pattern", "the pattern is empty");
    Pattern pattern;
    pattern.m_literal = literal.text();
    return pattern;
  }
  return compile(component.at("Regex"));
}

Pattern Pattern::builtIn(const char* regex) {
  const nlohmann::json text = regex;
  const std::string noFile;
  return compile(Component(text, noFile, regex));
}

void Pattern::split(std::string_view text, std::vector<PatternPart>& parts) const {
  if (m_regex == nullptr) {
    splitLiteral(text, parts);
  } else {
    splitRegex(text, parts);
  }
}

void Pattern::splitLiteral(std::string_view text, std::vector<PatternPart>& parts) const {
  std::size_t done = 0;
  for (auto at = text.find(m_literal); at != std::string_view::npos; at = text.find(m_literal, done)) {
    if (done < at) parts.push_back({done, at, false});
    done = at + m_literal.size();
    parts.push_back({at, done, true});
  }
  if (done < text.size()) parts.push_back({done, text.size(), false});
}

void Pattern::splitRegex(std::string_view text, std::vector<PatternPart>& parts) const {
  thread_local const Matcher matcher;
  pcre2_set_match_limit(matcher.context.get(), matchLimit(text.size()));
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const PCRE2_SIZE* found = pcre2_get_ovector_pointer(matcher.data.get());
  std::size_t done = 0;
  std::size_t from = 0;
  bool matched = false;
  while (from <= text.size()) {
    const int result = pcre2_match(m_regex->code.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK,
                                   matcher.data.get(), matcher.context.get());
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0) {
      throw Refusal({"tokenizer.pattern", m_regex->file, m_regex->place,
                     "the pattern does not get through this text: " + messageOf(result),
                     "use another tokenizer or shorter text"});
    }
    if (found[1] == found[0] && matched && found[0] == done) {  // empty, right behind the last match
      if (from == text.size()) break;
      from += utf8Length(text[from]);
      continue;
    }
    if (done < found[0]) parts.push_back({done, found[0], false});
    parts.push_back({found[0], found[1], true});
    done = from = found[1];
    matched = true;
  }
  if (done < text.size()) parts.push_back({done, text.size(), false});
}

}  // namespace moescope::tokenizer
