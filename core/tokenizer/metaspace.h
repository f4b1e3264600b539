// Metaspace: spaces written as a visible character, for the pre-tokenizer and the decoder of that name.
// Not for the normalizers that do the same in old files (Prepend, Replace).
#pragma once

#include "core/tokenizer/decoder.h"
#include "core/tokenizer/pre_tokenizer.h"

namespace moescope::tokenizer {

/// Errors (thrown): `tokenizer.bad_value`, `tokenizer.wrong_type`.
std::unique_ptr<const PreTokenizer> makeMetaspace(const Component& component);
std::unique_ptr<const Decoder> makeMetaspaceDecoder(const Component& component);

}  // namespace moescope::tokenizer
