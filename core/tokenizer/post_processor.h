// Post-processors of tokenizer.json: special tokens around a text, offsets without spaces.
// Not for pairs of texts.
#pragma once

#include <memory>

#include "core/tokenizer/component.h"
#include "core/tokenizer/encoding.h"
#include "core/tokenizer/vocabulary.h"

namespace moescope::tokenizer {

class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  virtual void apply(Encoding& encoding, const Vocabulary& vocabulary, bool addSpecial) const = 0;
};

/// One that does nothing for null. Errors (thrown): `tokenizer.unsupported`, `tokenizer.bad_id` for ids that
/// the vocabulary lacks, `tokenizer.bad_value`, `tokenizer.wrong_type`.
std::unique_ptr<const PostProcessor> makePostProcessor(const Component& component,
                                                       const Vocabulary& vocabulary);

}  // namespace moescope::tokenizer
