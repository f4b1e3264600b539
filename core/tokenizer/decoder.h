// Decoders of tokenizer.json: tokens as written back to bytes. Not for deciding which tokens are shown.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/tokenizer/component.h"

namespace moescope::tokenizer {

/// One token in the middle of a text.
struct Continuation {
  std::string text;
  bool fused =
      false;  ///< a Fuse came by: what follows works on the ends of the whole text, which are not here
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Changes tokens as written in tokenizer.json into parts of the text, which need not be whole characters.
  virtual void apply(std::vector<std::string>& parts) const = 0;
  /// The same for one token that continues a text; a byte of a character stays one.
  virtual void applyTo(Continuation& part) const = 0;
};

/// Null joins tokens with spaces. Errors (thrown): as makeNormalizer.
std::unique_ptr<const Decoder> makeDecoder(const Component& component);

}  // namespace moescope::tokenizer
