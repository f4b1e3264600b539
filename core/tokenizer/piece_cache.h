// PieceCache: the tokens of pieces seen before in a text. Not shared between threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokenizer/model.h"

namespace moescope::tokenizer {

class PieceCache {
 public:
  /// Appends the tokens of a piece that is known, moved by `offset` bytes; false if it is not.
  bool append(std::string_view piece, std::uint32_t offset, std::vector<ModelToken>& tokens) const;
  /// Remembers the tokens from index `first` on, which stand `offset` bytes behind the piece's start. Forgets
  /// all others where too many are known; long pieces are left out.
  void remember(std::string_view piece, std::uint32_t offset, const std::vector<ModelToken>& tokens,
                std::size_t first);

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t textBegin = 0;
    std::uint32_t textSize = 0;  // 0: free
    std::uint32_t firstToken = 0;
    std::uint32_t tokenCount = 0;
  };
  [[nodiscard]] std::size_t slotOf(std::string_view piece, std::uint64_t hash) const;
  void grow();

  std::vector<Slot> m_slots;  // open addressing, a power of two, at most half full
  std::size_t m_used = 0;
  std::string m_texts;
  std::vector<ModelToken> m_tokens;
};

}  // namespace moescope::tokenizer
