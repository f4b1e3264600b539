// MergeTable: from a pair of token ids to what they merge into. Not for choosing the next merge (bpe.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace moescope::tokenizer {

class MergeTable {
 public:
  struct Merge {
    std::uint32_t rank = 0;  ///< lower ones go first
    std::int32_t id = -1;    ///< -1: the pair does not merge
  };

  explicit MergeTable(std::size_t merges);
  /// At most as many pairs as the constructor was told; the last entry of a pair counts.
  void insert(std::int32_t left, std::int32_t right, Merge merge);
  [[nodiscard]] Merge find(std::int32_t left, std::int32_t right) const;

 private:
  struct Slot {
    std::uint64_t pair = 0;
    Merge merge;
  };
  [[nodiscard]] std::size_t slotOf(std::uint64_t pair) const;

  std::vector<Slot> m_slots;  // open addressing, a power of two, at most half full
};

}  // namespace moescope::tokenizer
