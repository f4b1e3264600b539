#include "core/chat/characters.h"

#include <algorithm>
#include <utility>

#include <utf8proc.h>

namespace moescope::chat {

namespace {

struct Decoded {
  utf8proc_int32_t character = -1;  // -1: no UTF-8
  std::size_t length = 1;
};

Decoded decode(std::string_view text) {
  Decoded decoded;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &decoded.character);
  if (length <= 0) return {};
  decoded.length = static_cast<std::size_t>(length);
  return decoded;
}

template <class Change>
std::string changed(std::string_view text, const Change& change) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded decoded = decode(text.substr(at));
    if (decoded.character < 0) {
      result += text[at];
    } else {
      appendUtf8(result, static_cast<char32_t>(change(decoded.character)));
    }
    at += decoded.length;
  }
  return result;
}

bool isLetter(utf8proc_int32_t character) {
  const auto category = utf8proc_category(character);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

}  // namespace

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = decode(text.substr(at)).length;
    parts.push_back(text.substr(at, length));
    at += length;
  }
  return parts;
}

std::size_t characterCount(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) at += decode(text.substr(at)).length;
  return count;
}

bool isSpace(std::string_view character) {
  const auto code = decode(character).character;
  if (code < 0x80) return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20);
  const auto category = utf8proc_category(code);
  return code == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

std::string upper(std::string_view text) { return changed(text, utf8proc_toupper); }
std::string lower(std::string_view text) { return changed(text, utf8proc_tolower); }

std::string title(std::string_view text) {
  bool inside = false;
  return changed(text, [&](utf8proc_int32_t character) {
    const auto result = inside ? utf8proc_tolower(character) : utf8proc_totitle(character);
    inside = isLetter(character);
    return result;
  });
}

std::string capitalize(std::string_view text) {
  bool first = true;
  return changed(text, [&](utf8proc_int32_t character) {
    return std::exchange(first, false) ? utf8proc_totitle(character) : utf8proc_tolower(character);
  });
}

std::string_view strip(std::string_view text, const std::string* set, Ends ends) {
  const auto members = set == nullptr ? std::vector<std::string_view>{} : characters(*set);
  const auto goes = [&](std::string_view character) {
    return set == nullptr ? isSpace(character)
                          : std::find(members.begin(), members.end(), character) != members.end();
  };
  while (ends != Ends::Right && !text.empty()) {
    const std::size_t length = decode(text).length;
    if (!goes(text.substr(0, length))) break;
    text.remove_prefix(length);
  }
  while (ends != Ends::Left && !text.empty()) {
    std::size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) --at;
    if (!goes(text.substr(at))) break;
    text = text.substr(0, at);
  }
  return text;
}

void appendUtf8(std::string& text, char32_t character) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

}  // namespace moescope::chat
