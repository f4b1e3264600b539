#include "core/tokenizer/piece_cache.h"

#include <utility>

#include <xxhash.h>

namespace moescope::tokenizer {

namespace {

constexpr std::size_t kFirstSlots = 256;
constexpr std::size_t kMaxSlots = 64u << 10;
constexpr std::size_t kMaxPiece = 64;

std::uint64_t hashOf(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace

std::size_t PieceCache::slotOf(std::string_view piece, std::uint64_t hash) const {
  const std::size_t mask = m_slots.size() - 1;
  std::size_t at = static_cast<std::size_t>(hash) & mask;
  for (; m_slots[at].textSize != 0; at = (at + 1) & mask) {
    const Slot& slot = m_slots[at];
    if (slot.hash == hash && std::string_view(m_texts).substr(slot.textBegin, slot.textSize) == piece) break;
  }
  return at;
}

bool PieceCache::append(std::string_view piece, std::uint32_t offset, std::vector<ModelToken>& tokens) const {
  if (m_slots.empty() || piece.size() > kMaxPiece) return false;
  const Slot& slot = m_slots[slotOf(piece, hashOf(piece))];
  if (slot.textSize == 0) return false;
  for (std::size_t i = slot.firstToken; i < slot.firstToken + slot.tokenCount; ++i) {
    ModelToken token = m_tokens[i];
    token.begin += offset;
    token.end += offset;
    tokens.push_back(token);
  }
  return true;
}

void PieceCache::remember(std::string_view piece, std::uint32_t offset, const std::vector<ModelToken>& tokens,
                          std::size_t first) {
  if (piece.empty() || piece.size() > kMaxPiece) return;
  if (2 * (m_used + 1) > m_slots.size()) grow();
  const std::uint64_t hash = hashOf(piece);
  m_slots[slotOf(piece, hash)] = {
      hash, static_cast<std::uint32_t>(m_texts.size()), static_cast<std::uint32_t>(piece.size()),
      static_cast<std::uint32_t>(m_tokens.size()), static_cast<std::uint32_t>(tokens.size() - first)};
  ++m_used;
  m_texts += piece;
  for (std::size_t i = first; i < tokens.size(); ++i) {
    ModelToken token = tokens[i];
    token.begin -= offset;
    token.end -= offset;
    m_tokens.push_back(token);
  }
}

void PieceCache::grow() {
  if (m_slots.size() >= kMaxSlots) {
    m_slots.assign(m_slots.size(), {});
    m_texts.clear();
    m_tokens.clear();
    m_used = 0;
    return;
  }
  const auto old =
      std::exchange(m_slots, std::vector<Slot>(m_slots.empty() ? kFirstSlots : 4 * m_slots.size()));
  const std::size_t mask = m_slots.size() - 1;
  for (const Slot& slot : old) {
    if (slot.textSize == 0) continue;
    std::size_t at = static_cast<std::size_t>(slot.hash) & mask;
    while (m_slots[at].textSize != 0) at = (at + 1) & mask;
    m_slots[at] = slot;
  }
}

}  // namespace moescope::tokenizer
