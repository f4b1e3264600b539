#include "core/tokenizer/charsmap.h"

#include "core/base/strict_json.h"

namespace moescope::tokenizer {

namespace {

// A unit of the double array, as the library darts-clone lays it out.
bool hasLeaf(std::uint32_t unit) { return ((unit >> 8U) & 1U) != 0; }
std::uint32_t valueOf(std::uint32_t unit) { return unit & 0x7FFFFFFFU; }
std::uint32_t labelOf(std::uint32_t unit) { return unit & 0x800000FFU; }
std::uint32_t offsetOf(std::uint32_t unit) { return (unit >> 10U) << ((unit & (1U << 9U)) >> 6U); }

std::uint32_t wordAt(std::string_view bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 4; i-- > 0;) word = (word << 8U) | static_cast<unsigned char>(bytes[at + i]);
  return word;
}

}  // namespace

Charsmap Charsmap::read(std::string_view bytes, std::string& problem) {
  Charsmap map;
  problem.clear();
  if (bytes.empty()) return map;
  const std::size_t size = bytes.size() < 4 ? 0 : wordAt(bytes, 0);
  if (size == 0 || size % 4 != 0 || size > bytes.size() - 4) {
    problem = "the table of replacements is damaged";
    return map;
  }
  for (std::size_t at = 4; at < 4 + size; at += 4) map.m_units.push_back(wordAt(bytes, at));
  map.m_texts = bytes.substr(4 + size);
  if (!isValidUtf8(map.m_texts)) problem = "the table of replacements holds text that is not UTF-8";
  return map;
}

Charsmap::Match Charsmap::find(std::string_view text, bool first) const {
  if (m_units.empty()) return {};
  Match match;
  std::size_t node = offsetOf(m_units[0]);
  for (std::size_t at = 0; at < text.size() && text[at] != '\0'; ++at) {
    const auto label = static_cast<unsigned char>(text[at]);
    node ^= label;
    if (node >= m_units.size() || labelOf(m_units[node]) != label) break;
    const std::uint32_t unit = m_units[node];
    node ^= offsetOf(unit);
    if (!hasLeaf(unit)) continue;
    if (node >= m_units.size()) break;
    const std::size_t begin = valueOf(m_units[node]);
    if (begin >= m_texts.size()) continue;
    // The table may point into a character only if it is damaged.
    if ((static_cast<unsigned char>(m_texts[begin]) & 0xC0U) == 0x80U) continue;
    const std::size_t end = std::min(m_texts.find('\0', begin), m_texts.size());
    match = {at + 1, std::string_view(m_texts).substr(begin, end - begin)};
    if (first) break;
  }
  return match;
}

bool decodeBase64(std::string_view text, std::string& bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  bytes.clear();
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.size() % 4 == 1) return false;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) return false;
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
    }
  }
  return true;
}

}  // namespace moescope::tokenizer
