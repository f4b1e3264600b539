// Properties of characters as the tokenizers library sees them. Not for patterns (pattern.h).
#pragma once

namespace moescope::tokenizer {

bool isWhitespace(char32_t character);   ///< Unicode White_Space
bool isNumeric(char32_t character);      ///< categories Nd, Nl, No
bool isPunctuation(char32_t character);  ///< ASCII punctuation and category P
/// Letters, marks, decimal digits, connectors and joiners: what stops a `single_word` token.
bool isWord(char32_t character);

}  // namespace moescope::tokenizer
