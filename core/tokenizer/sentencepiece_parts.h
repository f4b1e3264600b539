// A tokenizer's parts from a SentencePiece model. Not for tokenizer.json (tokenizer_parts.h).
#pragma once

#include "core/tokenizer/sentencepiece_file.h"
#include "core/tokenizer/tokenizer_parts.h"

namespace moescope::tokenizer {

/// Errors (thrown): `tokenizer.bad_protobuf`, `tokenizer.bad_value`, `tokenizer.duplicate_id`,
/// `tokenizer.unsupported` for models of words or characters.
void readSentencePieceParts(std::string_view model, std::string_view configJson, const std::string& file,
                            TokenizerParts& parts);
/// The same from what such a file holds.
void readSentencePieceParts(const SentencePieceFile& model, std::string_view configJson,
                            const std::string& file, TokenizerParts& parts);

}  // namespace moescope::tokenizer
