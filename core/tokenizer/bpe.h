// Byte-pair encoding: a piece starts as its bytes, and the pair with the lowest rank merges until none is
// left. Not for the pieces of SentencePiece models, which start as characters.
#pragma once

#include "core/tokenizer/model.h"

namespace moescope::tokenizer {

/// The model row "BPE"; see makeModel.
std::unique_ptr<const Model> makeBpe(const Component& component, bool byteLevel, Vocabulary& vocabulary);

}  // namespace moescope::tokenizer
