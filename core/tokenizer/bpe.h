// Byte-pair encoding: a piece starts as its bytes or characters, and the pair with the lowest rank merges
// until none is left. Not for reading the tables (bpe_tables.h).
#pragma once

#include "core/tokenizer/bpe_tables.h"
#include "core/tokenizer/model.h"

namespace moescope::tokenizer {

/// The model row "BPE"; see makeModel.
std::unique_ptr<const Model> makeBpe(const Component& component, bool byteLevel, Vocabulary& vocabulary);
std::unique_ptr<const Model> makeBpe(BpeTables tables);

}  // namespace moescope::tokenizer
