// The decoder "ByteFallback": runs of `<0xNN>` tokens back to bytes. Not for encoding (bpe.h, unigram.h).
#pragma once

#include "core/tokenizer/decoder.h"

namespace moescope::tokenizer {

std::unique_ptr<const Decoder> makeByteFallback(const Component& component);

}  // namespace moescope::tokenizer
