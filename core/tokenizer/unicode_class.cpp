#include "core/tokenizer/unicode_class.h"

#include <utf8proc.h>

namespace moescope::tokenizer {

namespace {

utf8proc_category_t categoryOf(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character));
}

bool between(char32_t character, char32_t low, char32_t high) {
  return character >= low && character <= high;
}

}  // namespace

bool isWhitespace(char32_t character) {
  return between(character, 0x09, 0x0D) || character == 0x20 || character == 0x85 || character == 0xA0 ||
         character == 0x1680 || between(character, 0x2000, 0x200A) || character == 0x2028 ||
         character == 0x2029 || character == 0x202F || character == 0x205F || character == 0x3000;
}

bool isNumeric(char32_t character) {
  if (character < 0x80) return between(character, '0', '9');
  const auto category = categoryOf(character);
  return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL ||
         category == UTF8PROC_CATEGORY_NO;
}

bool isPunctuation(char32_t character) {
  if (character < 0x80) {
    return between(character, '!', '/') || between(character, ':', '@') || between(character, '[', '`') ||
           between(character, '{', '~');
  }
  const auto category = categoryOf(character);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool isWord(char32_t character) {
  const auto category = categoryOf(character);
  if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NL) return true;  // L, M, Nd, Nl
  if (category == UTF8PROC_CATEGORY_PC) return true;
  // Other_Alphabetic outside the categories above, and Join_Control.
  return between(character, 0x24B6, 0x24E9) || between(character, 0x1F130, 0x1F149) ||
         between(character, 0x1F150, 0x1F169) || between(character, 0x1F170, 0x1F189) ||
         between(character, 0x200C, 0x200D);
}

}  // namespace moescope::tokenizer
