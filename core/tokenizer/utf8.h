// UTF-8 by code points: reading, writing, replacing what is not a character.
// Not for properties of characters (unicode_class.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace moescope::tokenizer {

/// What stands at one place of a byte string.
struct Utf8Unit {
  enum class Kind { Character, Invalid, Incomplete };
  Kind kind = Kind::Invalid;
  std::size_t length = 1;  ///< bytes; of an invalid unit those that one U+FFFD replaces
  char32_t character = 0xFFFD;
};

/// The unit at `at` (inside `text`). Incomplete: the text ends within what may still become a character.
Utf8Unit utf8At(std::string_view text, std::size_t at);

void appendUtf8(std::string& text, char32_t character);

inline bool isContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

/// Length of the character that starts with `lead`, in text known to be valid.
inline std::size_t utf8Length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// The text with one U+FFFD for every maximal invalid part, as Unicode recommends (chapter 3.9).
std::string replaceInvalid(std::string_view bytes);

}  // namespace moescope::tokenizer
