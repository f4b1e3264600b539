// Charsmap: SentencePiece's compiled table of replacements, a double-array trie and the texts it points at.
// Not for deciding where a text is looked up (precompiled.h, sentencepiece_normalizer.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::tokenizer {

class Charsmap {
 public:
  struct Match {
    std::size_t length = 0;  ///< bytes of the text that go; 0: none
    std::string_view content;
  };

  Charsmap() = default;  ///< replaces nothing
  /// `bytes`: the trie's size in bytes (32 bits, little-endian), the trie's units, texts that end with NUL.
  /// A damaged table gives fewer matches, or a `problem` that is not empty.
  static Charsmap read(std::string_view bytes, std::string& problem);

  /// The shortest (longest) key that the text begins with.
  [[nodiscard]] Match shortest(std::string_view text) const { return find(text, true); }
  [[nodiscard]] Match longest(std::string_view text) const { return find(text, false); }

 private:
  [[nodiscard]] Match find(std::string_view text, bool first) const;

  std::vector<std::uint32_t> m_units;
  std::string m_texts;
};

/// Bytes of text in base 64; false if it is none.
bool decodeBase64(std::string_view text, std::string& bytes);

}  // namespace moescope::tokenizer
