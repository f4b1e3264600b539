#include "core/figure/token_text.h"

#include <fmt/format.h>

#include "core/base/strict_json.h"

namespace moescope::figure {

namespace {

/// Bytes of the character that starts a text, 0 if they are no character.
std::size_t characterLength(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  std::size_t length = 1;
  if (lead >= 0xF0) {
    length = 4;
  } else if (lead >= 0xE0) {
    length = 3;
  } else if (lead >= 0xC0) {
    length = 2;
  }
  return length <= text.size() && isValidUtf8(text.substr(0, length)) ? length : 0;
}

}  // namespace

std::string tokenText(std::string_view bytes) {
  std::string out;
  bool leading = true;
  while (!bytes.empty()) {
    const std::size_t length = characterLength(bytes);
    const auto first = static_cast<unsigned char>(bytes.front());
    if (first == ' ' && leading) {
      out += "·";
    } else if (first == '\n') {
      out += "↵";
    } else if (first == '\t') {
      out += "→";
    } else if (length == 0 || first < 0x20 || first == 0x7F) {
      out += fmt::format("‹{:02X}›", first);
    } else {
      out += bytes.substr(0, length);
    }
    leading = leading && first == ' ';
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace moescope::figure
