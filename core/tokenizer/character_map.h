// CharacterMap: from one character to the token that is this character. Not for longer pieces
// (vocabulary.h).
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/tokenizer/vocabulary.h"

namespace moescope::tokenizer {

class CharacterMap {
 public:
  CharacterMap() = default;
  /// Every piece of the vocabulary that is one character.
  explicit CharacterMap(const Vocabulary& vocabulary);
  [[nodiscard]] std::int32_t idOf(char32_t character) const {  ///< -1 if there is none
    if (character < m_low.size()) return m_low[character];
    const auto found = m_high.find(character);
    return found == m_high.end() ? -1 : found->second;
  }

 private:
  std::vector<std::int32_t> m_low;  // by character
  std::unordered_map<char32_t, std::int32_t> m_high;
};

}  // namespace moescope::tokenizer
