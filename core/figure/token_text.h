// Token text as pictures show it: blanks and bytes that are no character made visible.
// Not for copying, which gives the real text.
#pragma once

#include <string>
#include <string_view>

namespace moescope::figure {

/// A leading space is `·`, a newline `↵`, a tab `→`, control characters and bytes that are no UTF-8 `‹E2›`.
std::string tokenText(std::string_view bytes);

}  // namespace moescope::figure
