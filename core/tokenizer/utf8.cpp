#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

struct Lead {
  std::size_t length;  // 0: not a first byte
  unsigned low, high;  // allowed second byte
  unsigned bits;       // of the first byte
};

// Unicode 15, table 3-7.
Lead leadOf(unsigned byte) {
  if (byte < 0x80) return {1, 0, 0, byte};
  if (byte < 0xC2) return {0, 0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF, byte & 0x1FU};
  if (byte < 0xF0) return {3, byte == 0xE0 ? 0xA0U : 0x80U, byte == 0xED ? 0x9FU : 0xBFU, byte & 0x0FU};
  if (byte < 0xF5) return {4, byte == 0xF0 ? 0x90U : 0x80U, byte == 0xF4 ? 0x8FU : 0xBFU, byte & 0x07U};
  return {0, 0, 0, 0};
}

}  // namespace

Utf8Unit utf8At(std::string_view text, std::size_t at) {
  const Lead lead = leadOf(static_cast<unsigned char>(text[at]));
  if (lead.length == 0) return {};
  char32_t character = lead.bits;
  for (std::size_t i = 1; i < lead.length; ++i) {
    if (at + i == text.size()) return {Utf8Unit::Kind::Incomplete, i, 0xFFFD};
    const auto byte = static_cast<unsigned char>(text[at + i]);
    const bool fits = i == 1 ? byte >= lead.low && byte <= lead.high : isContinuation(text[at + i]);
    if (!fits) return {Utf8Unit::Kind::Invalid, i, 0xFFFD};
    character = (character << 6U) | (byte & 0x3FU);
  }
  return {Utf8Unit::Kind::Character, lead.length, character};
}

void appendUtf8(std::string& text, char32_t character) {
  const auto add = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (character < 0x80) {
    add(character);
  } else if (character < 0x800) {
    add(0xC0U | (character >> 6U));
    add(0x80U | (character & 0x3FU));
  } else if (character < 0x10000) {
    add(0xE0U | (character >> 12U));
    add(0x80U | ((character >> 6U) & 0x3FU));
    add(0x80U | (character & 0x3FU));
  } else {
    add(0xF0U | (character >> 18U));
    add(0x80U | ((character >> 12U) & 0x3FU));
    add(0x80U | ((character >> 6U) & 0x3FU));
    add(0x80U | (character & 0x3FU));
  }
}

std::string replaceInvalid(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const Utf8Unit unit = utf8At(bytes, at);
    if (unit.kind == Utf8Unit::Kind::Character) {
      text.append(bytes.substr(at, unit.length));
    } else {
      appendUtf8(text, 0xFFFD);
    }
    at += unit.length;
  }
  return text;
}

}  // namespace moescope::tokenizer
