#include "core/base/shown_text.h"

#include <algorithm>

#include <fmt/format.h>

namespace moescope {

std::string shown(std::string_view text, std::size_t maxBytes) {
  std::size_t end = std::min(text.size(), maxBytes);
  const auto continues = [&text](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  while (end > 0 && end < text.size() && continues(end)) --end;
  std::string result;
  for (std::size_t i = 0; i < end; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are the bytes C2 80 to C2 9F.
    const bool highControl = byte == 0xC2 && i + 1 < end && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (highControl) {
      result += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\u{:04x}", byte);
    } else {
      result += text[i];
    }
  }
  return end < text.size() ? result + "..." : result;
}

}  // namespace moescope
