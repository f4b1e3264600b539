// Byte pieces: the tokens `<0x00>` to `<0xFF>` that stand for bytes where a vocabulary lacks a character.
// Not for the byte alphabet (byte_alphabet.h).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/tokenizer/vocabulary.h"

namespace moescope::tokenizer {

std::string bytePiece(unsigned char byte);
/// The byte of a piece written so; nothing for other pieces.
std::optional<char> byteOfPiece(std::string_view piece);

using ByteIds = std::array<std::int32_t, 256>;  ///< -1: the vocabulary lacks the byte
ByteIds bytePieceIds(const Vocabulary& vocabulary);

}  // namespace moescope::tokenizer
