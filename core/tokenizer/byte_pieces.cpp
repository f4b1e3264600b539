#include "core/tokenizer/byte_pieces.h"

#include <charconv>

#include <fmt/format.h>

namespace moescope::tokenizer {

std::string bytePiece(unsigned char byte) { return fmt::format("<0x{:02X}>", byte); }

std::optional<char> byteOfPiece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece.back() != '>') return std::nullopt;
  unsigned value = 0;
  const char* end = piece.data() + 5;
  const auto read = std::from_chars(piece.data() + 3, end, value, 16);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return static_cast<char>(value);
}

ByteIds bytePieceIds(const Vocabulary& vocabulary) {
  ByteIds ids{};
  for (std::size_t byte = 0; byte < ids.size(); ++byte) {
    ids[byte] = vocabulary.idOf(bytePiece(static_cast<unsigned char>(byte)));
  }
  return ids;
}

}  // namespace moescope::tokenizer
