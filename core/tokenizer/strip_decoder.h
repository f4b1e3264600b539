// The decoder "Strip": takes a character off the ends of parts. Not for the normalizer of that name.
#pragma once

#include "core/tokenizer/decoder.h"

namespace moescope::tokenizer {

/// Errors (thrown): `tokenizer.bad_value`, `tokenizer.wrong_type`, `tokenizer.bad_id` for counts that are
/// none.
std::unique_ptr<const Decoder> makeStripDecoder(const Component& component);

}  // namespace moescope::tokenizer
