#include "core/tokenizer/merge_table.h"

#include <bit>

namespace moescope::tokenizer {

namespace {

std::uint64_t packed(std::int32_t left, std::int32_t right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32U) |
         static_cast<std::uint32_t>(right);
}

}  // namespace

MergeTable::MergeTable(std::size_t merges) : m_slots(std::bit_ceil(2 * merges + 2)) {}

std::size_t MergeTable::slotOf(std::uint64_t pair) const {
  const std::size_t mask = m_slots.size() - 1;
  std::uint64_t hash = pair * 0x9E3779B97F4A7C15ULL;
  hash ^= hash >> 32U;
  std::size_t slot = static_cast<std::size_t>(hash) & mask;
  while (m_slots[slot].merge.id >= 0 && m_slots[slot].pair != pair) slot = (slot + 1) & mask;
  return slot;
}

void MergeTable::insert(std::int32_t left, std::int32_t right, Merge merge) {
  const std::uint64_t pair = packed(left, right);
  m_slots[slotOf(pair)] = {pair, merge};
}

MergeTable::Merge MergeTable::find(std::int32_t left, std::int32_t right) const {
  return m_slots[slotOf(packed(left, right))].merge;
}

}  // namespace moescope::tokenizer
