#include "core/tokenizer/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

struct Alphabet {
  std::array<char32_t, 256> characters{};
  std::array<std::int16_t, 0x144> bytes{};  // by character, -1 outside

  Alphabet() {
    bytes.fill(-1);
    char32_t next = 0x100;
    for (char32_t byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      const char32_t character = printable ? byte : next++;
      characters[byte] = character;
      bytes[character] = static_cast<std::int16_t>(byte);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet table;
  return table;
}

}  // namespace

std::string toByteAlphabet(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) appendUtf8(text, alphabet().characters[static_cast<unsigned char>(byte)]);
  return text;
}

std::optional<std::string> fromByteAlphabet(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Unit unit = utf8At(text, at);
    const bool known = unit.character < alphabet().bytes.size() && alphabet().bytes[unit.character] >= 0;
    if (!known) return std::nullopt;
    bytes += static_cast<char>(alphabet().bytes[unit.character]);
    at += unit.length;
  }
  return bytes;
}

}  // namespace moescope::tokenizer
