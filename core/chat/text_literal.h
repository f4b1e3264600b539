// Escapes of Python's text literals. Not for other tokens (lexer.h).
#pragma once

#include <string>
#include <string_view>

namespace moescope::chat {

/// What stands between the quotes, with escapes replaced; false if one is broken.
bool readTextLiteral(std::string_view written, std::string& text);

}  // namespace moescope::chat
