// Encoding: the tokens of a text while post-processors work on them. Not for users (EncodedToken).
#pragma once

#include <string>
#include <vector>

#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/vocabulary.h"

namespace moescope::tokenizer {

struct Encoding {
  /// What an added token took from the text, whitespace included; other tokens are as the vocabulary has
  /// them.
  struct Shown {
    std::size_t token = 0;  // index
    std::string text;
  };

  std::vector<EncodedToken> tokens;
  std::size_t textBegin = 0;  ///< index of the first token of the text, behind special ones
  std::vector<Shown> shown;   // by index, ascending
};

}  // namespace moescope::tokenizer
