// The 256 printable characters that byte-level tokenizers write for the 256 bytes ("Ġ" for a space).
// Not for `<0xNN>` pieces.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace moescope::tokenizer {

/// The characters for some bytes.
std::string toByteAlphabet(std::string_view bytes);
/// The bytes for text in the alphabet; nothing if a character is outside of it.
std::optional<std::string> fromByteAlphabet(std::string_view text);

}  // namespace moescope::tokenizer
