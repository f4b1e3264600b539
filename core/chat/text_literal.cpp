#include "core/chat/text_literal.h"

#include <charconv>

#include "core/chat/characters.h"

namespace moescope::chat {

namespace {

/// Reads up to `most` digits at `at`; -1 if there are fewer than `least`.
long readDigits(std::string_view text, std::size_t& at, std::size_t least, std::size_t most, int base) {
  const std::string_view digits = text.substr(at, most);
  long value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  const auto count = static_cast<std::size_t>(read.ptr - digits.data());
  if (read.ec != std::errc() || count < least || digits.front() == '-') return -1;
  at += count;
  return value;
}

/// The escape behind a backslash at `at`.
bool readEscape(std::string_view written, std::size_t& at, std::string& text) {
  static constexpr std::string_view kNames = "ntr\\'\"abfv";
  static constexpr std::string_view kValues = "\n\t\r\\'\"\a\b\f\v";
  const char c = written[at];
  if (const auto found = kNames.find(c); found != std::string_view::npos) {
    text += kValues[found];
    ++at;
    return true;
  }
  long code = -1;
  if (c >= '0' && c <= '7') {
    code = readDigits(written, at, 1, 3, 8);
  } else if (c == 'x' || c == 'u' || c == 'U') {
    const std::size_t count = c == 'x' ? 2 : c == 'u' ? 4 : 8;
    code = readDigits(written, ++at, count, count, 16);
  } else {
    ++at;
    if (c == '\n') return true;  // the literal goes on in the next line
    text += '\\';
    text += c;
    return true;
  }
  if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  appendUtf8(text, static_cast<char32_t>(code));
  return true;
}

}  // namespace

bool readTextLiteral(std::string_view written, std::string& text) {
  text.clear();
  for (std::size_t at = 0; at < written.size();) {
    const char c = written[at++];
    if (c != '\\') {
      text += c;
    } else if (at == written.size() || !readEscape(written, at, text)) {
      return false;
    }
  }
  return true;
}

}  // namespace moescope::chat
