// Pieces that SentencePiece's users defined: cut out of the text, and always one token. Not for added tokens
// of tokenizer.json (added_tokens.h), which are found before the text is normalised.
#pragma once

#include "core/tokenizer/model.h"
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/prefix_trie.h"

namespace moescope::tokenizer {

/// Cuts the symbols out, the longest at each place from the left.
std::unique_ptr<const PreTokenizer> makeSymbolSplit(PrefixTrie symbols);
/// Encodes a piece that is a symbol as its token, others by `model`.
std::unique_ptr<const Model> makeSymbolModel(PrefixTrie symbols, std::unique_ptr<const Model> model);

}  // namespace moescope::tokenizer
