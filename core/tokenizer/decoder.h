// Decoders of tokenizer.json: tokens as written back to bytes. Not for deciding which tokens are shown.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/tokenizer/component.h"

namespace moescope::tokenizer {

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Changes tokens as written in tokenizer.json into parts of the text, which need not be whole characters.
  virtual void apply(std::vector<std::string>& parts) const = 0;
};

/// Null joins tokens with spaces. Errors (thrown): as makeNormalizer.
std::unique_ptr<const Decoder> makeDecoder(const Component& component);

}  // namespace moescope::tokenizer
