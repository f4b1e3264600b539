// Pre-tokenizers of tokenizer.json: where a text is cut before the model sees it.
// Not for added tokens (added_tokens.h).
#pragma once

#include <memory>
#include <vector>

#include "core/tokenizer/aligned_text.h"
#include "core/tokenizer/component.h"

namespace moescope::tokenizer {

/// Bytes [begin, end) of a text.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A text and the pieces it is cut into, in order, none of them empty.
struct PreTokens {
  AlignedText text;
  std::vector<TextRange> pieces;
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  /// Cuts the pieces further; may change the text. Throws a Refusal `tokenizer.pattern`.
  virtual void apply(PreTokens& tokens) const = 0;
  /// True if the model sees the bytes of a piece one by one (ByteLevel), which only the last step may ask.
  [[nodiscard]] virtual bool byteLevel() const { return false; }
};

/// One that cuts nothing for null. Errors (thrown): as makeNormalizer.
std::unique_ptr<const PreTokenizer> makePreTokenizer(const Component& component);

}  // namespace moescope::tokenizer
