#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/analysis/token_pattern.h"

#include <fmt/format.h>
#include <pcre2.h>

namespace moescope::analysis {

namespace {

// A token has some dozen bytes: an honest expression stays far below these.
constexpr std::uint32_t kMatchLimit = 1'000'000;
constexpr std::uint32_t kHeapKiB = 16u << 10;
constexpr std::size_t kMaxPatternBytes = 4096;

std::string messageOf(int code) {
  PCRE2_UCHAR text[200] = {};
  pcre2_get_error_message(code, text, sizeof(text));
  return reinterpret_cast<const char*>(text);
}

}  // namespace

struct TokenPattern::Compiled {
  std::string regex;
  pcre2_code* code = nullptr;
  pcre2_match_context* context = nullptr;
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }
};

Result<TokenPattern> TokenPattern::compile(std::string_view regex) {
  if (regex.empty() || regex.size() > kMaxPatternBytes) {
    return fail("analysis.bad_param", "", "labels", "a regular expression is empty or too long",
                fmt::format("give one of 1 to {} bytes", kMaxPatternBytes));
  }
  auto compiled = std::make_shared<Compiled>();
  compiled->regex = regex;
  int error = 0;
  PCRE2_SIZE at = 0;
  constexpr std::uint32_t kOptions =
      PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
  compiled->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(regex.data()), regex.size(), kOptions, &error, &at, nullptr);
  if (compiled->code == nullptr) {
    return fail("analysis.bad_param", "", fmt::format("labels, byte {} of “{}”", at, regex),
                "the regular expression does not compile: " + messageOf(error), "correct it (PCRE2 syntax)");
  }
  compiled->context = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(compiled->context, kMatchLimit);
  pcre2_set_heap_limit(compiled->context, kHeapKiB);
  TokenPattern pattern;
  pattern.m_compiled = std::move(compiled);
  return pattern;
}

Result<bool> TokenPattern::matches(std::string_view bytes) const {
  const std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> found(
      pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
  const int result = pcre2_match(m_compiled->code, reinterpret_cast<PCRE2_SPTR>(bytes.data()), bytes.size(),
                                 0, 0, found.get(), m_compiled->context);
  if (result >= 0) return true;
  if (result == PCRE2_ERROR_NOMATCH) return false;
  return fail("analysis.bad_param", "", fmt::format("labels, “{}”", m_compiled->regex),
              "the regular expression does not get through a token: " + messageOf(result),
              "write it without nested repetition");
}

}  // namespace moescope::analysis
