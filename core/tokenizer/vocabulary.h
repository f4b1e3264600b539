// Vocabulary: token ids and how they are written, the model's own and added ones.
// Not for finding tokens in text (model.h, added_tokens.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace moescope::tokenizer {

class Vocabulary {
 public:
  /// Largest id that a file with `entries` tokens may use: some gap is fair, a huge table is not.
  static std::int64_t largestId(std::size_t entries);

  /// False if the id or the piece is there already.
  bool add(std::int32_t id, std::string_view piece, bool ofModel);
  void setSpecial(std::int32_t id);
  /// What decoding starts from, where it is not the piece.
  void setNormalized(std::int32_t id, std::string_view text);

  [[nodiscard]] bool contains(std::int32_t id) const;
  [[nodiscard]] const std::string& piece(std::int32_t id) const;  ///< empty outside
  [[nodiscard]] const std::string& normalizedPiece(std::int32_t id) const;
  [[nodiscard]] std::int32_t idOf(std::string_view piece) const;  ///< -1 if unknown
  [[nodiscard]] bool isOfModel(std::int32_t id) const { return contains(id) && entry(id).ofModel; }
  [[nodiscard]] bool isSpecial(std::int32_t id) const { return contains(id) && entry(id).special; }
  /// Largest id + 1.
  [[nodiscard]] std::int32_t size() const { return static_cast<std::int32_t>(m_entries.size()); }

 private:
  struct Entry {
    std::string piece;
    bool known = false;
    bool ofModel = false;
    bool special = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  [[nodiscard]] const Entry& entry(std::int32_t id) const { return m_entries[static_cast<std::size_t>(id)]; }

  std::vector<Entry> m_entries;
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> m_ids;
  std::unordered_map<std::int32_t, std::string> m_normalized;  // few
};

}  // namespace moescope::tokenizer
