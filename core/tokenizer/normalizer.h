// Normalizers of tokenizer.json: changes to the text before it is cut. Not for cutting (pre_tokenizer.h).
#pragma once

#include <memory>

#include "core/tokenizer/aligned_text.h"
#include "core/tokenizer/component.h"

namespace moescope::tokenizer {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(AlignedText& text) const = 0;
};

/// One that does nothing for null. Errors (thrown): `tokenizer.unsupported`, `tokenizer.pattern`,
/// `tokenizer.wrong_type`.
std::unique_ptr<const Normalizer> makeNormalizer(const Component& component);

}  // namespace moescope::tokenizer
