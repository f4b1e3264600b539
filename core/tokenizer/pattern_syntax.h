// Ruby's pattern syntax, as the tokenizers library reads it (Oniguruma), rewritten for PCRE2.
// Not for compiling or matching (pattern.h).
#pragma once

#include <string>
#include <string_view>

namespace moescope::tokenizer {

/// A pattern that PCRE2 (UTF, UCP, MULTILINE) matches as Oniguruma matches `ruby`; `problem` is empty or
/// names what has no counterpart. Rewritten are \s, \w, \b, \h and their complements,
/// scripts, bracket classes, \uXXXX and (?m).
struct RewrittenPattern {
  std::string pattern;
  std::string problem;
};
RewrittenPattern rewriteForPcre2(std::string_view ruby);

}  // namespace moescope::tokenizer
