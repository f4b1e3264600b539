// AlignedText: a piece of text with the place in the original that each byte came from.
// Not for splitting it (pre_tokenizer.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::tokenizer {

/// Bytes of the original text, on character borders.
struct Origin {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The origin of one byte in four bytes: one character of the original, or an empty place in it.
class CharacterPlace {
 public:
  explicit CharacterPlace(Origin origin)
      : m_packed(static_cast<std::uint32_t>(origin.begin) | (origin.begin == origin.end ? kEmpty : 0U)) {}
  [[nodiscard]] Origin in(std::string_view original) const;

 private:
  static constexpr std::uint32_t kEmpty = 1U << 31U;
  std::uint32_t m_packed;
};

/// One character of a rewritten text. `change` 0 takes the place of one old character, -n of n more; a
/// positive one is put in and has the origin of the character before it.
struct Edit {
  char32_t character = 0;
  int change = 0;
};

class AlignedText {
 public:
  /// Bytes [begin, end) of `original` (less than 2 GiB), which must outlive this.
  AlignedText(std::string_view original, std::size_t begin, std::size_t end)
      : m_original(original), m_begin(begin), m_end(end) {}

  [[nodiscard]] std::string_view text() const {
    return m_changed ? std::string_view(m_text) : m_original.substr(m_begin, m_end - m_begin);
  }
  /// Where bytes [begin, end) of text() came from; begin < end.
  [[nodiscard]] Origin origin(std::size_t begin, std::size_t end) const;

  [[nodiscard]] AlignedText slice(std::size_t begin, std::size_t end) const;

  /// Replaces the whole text.
  void rewrite(const std::vector<Edit>& edits);

  /// Collects a new text from parts of this one.
  class Builder;

 private:
  [[nodiscard]] Origin byteOrigin(std::size_t at) const;

  std::string_view m_original;
  std::size_t m_begin;
  std::size_t m_end;
  bool m_changed = false;
  std::string m_text;                     // if changed
  std::vector<CharacterPlace> m_origins;  // one a byte of m_text
};

class AlignedText::Builder {
 public:
  explicit Builder(const AlignedText& source);

  [[nodiscard]] std::size_t size() const { return m_text.size(); }
  void copy(std::size_t begin, std::size_t end);  ///< bytes of the source
  /// Throws a Refusal `tokenizer.too_large` where a text grows out of all proportion.
  /// `origin` is one character or an empty place.
  void add(std::string_view text, Origin origin);
  void addCharacter(char32_t character, Origin origin);
  [[nodiscard]] AlignedText finish();

 private:
  const AlignedText& m_source;
  std::string m_text;
  std::vector<CharacterPlace> m_origins;
};

}  // namespace moescope::tokenizer
