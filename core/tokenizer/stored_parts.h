// A tokenizer's parts from the metadata of a GGUF file, by llama.cpp's names of the rules. Not for reading
// the file (core/checkpoint/gguf_vocabulary.h).
#pragma once

#include "core/base/stored_vocabulary.h"
#include "core/tokenizer/tokenizer_parts.h"

namespace moescope::tokenizer {

/// Errors (thrown): `tokenizer.unsupported` for a model or rules of cutting that are not known, and as
/// readJsonParts and readSentencePieceParts.
void readStoredParts(const StoredVocabulary& stored, const std::string& file, TokenizerParts& parts);

}  // namespace moescope::tokenizer
