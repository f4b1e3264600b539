// TokenTrie: finds the leftmost, then longest, of many strings in a text. Not for patterns (pattern.h).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace moescope::tokenizer {

class TokenTrie {
 public:
  struct Match {
    std::int32_t value = -1;  ///< -1: none
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  [[nodiscard]] bool empty() const { return m_values.size() == 1; }
  /// `value` >= 0. The first value of a string counts; an empty string is left out.
  void add(std::string_view content, std::int32_t value);
  /// The first match that begins at or after `from`.
  [[nodiscard]] Match find(std::string_view text, std::size_t from) const;

 private:
  static std::uint64_t key(std::int32_t node, char byte) {
    return (static_cast<std::uint64_t>(node) << 8U) | static_cast<unsigned char>(byte);
  }

  std::vector<std::int32_t> m_values{-1};  // by node; 0 is the root
  std::unordered_map<std::uint64_t, std::int32_t> m_children;
  std::array<bool, 256> m_firstBytes{};
};

}  // namespace moescope::tokenizer
