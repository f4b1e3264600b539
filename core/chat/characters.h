// Characters of a text, as Python sees them: counted, cut, in upper and lower case. Not for tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moescope::chat {

/// The parts of `text` that are one character each; bytes that are no UTF-8 stand alone.
std::vector<std::string_view> characters(std::string_view text);
std::size_t characterCount(std::string_view text);

bool isSpace(std::string_view character);
std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string title(std::string_view text);       ///< every word with a capital
std::string capitalize(std::string_view text);  ///< the first character as a capital

enum class Ends { Both, Left, Right };
/// Without the characters of `set` at the ends; without whitespace if `set` is null.
std::string_view strip(std::string_view text, const std::string* set, Ends ends);

void appendUtf8(std::string& text, char32_t character);

}  // namespace moescope::chat
