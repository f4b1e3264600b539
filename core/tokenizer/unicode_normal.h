// The four Unicode normal forms as edits, so that every character keeps its origin.
// Not for other changes of text (normalizer.h).
#pragma once

#include <string_view>
#include <vector>

#include "core/tokenizer/aligned_text.h"

namespace moescope::tokenizer {

enum class NormalForm { Nfc, Nfd, Nfkc, Nfkd };

/// The edits that bring `text` (valid UTF-8) into the form; empty if it has it already.
std::vector<Edit> normalize(std::string_view text, NormalForm form);

}  // namespace moescope::tokenizer
