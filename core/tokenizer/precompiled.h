// The normalizer "Precompiled": SentencePiece's replacements, looked up as the tokenizers library does it.
// Not for SentencePiece's own lookup (sentencepiece_normalizer.h).
#pragma once

#include "core/tokenizer/normalizer.h"

namespace moescope::tokenizer {

/// Errors (thrown): `tokenizer.bad_value` for a damaged table.
std::unique_ptr<const Normalizer> makePrecompiled(const Component& component);

}  // namespace moescope::tokenizer
