// TokenPattern: a regular expression over the text of one token, with a limit on what a search may cost.
// Not for patterns of tokenizers, which speak Ruby (core/tokenizer).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace moescope::analysis {

class TokenPattern {
 public:
  /// PCRE2 syntax with Unicode properties. Errors: `analysis.bad_param` with the place in the expression.
  static Result<TokenPattern> compile(std::string_view regex);

  /// Whether it matches somewhere in the token's bytes, which need not be UTF-8.
  /// Errors: `analysis.bad_param` if the search exceeds its limits.
  [[nodiscard]] Result<bool> matches(std::string_view bytes) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> m_compiled;
};

}  // namespace moescope::analysis
